package io.evenkeel.kafka.producer;

import java.util.Map;

import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.common.Cluster;
import org.jspecify.annotations.Nullable;

/**
 * The user's partitioner as the client sees it: it is asked once for a record, however
 * often that is offered, and what it throws is marked as its own. Internal; public,
 * because the client makes it.
 */
public final class HandOverPartitioner implements Partitioner {

	static final String TARGET = "evenkeel.partitioner";

	private @Nullable UserCode<?, ?> userCode;

	/**
	 * Make one, which {@link #configure} makes ready.
	 */
	public HandOverPartitioner() {
	}

	@Override
	public void configure(Map<String, ?> configs) {
		this.userCode = (UserCode<?, ?>) configs.get(TARGET);
	}

	@Override
	@SuppressWarnings("NullAway")
	public int partition(String topic, @Nullable Object key, byte @Nullable [] keyBytes, @Nullable Object value,
			byte @Nullable [] valueBytes, Cluster cluster) {
		Prepared<?, ?> offered = this.userCode.offering();
		int before = (offered != null) ? offered.partition(topic, key, value) : -1;
		if (before >= 0 && before < cluster.partitionCountForTopic(topic)) {
			return before;
		}
		Partitioner target = this.userCode.partitioner();
		int partition;
		try {
			partition = target.partition(topic, key, keyBytes, value, valueBytes, cluster);
		}
		catch (RuntimeException | Error ex) {
			throw new UserCodeException("the partitioner " + target.getClass().getName() + " threw", ex);
		}
		if (offered != null) {
			offered.partitioned(topic, key, value, partition);
		}
		return partition;
	}

	/** The user's partitioner outlives the client. */
	@Override
	public void close() {
	}

}
