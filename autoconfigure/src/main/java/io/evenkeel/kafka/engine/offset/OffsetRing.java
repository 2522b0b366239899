package io.evenkeel.kafka.engine.offset;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

/**
 * The blocks of a tracker between its lowest unfinished sequence and its next one, found
 * by sequence. It grows with that distance and never shrinks.
 * <p>
 * <b>Threading:</b> confined to the owner of its tracker.
 */
final class OffsetRing {

	/** Addressed by block number; its length is a power of two. */
	private @Nullable OffsetBlock[] blocks = new @Nullable OffsetBlock[8];

	/** The last of those that are linked, in the order of their sequences. */
	private @Nullable OffsetBlock last;

	/** Kept for the next block, so that a steady flow allocates nothing. */
	private @Nullable OffsetBlock spare;

	/** Returns the block of a sequence that is not below the lowest unfinished one. */
	@Nullable OffsetBlock get(long sequence) {
		return this.blocks[slot(sequence)];
	}

	/**
	 * Adds the block that a sequence begins.
	 * @param sequence the first of the block
	 * @param head the lowest sequence whose block is needed
	 * @return an empty block
	 */
	OffsetBlock add(long sequence, long head) {
		if (number(sequence) - number(head) >= this.blocks.length) {
			grow(sequence, head);
		}
		OffsetBlock block = (this.spare != null) ? this.spare : new OffsetBlock();
		this.spare = null;
		block.first = sequence;
		OffsetBlock before = this.last;
		block.previous = before;
		if (before != null) {
			before.next = block;
		}
		this.last = block;
		this.blocks[slot(sequence)] = block;
		return block;
	}

	/** Removes the block of a sequence: all of it is done. */
	void remove(long sequence, OffsetBlock block) {
		OffsetBlock before = block.previous;
		OffsetBlock after = block.next;
		if (before != null) {
			before.next = after;
		}
		if (after != null) {
			after.previous = before;
		}
		else {
			this.last = before;
		}
		block.clear();
		this.spare = block;
		this.blocks[slot(sequence)] = null;
	}

	private void grow(long sequence, long head) {
		@Nullable OffsetBlock[] old = this.blocks;
		this.blocks = new @Nullable OffsetBlock[old.length * 2];
		for (long number = number(head); number < number(sequence); number++) {
			this.blocks[(int) number & (this.blocks.length - 1)] = old[(int) number & (old.length - 1)];
		}
	}

	private static long number(long sequence) {
		return sequence >>> OffsetBlock.SIZE_SHIFT;
	}

	private int slot(long sequence) {
		return (int) number(sequence) & (this.blocks.length - 1);
	}

	/** Returns how many blocks are in memory. */
	int live() {
		return (int) Arrays.stream(this.blocks).filter((block) -> block != null).count();
	}

	/** Returns how many blocks have room before the ring grows. */
	int slots() {
		return this.blocks.length;
	}

}
