package io.evenkeel.kafka.deadletter;

import java.util.List;

/**
 * What a dead-letter topic holds that was neither replayed nor dropped.
 *
 * @param topic its name
 * @param source the topic that its records come from
 * @param records how many there are
 * @param again how many of them were replayed before and have failed again
 * @param complete whether all of them were counted: there may be too many to read them in
 * the time
 * @param partitions where they are
 * @param exceptions why they are there, the most frequent first
 */
public record DeadLetterSummary(String topic, String source, long records, long again, boolean complete,
		List<Partition> partitions, List<Failure> exceptions) {

	/**
	 * The dead letters of one partition.
	 *
	 * @param partition the partition
	 * @param records how many there are
	 * @param first the offset of the first
	 * @param last the offset of the last
	 */
	public record Partition(int partition, long records, long first, long last) {
	}

	/**
	 * The dead letters of one kind.
	 *
	 * @param exception the class of what the listener threw, {@code unknown} when the
	 * record does not say
	 * @param records how many there are
	 */
	public record Failure(String exception, long records) {
	}

}
