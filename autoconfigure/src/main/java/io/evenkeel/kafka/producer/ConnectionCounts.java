package io.evenkeel.kafka.producer;

import java.util.Map;

import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/**
 * What the client's own metrics tell about its connections.
 */
final class ConnectionCounts {

	private ConnectionCounts() {
	}

	/** Whether there is a connection now. */
	static boolean isConnected(Map<MetricName, ? extends Metric> metrics) {
		for (Map.Entry<MetricName, ? extends Metric> entry : metrics.entrySet()) {
			MetricName name = entry.getKey();
			if (name.group().equals("producer-metrics") && name.name().equals("connection-count")) {
				return entry.getValue().metricValue() instanceof Double number && number > 0;
			}
		}
		return false;
	}

	/** Whether connections were made and lost again. */
	static boolean openAndFail(Map<MetricName, ? extends Metric> metrics) {
		double opened = 0;
		double closed = 0;
		for (Map.Entry<MetricName, ? extends Metric> entry : metrics.entrySet()) {
			if (!entry.getKey().group().equals("producer-metrics")) {
				continue;
			}
			Object value = entry.getValue().metricValue();
			if (value instanceof Double number) {
				switch (entry.getKey().name()) {
					case "connection-creation-total" -> opened += number;
					case "connection-close-total" -> closed += number;
					default -> {
					}
				}
			}
		}
		return opened > 0 && closed > 0;
	}

}
