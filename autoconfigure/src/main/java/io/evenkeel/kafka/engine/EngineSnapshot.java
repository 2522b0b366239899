package io.evenkeel.kafka.engine;

import java.util.List;

import org.apache.kafka.common.TopicPartition;

/**
 * What a listener's engine looked like at the end of a turn of its owner.
 *
 * @param atNanos when, in nanoseconds of the engine's clock
 * @param memberId the member's id in its group, empty while it has none
 * @param limit the most calls at once
 * @param used the calls not finished
 * @param keys the keys that have a lane
 * @param partitions the live assignments
 * @param committedNanos when a commit of this consumer last succeeded, in nanoseconds of
 * the engine's clock; 0 before the first
 */
public record EngineSnapshot(long atNanos, String memberId, int limit, int used, int keys, List<Partition> partitions,
		long committedNanos) {

	static final EngineSnapshot EMPTY = new EngineSnapshot(0, "", 0, 0, 0, List.of());

	/**
	 * Of a consumer that has committed nothing yet.
	 * @param atNanos when, in nanoseconds of the engine's clock
	 * @param memberId the member's id in its group, empty while it has none
	 * @param limit the most calls at once
	 * @param used the calls not finished
	 * @param keys the keys that have a lane
	 * @param partitions the live assignments
	 */
	public EngineSnapshot(long atNanos, String memberId, int limit, int used, int keys, List<Partition> partitions) {
		this(atNanos, memberId, limit, used, keys, partitions, 0);
	}

	/**
	 * One live assignment.
	 *
	 * @param partition the partition
	 * @param epoch the number of the assignment
	 * @param position the offset after the last record seen, -1 before the first
	 * @param committed the committed offset, -1 when there is none
	 * @param gap records completed above the lowest unfinished one
	 * @param queued records waiting for a worker
	 * @param inFlight records inside a handler call, or returned and not acknowledged
	 * @param parked records waiting for their next attempt
	 * @param oldestNanos when the oldest unfinished record was polled, -1 when there is
	 * none
	 * @param userPaused whether the user paused it
	 * @param backPressure whether it is held back
	 * @param lag how far behind it is
	 */
	public record Partition(TopicPartition partition, long epoch, long position, long committed, long gap, int queued,
			int inFlight, int parked, long oldestNanos, boolean userPaused, boolean backPressure, PartitionLag lag) {

		/**
		 * One whose lag is not known yet.
		 * @param partition the partition
		 * @param epoch the number of the assignment
		 * @param position the offset after the last record seen, -1 before the first
		 * @param committed the committed offset, -1 when there is none
		 * @param gap records completed above the lowest unfinished one
		 * @param queued records waiting for a worker
		 * @param inFlight records inside a handler call, or returned and not acknowledged
		 * @param parked records waiting for their next attempt
		 * @param oldestNanos when the oldest unfinished record was polled, -1 when there
		 * is none
		 * @param userPaused whether the user paused it
		 * @param backPressure whether it is held back
		 */
		public Partition(TopicPartition partition, long epoch, long position, long committed, long gap, int queued,
				int inFlight, int parked, long oldestNanos, boolean userPaused, boolean backPressure) {
			this(partition, epoch, position, committed, gap, queued, inFlight, parked, oldestNanos, userPaused,
					backPressure, PartitionLag.UNKNOWN);
		}

		/**
		 * Whether a record is unfinished.
		 * @return whether {@code oldestNanos} means anything
		 */
		public boolean hasOldest() {
			return this.queued + this.inFlight + this.parked > 0 && this.oldestNanos != -1;
		}

	}

}
