package io.evenkeel.kafka.engine;

import org.apache.kafka.common.TopicPartition;

/**
 * What the user wants paused. Asked anew each turn, never mirrored, so that no kind of
 * rebalance can lose or invent a pause. Read by the owner thread, changed by any.
 */
public interface PauseRequests {

	/**
	 * Whether everything is to be paused.
	 * @return true while it is
	 */
	boolean all();

	/**
	 * Whether one partition is to be paused.
	 * @param partition the partition
	 * @return true while it is
	 */
	boolean partition(TopicPartition partition);

}
