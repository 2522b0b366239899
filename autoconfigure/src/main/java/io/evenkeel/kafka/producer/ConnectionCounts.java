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
		return total(metrics, "connection-count") > 0;
	}

	/** Whether connections were made, be they lost again or not. */
	static boolean wereMade(Map<MetricName, ? extends Metric> metrics) {
		return total(metrics, "connection-creation-total") > 0;
	}

	private static double total(Map<MetricName, ? extends Metric> metrics, String name) {
		double total = 0;
		for (Map.Entry<MetricName, ? extends Metric> entry : metrics.entrySet()) {
			MetricName metric = entry.getKey();
			if (metric.group().equals("producer-metrics") && metric.name().equals(name)
					&& entry.getValue().metricValue() instanceof Double number) {
				total += number;
			}
		}
		return total;
	}

}
