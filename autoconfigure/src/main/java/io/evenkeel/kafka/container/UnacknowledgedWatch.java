package io.evenkeel.kafka.container;

import java.time.Duration;

import io.evenkeel.kafka.engine.EngineSnapshot;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says once that a record is waiting for its acknowledgment for long: until somebody
 * acknowledges it, its partition commits nothing beyond. Owner thread.
 */
final class UnacknowledgedWatch {

	private static final Logger logger = LoggerFactory.getLogger(UnacknowledgedWatch.class);

	private final String id;

	private final Duration after;

	private boolean said;

	UnacknowledgedWatch(String id, Duration after) {
		this.id = id;
		this.after = after;
	}

	/**
	 * Look at a snapshot.
	 * @return whether the warning was given now
	 */
	boolean look(EngineSnapshot snapshot) {
		if (this.said) {
			return false;
		}
		for (EngineSnapshot.Partition partition : snapshot.partitions()) {
			if (partition.oldestNanos() != -1 && partition.inFlight() > 0
					&& snapshot.atNanos() - partition.oldestNanos() > this.after.toNanos()) {
				logger.warn("{}: {} has had a record for more than {} s that is neither acknowledged nor failed; "
						+ "nothing after it is committed. Call acknowledge() for each record. This is said once.",
						this.id, partition.partition(), this.after.toSeconds());
				this.said = true;
				return true;
			}
		}
		return false;
	}

}
