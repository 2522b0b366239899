package io.evenkeel.kafka.engine.offset;

import org.jspecify.annotations.Nullable;

/**
 * Offsets of one assignment, from hand-out to completion, and what may be committed of
 * them. Only offsets that were seen are tracked: compaction and transaction markers leave
 * gaps, and what is absent counts as done.
 * <p>
 * <b>Threading:</b> confined to the owner of the assignment; not synchronized.
 * <p>
 * <b>Invariants:</b>
 * <ol>
 * <li>Sequences are handed out 0, 1, 2, … in the order of their offsets; all below
 * {@code head} are done, and {@code head} is not, or has not been handed out.</li>
 * <li>What may be committed is the offset of {@code head}, whatever is done above
 * it.</li>
 * <li>A block is in the ring exactly if one of its sequences is unfinished or still to be
 * handed out; a missing one is done.</li>
 * </ol>
 * <b>Cost:</b> {@code begin} and {@code complete} are amortised constant time and
 * allocate nothing per record; all other methods are constant time, but
 * {@link #commitPoint} is linear in the blocks from the lowest unfinished sequence on.
 * Beside an unfinished record, 256 completed ones cost one reference.
 */
public final class OffsetTracker {

	private static final int BLOCK_SIZE = OffsetBlock.SIZE;

	private static final int BLOCK_MASK = BLOCK_SIZE - 1;

	/** What an earlier owner completed; of use above the position only. */
	private final CompletedOffsets inherited;

	private final OffsetRing ring = new OffsetRing();

	/** Lowest unfinished sequence, or {@code next} if there is none. */
	private long head;

	/** Sequence of the next record. */
	private long next;

	/** Lowest offset that may still be seen; -1 before the first is known. */
	private long position = -1;

	private int unfinished;

	/** Runs of unfinished sequences, the one at the end included. */
	private int runs;

	private long highestDoneSequence = -1;

	private long highestDoneOffset = -1;

	/** The last commit point as long as nothing has changed since, and its limit. */
	private @Nullable CommitPoint known;

	private int knownLimit;

	/**
	 * Creates a tracker of an assignment that inherits nothing.
	 */
	public OffsetTracker() {
		this(CompletedOffsets.decode(null, 0));
	}

	/**
	 * Creates a tracker that carries on the completed map found with the committed
	 * offset: until the position has passed it, the map is part of each commit point, for
	 * a commit overwrites the one it came from. A record that it contains must be begun
	 * and completed at once, as one that is not begun is not remembered.
	 * @param inherited what an earlier owner completed, possibly empty
	 */
	public OffsetTracker(CompletedOffsets inherited) {
		this.inherited = inherited;
	}

	/**
	 * Notes that a record is handed out.
	 * @param offset its offset, above those seen before and not below {@link #position()}
	 * @param nowNanos its arrival time, on the clock of the caller
	 * @return its sequence, to complete it with
	 * @throws IllegalArgumentException if the offset is negative, was passed before, or
	 * lies below the position
	 */
	public long begin(long offset, long nowNanos) {
		return begin(offset, nowNanos, -1);
	}

	/**
	 * Notes that a record is handed out.
	 * @param offset its offset, above those seen before and not below {@link #position()}
	 * @param nowNanos its arrival time, on the clock of the caller
	 * @param timestamp when it was written, as it says itself; -1 when it does not say
	 * @return its sequence, to complete it with
	 * @throws IllegalArgumentException if the offset is negative, was passed before, or
	 * lies below the position
	 */
	public long begin(long offset, long nowNanos, long timestamp) {
		if (offset < this.position || offset < 0) {
			throw new IllegalArgumentException(
					"Offset " + offset + " is not above those before it: next is " + this.position);
		}
		long sequence = this.next;
		int index = (int) sequence & BLOCK_MASK;
		OffsetBlock block = (index == 0) ? this.ring.add(sequence, this.head) : this.ring.get(sequence);
		if (block == null) {
			throw new IllegalStateException("No block for sequence " + sequence);
		}
		block.offsets[index] = offset;
		block.nanos[index] = nowNanos;
		block.timestamps[index] = timestamp;
		if (!isUnfinished(sequence - 1)) {
			this.runs++;
		}
		this.unfinished++;
		this.next++;
		this.position = offset + 1;
		this.known = null;
		return sequence;
	}

