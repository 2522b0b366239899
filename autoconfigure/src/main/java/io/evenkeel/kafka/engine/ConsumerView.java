package io.evenkeel.kafka.engine;

import java.util.Map;
import java.util.Set;

import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What others than the owner may know of its consumer, as of the last turn or callback.
 * Immutable; what it refers to is kept up to date by the owner.
 *
 * @param partitions the live assignments
 * @param group the member in its group, null without a group
 * @param subscription the topics subscribed to
 * @param metrics the client's own, a living view
 */
public record ConsumerView(Map<TopicPartition, PartitionView> partitions, @Nullable ConsumerGroupMetadata group,
		Set<String> subscription, Map<MetricName, ? extends Metric> metrics) {

	static final ConsumerView EMPTY = new ConsumerView(Map.of(), null, Set.of(), Map.of());

	/**
	 * The id that the client really has.
	 * @return null when its metrics do not tell
	 */
	public @Nullable String clientId() {
		for (MetricName name : this.metrics.keySet()) {
			String id = name.tags().get("client-id");
			if (id != null) {
				return id;
			}
		}
		return null;
	}

}
