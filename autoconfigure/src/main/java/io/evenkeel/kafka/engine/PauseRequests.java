package io.evenkeel.kafka.engine;

import org.apache.kafka.common.TopicPartition;

/**
 * What the user wants paused. Read by the owner thread, changed by any. It is asked about
 * a partition whenever something has happened to that one, and about all of them when
 * {@link #changes} has risen or partitions have come or gone.
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

	/**
	 * How often an answer of {@link #partition} has changed.
	 * @return a number that rises after each change
	 */
	long changes();

}
