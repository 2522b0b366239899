package io.evenkeel.kafka.container.rebalance;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

import io.evenkeel.kafka.engine.EngineSnapshot;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says once that a record is waiting for its acknowledgment for long: until somebody
 * acknowledges it, its partition commits nothing beyond. Owner thread.
 */
public final class UnacknowledgedWatch {

	private static final Logger logger = LoggerFactory.getLogger(UnacknowledgedWatch.class);

	private final String id;

	private final Duration after;

	private final Map<TopicPartition, Oldest> oldest = new HashMap<>();

	private boolean said;

	public UnacknowledgedWatch(String id, Duration after) {
		this.id = id;
		this.after = after;
	}

	/**
	 * Look at a snapshot.
	 * @return whether the warning was given now
	 */
	public boolean look(EngineSnapshot snapshot) {
		if (this.said) {
			return false;
		}
		for (EngineSnapshot.Partition partition : snapshot.partitions()) {
			if (partition.oldestNanos() == -1 || partition.inFlight() == 0) {
				this.oldest.remove(partition.partition());
				continue;
			}
			Oldest known = this.oldest.get(partition.partition());
			if (known == null || known.arrivedNanos != partition.oldestNanos() || known.epoch != partition.epoch()) {
				// How long it had to wait for its turn is no fault of the listener's.
				this.oldest.put(partition.partition(),
						new Oldest(partition.oldestNanos(), partition.epoch(), snapshot.atNanos()));
			}
			else if (snapshot.atNanos() - known.sinceNanos > this.after.toNanos()) {
				logger.warn("{}: {} has had a record for more than {} s that is neither acknowledged nor failed; "
						+ "nothing after it is committed. Call acknowledge() for each record. This is said once.",
						this.id, partition.partition(), this.after.toSeconds());
				this.said = true;
				this.oldest.clear();
				return true;
			}
		}
		return false;
	}

	private record Oldest(long arrivedNanos, long epoch, long sinceNanos) {
	}

}
