package io.evenkeel.kafka.producer;

import java.util.Map;

import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/**
 * The one metric of a producer whose client does not exist yet. Its tag tells the client
 * id, which spring-kafka reads as soon as it has a producer; its value is no number, so
 * that nobody binds a meter to it.
 *
 * @param metricName the name with the tag
 */
record IdMetric(MetricName metricName) implements Metric {

	static Map<MetricName, Metric> mapOf(String clientId) {
		MetricName name = new MetricName("client-id", "evenkeel", "The client id", Map.of("client-id", clientId));
		return Map.of(name, new IdMetric(name));
	}

	/** The client id that the metrics of a producer tell, empty if they do not. */
	static String idIn(Map<MetricName, ?> metrics) {
		return metrics.keySet()
			.stream()
			.findFirst()
			.map((name) -> name.tags().getOrDefault("client-id", ""))
			.orElse("");
	}

	@Override
	public Object metricValue() {
		return this.metricName.tags().getOrDefault("client-id", "");
	}

}