	/**
	 * Notes that a record has ended.
	 * @param sequence what {@link #begin} returned for it
	 * @return whether this is its first completion
	 * @throws IllegalArgumentException if the sequence was never handed out
	 */
	public boolean complete(long sequence) {
		if (sequence < 0 || sequence >= this.next) {
			throw new IllegalArgumentException("Sequence " + sequence + " was never handed out: next is " + this.next);
		}
		OffsetBlock block = (sequence >= this.head) ? this.ring.get(sequence) : null;
		int index = (int) sequence & BLOCK_MASK;
		if (block == null || block.isDone(index)) {
			return false;
		}
		if (sequence > this.highestDoneSequence) {
			this.highestDoneSequence = sequence;
			this.highestDoneOffset = block.offsets[index];
		}
		block.setDone(index);
		this.known = null;
		this.unfinished--;
		// A completion inside a run splits it, at an end shortens it, of the only one
		// ends
		// it.
		this.runs += (isUnfinished(sequence - 1) ? 1 : 0) + (isUnfinished(sequence + 1) ? 1 : 0) - 1;
		if (sequence == this.head) {
			this.head = nextUnfinished(block, sequence + 1);
		}
		if (block.isFull()) {
			this.ring.remove(sequence, block);
		}
		return true;
	}

	/**
	 * Notes the consumer's position, which lies past gaps at the end that no record will
	 * show. Every record below it must have begun: what has not is taken as absent, and
	 * is lost once committed.
	 * @param nextOffset the next offset the consumer reads; one below an earlier position
	 * changes nothing
	 */
	public void position(long nextOffset) {
		if (nextOffset > this.position) {
			this.position = nextOffset;
			this.known = null;
		}
	}

	/**
	 * Returns the lowest offset that may still be handed out.
	 * @return the highest of the positions given and the highest offset seen + 1, or -1
	 * if there is neither
	 */
	public long position() {
		return this.position;
	}

	/**
	 * Returns the offset that may be committed: everything below it has ended.
	 * @return the lowest unfinished offset; if none is unfinished, the first offset from
	 * {@link #position()} on that an earlier owner has not completed; -1 if there is
	 * nothing to commit
	 */
	public long committable() {
		OffsetBlock block = headBlock();
		// A map cannot say that its own base is completed: a position in the midst of the
		// inherited ones would forget the one that it stands on.
		return (block != null) ? block.offsets[(int) this.head & BLOCK_MASK]
				: this.inherited.nextUnknown(this.position);
	}

	/**
	 * Returns how many records have begun and not ended.
	 * @return the number of unfinished records
	 */
	public int unfinished() {
		return this.unfinished;
	}

	/**
	 * Returns the gap between what may be committed and what has ended.
	 * @return the number of completed records above the lowest unfinished one
	 */
	public long completedAbove() {
		return this.next - this.head - this.unfinished;
	}

	/**
	 * Returns how many separate runs of unfinished records lie below a completed one:
	 * what the completed map has to describe.
	 * @return the number of holes
	 */
	public int holes() {
		// The run at the end has nothing completed above it.
		return isUnfinished(this.next - 1) ? this.runs - 1 : this.runs;
	}

	/**
	 * Returns since when the lowest unfinished record is here.
	 * @return its arrival time as given to {@link #begin}, or -1 if none is unfinished;
	 * where -1 is a time, {@link #unfinished()} tells the two apart
	 */
	public long oldestUnfinishedNanos() {
		OffsetBlock block = headBlock();
		return (block != null) ? block.nanos[(int) this.head & BLOCK_MASK] : -1;
	}

	/**
	 * Returns when the lowest unfinished record was written.
	 * @return its timestamp as given to {@link #begin(long, long, long)}, or -1 if none
	 * is unfinished or the record does not say
	 */
	public long oldestUnfinishedTimestamp() {
		OffsetBlock block = headBlock();
		return (block != null) ? block.timestamps[(int) this.head & BLOCK_MASK] : -1;
	}

	/**
	 * Returns whether the completed map might not fit. Constant time; an upper bound of
	 * the size is compared, so that {@code false} means that {@link #commitPoint} with
	 * the same limit leaves nothing out. It turns {@code false} again as records end, at
	 * the latest when none is unfinished.
	 * @param maxMetadataChars most characters of the metadata
	 * @return whether the map may be truncated
	 */
	public boolean mapTooLarge(int maxMetadataChars) {
		int holes = holes();
		if (holes == 0) {
			return false;
		}
		long span = this.highestDoneOffset + 1 - committable();
		return span > CompletedMapFormat.MAX_SPAN
				|| CompletedMapFormat.maxBodyBytes(holes, span) > CompletedMapFormat.bodyCapacity(maxMetadataChars);
	}

