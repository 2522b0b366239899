package io.evenkeel.kafka.producer;

import java.util.Map;

import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.jspecify.annotations.Nullable;

/**
 * What the client's own metrics tell about its retries. It counts one before it sends a
 * record again, on the thread that tells how sends ended: of a topic without any, each
 * record that has ended was sent to a broker at most once.
 */
final class RetryCounts {

	private RetryCounts() {
	}

	static boolean mayHaveRetried(Map<MetricName, ? extends Metric> metrics, String topic) {
		if (metrics.isEmpty()) {
			return true;
		}
		String clientId = metrics.keySet().iterator().next().tags().get("client-id");
		if (clientId == null) {
			return true;
		}
		@Nullable Metric retries = metrics.get(new MetricName("record-retry-total", "producer-topic-metrics", "",
				Map.of("client-id", clientId, "topic", topic)));
		return retries == null || !(retries.metricValue() instanceof Double total) || total > 0;
	}

}
