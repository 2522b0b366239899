package io.evenkeel.kafka.engine.offset;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

/**
 * Offsets, arrival times and completion of as many consecutive sequences as it has
 * entries.
 * <p>
 * <b>Threading:</b> confined to the owner of its tracker.
 */
final class OffsetBlock {

	static final int SIZE_SHIFT = 8;

	static final int SIZE = 1 << SIZE_SHIFT;

	final long[] offsets = new long[SIZE];

	/** Arrival times. */
	final long[] nanos = new long[SIZE];

	/** What the records say of themselves. */
	final long[] timestamps = new long[SIZE];

	/** Its first sequence, and its neighbours in the ring. */
	long first;

	@Nullable OffsetBlock previous;

	@Nullable OffsetBlock next;

	private final long[] done = new long[SIZE / Long.SIZE];

	private int doneCount;

	boolean isFull() {
		return this.doneCount == SIZE;
	}

	boolean isDone(int index) {
		return (this.done[index >>> 6] & (1L << index)) != 0;
	}

	void setDone(int index) {
		this.done[index >>> 6] |= 1L << index;
		this.doneCount++;
	}

	/** Returns the first completed index from the given one on, or {@code SIZE}. */
	int nextSet(int from) {
		int word = from >>> 6;
		long bits = this.done[word] & (-1L << from);
		while (bits == 0 && ++word < this.done.length) {
			bits = this.done[word];
		}
		return (bits != 0) ? (word << 6) + Long.numberOfTrailingZeros(bits) : SIZE;
	}

	/** Returns the first index not completed from the given one on, or {@code SIZE}. */
	int nextClear(int from) {
		int word = from >>> 6;
		long bits = ~this.done[word] & (-1L << from);
		while (bits == 0 && ++word < this.done.length) {
			bits = ~this.done[word];
		}
		return (bits != 0) ? (word << 6) + Long.numberOfTrailingZeros(bits) : SIZE;
	}

	void clear() {
		Arrays.fill(this.done, 0);
		this.doneCount = 0;
		this.previous = null;
		this.next = null;
	}

}