	/**
	 * Returns what to commit: the position and the map of what is completed above it,
	 * from one snapshot.
	 * @param maxMetadataChars most characters of the metadata; what does not fit is left
	 * out from the end
	 * @return the offset, as {@link #committable()} returns it, and its metadata
	 */
	public CommitPoint commitPoint(int maxMetadataChars) {
		CommitPoint point = this.known;
		if (point == null || this.knownLimit != maxMetadataChars) {
			point = newCommitPoint(maxMetadataChars);
			this.known = point;
			this.knownLimit = maxMetadataChars;
		}
		return point;
	}

	private CommitPoint newCommitPoint(int maxMetadataChars) {
		long base = committable();
		int holes = holes();
		// The base itself is unfinished by the format, whatever is known of it.
		long unseen = Math.max(this.position, base + 1);
		boolean inherits = base >= 0 && unseen < this.inherited.upTo();
		if (holes == 0 && !inherits) {
			return new CommitPoint(base, "", false);
		}
		long seen = (holes > 0) ? this.highestDoneOffset + 1 : base;
		if (inherits && holes > 0 && !isUnfinished(this.next - 1)) {
			// The last run goes on in the inherited map.
			seen = this.inherited.nextUnknown(this.position);
		}
		long end = inherits ? this.inherited.upTo() : seen;
		CompletedMapWriter writer = new CompletedMapWriter(base, end - base,
				(long) holes + (inherits ? this.inherited.maxHoles() : 0), maxMetadataChars);
		boolean wanted = writeSeen(writer, base, seen);
		long start = seen;
		while (wanted && start < end) {
			long done = this.inherited.nextCompleted(Math.max(start, unseen));
			long nextStart = this.inherited.nextUnknown(done);
			wanted = writer.hole(done - start, nextStart - done);
			start = nextStart;
		}
		return writer.finish();
	}

	private boolean writeSeen(CompletedMapWriter writer, long base, long end) {
		long start = base;
		long sequence = this.head;
		boolean wanted = true;
		OffsetBlock block = headBlock();
		while (wanted && start < end && block != null) {
			// Gaps between two unfinished records join their run, and those between
			// others
			// the completed one: so there are never more runs than holes.
			long done = nextDone(sequence + 1);
			block = block(done - 1);
			long doneOffset = block.offsets[(int) (done - 1) & BLOCK_MASK] + 1;
			sequence = nextUnfinished(block, done);
			long nextStart = (sequence < this.highestDoneSequence) ? offset(sequence) : end;
			wanted = writer.hole(doneOffset - start, nextStart - doneOffset);
			start = nextStart;
		}
		return wanted;
	}

	private boolean isUnfinished(long sequence) {
		if (sequence < this.head || sequence >= this.next) {
			return false;
		}
		OffsetBlock block = this.ring.get(sequence);
		return block != null && !block.isDone((int) sequence & BLOCK_MASK);
	}

	/**
	 * Returns the first unfinished sequence from the given one on, or {@code next}. Goes
	 * from block to block: those that are missing in between are done, however many.
	 * @param before a block of the ring that holds the sequence before the given one
	 * @param from the sequence
	 */
	private long nextUnfinished(OffsetBlock before, long from) {
		OffsetBlock block = before;
		int start = (int) (from - before.first);
		while (block != null) {
			// Those not handed out yet are not done either: this never passes next.
			int index = (start < BLOCK_SIZE) ? block.nextClear(start) : BLOCK_SIZE;
			if (index < BLOCK_SIZE) {
				return block.first + index;
			}
			block = block.next;
			start = 0;
		}
		return this.next;
	}

	/** Returns the first completed sequence from the given one on; there must be one. */
	private long nextDone(long from) {
		long sequence = from;
		while (true) {
			OffsetBlock block = this.ring.get(sequence);
			if (block == null) {
				return sequence;
			}
			int index = block.nextSet((int) sequence & BLOCK_MASK);
			sequence = (sequence & ~BLOCK_MASK) + index;
			if (index < BLOCK_SIZE) {
				return sequence;
			}
		}
	}

	private long offset(long sequence) {
		return block(sequence).offsets[(int) sequence & BLOCK_MASK];
	}

	private OffsetBlock block(long sequence) {
		OffsetBlock block = this.ring.get(sequence);
		if (block == null) {
			throw new IllegalStateException("No block for sequence " + sequence);
		}
		return block;
	}

	private @Nullable OffsetBlock headBlock() {
		return (this.unfinished > 0) ? this.ring.get(this.head) : null;
	}

	/** Returns how many blocks are in memory, for tests. */
	int liveBlocks() {
		return this.ring.live();
	}

	/** Returns how many references to blocks are in memory, for tests. */
	int slots() {
		return this.ring.slots();
	}

}
