package io.evenkeel.kafka.deadletter;

import org.jspecify.annotations.Nullable;

/**
 * Some of the dead letters of a topic.
 *
 * @param partition their partition; null for all
 * @param from the first offset; null for the first there is. Only with a partition
 * @param to the last offset, inclusive; null for the last there is when the work begins.
 * Only with a partition
 */
public record Selection(@Nullable Integer partition, @Nullable Long from, @Nullable Long to) {

	/** All dead letters of a topic. */
	public static final Selection ALL = new Selection(null, null, null);

	/**
	 * Checks what is selected.
	 * @throws IllegalArgumentException when offsets stand without a partition, are
	 * negative, or the last comes before the first
	 */
	public Selection {
		if (partition == null && (from != null || to != null)) {
			throw new IllegalArgumentException("Offsets select records of one partition: name it");
		}
		if ((partition != null && partition < 0) || (from != null && from < 0) || (to != null && to < 0)) {
			throw new IllegalArgumentException("Partition and offsets are not negative");
		}
		if (from != null && to != null && to < from) {
			throw new IllegalArgumentException("The last offset " + to + " comes before the first, " + from);
		}
	}

	boolean contains(int partition, long offset) {
		return (this.partition == null || this.partition == partition) && (this.from == null || offset >= this.from)
				&& (this.to == null || offset <= this.to);
	}

}
