package io.evenkeel.kafka.engine.offset;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;

import org.jspecify.annotations.Nullable;

/**
 * The completed map of a commit as a new owner reads it: which offsets above the
 * committed one are already done. Whatever the text, reading it ends in a {@link Status}
 * and never throws; a map that is not {@link Status#OK} is empty, which costs only
 * duplicates.
 * <p>
 * <b>Threading:</b> immutable.
 * <p>
 * <b>Cost:</b> reading is linear in the text and keeps at most about six bytes per
 * character, whatever the text claims; a look-up takes logarithmic time and allocates
 * nothing.
 */
public final class CompletedOffsets {

	private static final int[] NO_RUNS = {};

	private static final byte[] NO_BITS = {};

	private final Status status;

	private final long base;

	/** Ends of the runs counted from the base, unfinished and completed alternating. */
	private final int[] runEnds;

	private final byte[] bitmap;

	/** Offsets counted from the base, up to the highest completed one. */
	private final int span;

	private CompletedOffsets(Status status, long base, int[] runEnds, byte[] bitmap, int span) {
		this.status = status;
		this.base = base;
		this.runEnds = runEnds;
		this.bitmap = bitmap;
		this.span = span;
	}

	/**
	 * Reads the metadata of a commit.
	 * @param metadata metadata of the committed offset, {@code null} or any text
	 * @param committedOffset the offset that was committed with it
	 * @return the completed offsets, empty unless the status is {@link Status#OK}
	 */
	public static CompletedOffsets decode(@Nullable String metadata, long committedOffset) {
		if (metadata == null || metadata.isEmpty()) {
			return none(Status.ABSENT, committedOffset);
		}
		if (!metadata.startsWith(CompletedMapFormat.PREFIX)) {
			return none(Status.FOREIGN, committedOffset);
		}
		if (metadata.length() > CompletedMapFormat.MAX_CHARS) {
			return none(Status.HUGE, committedOffset);
		}
		CompletedOffsets decoded = decodeBody(metadata, committedOffset);
		return (decoded != null) ? decoded : none(Status.DAMAGED, committedOffset);
	}

	private static CompletedOffsets none(Status status, long base) {
		return new CompletedOffsets(status, base, NO_RUNS, NO_BITS, 0);
	}

	private static @Nullable CompletedOffsets decodeBody(String metadata, long committedOffset) {
		byte[] bytes;
		try {
			bytes = Base64.getUrlDecoder().decode(metadata.substring(CompletedMapFormat.PREFIX.length()));
		}
		catch (IllegalArgumentException ex) {
			return null;
		}
		if (bytes.length <= CompletedMapFormat.HEADER_BYTES) {
			return null;
		}
		ByteBuffer buffer = ByteBuffer.wrap(bytes);
		if (buffer.getInt() != CompletedMapFormat.checksum(bytes)) {
			return null;
		}
		// A map beside another offset than its own would call records done that are not.
		if (buffer.getLong() != committedOffset || committedOffset < 0
				|| committedOffset > Long.MAX_VALUE - CompletedMapFormat.MAX_SPAN) {
			return null;
		}
		return switch (buffer.get()) {
			case CompletedMapFormat.RUNS -> decodeRuns(bytes, committedOffset);
			case CompletedMapFormat.BITMAP -> decodeBitmap(bytes, committedOffset);
			default -> null;
		};
	}

	private static @Nullable CompletedOffsets decodeRuns(byte[] bytes, long base) {
		int[] ends = new int[bytes.length - CompletedMapFormat.HEADER_BYTES];
		int count = 0;
		int end = 0;
		int value = 0;
		int shift = 0;
		for (int i = CompletedMapFormat.HEADER_BYTES; i < bytes.length; i++) {
			// Four bytes hold the longest run allowed.
			if (shift > 21) {
				return null;
			}
			value |= (bytes[i] & 0x7f) << shift;
			shift += 7;
			if (bytes[i] >= 0) {
				if (value == 0 || value > CompletedMapFormat.MAX_SPAN - end) {
					return null;
				}
				end += value;
				ends[count++] = end;
				value = 0;
				shift = 0;
			}
		}
		boolean complete = shift == 0 && count % 2 == 0;
		return complete ? new CompletedOffsets(Status.OK, base, Arrays.copyOf(ends, count), NO_BITS, end) : null;
	}

	private static @Nullable CompletedOffsets decodeBitmap(byte[] bytes, long base) {
		byte[] bitmap = Arrays.copyOfRange(bytes, CompletedMapFormat.HEADER_BYTES, bytes.length);
		int last = bitmap[bitmap.length - 1] & 0xff;
		// The text's limit keeps the span of a bitmap far below MAX_SPAN.
		int span = 8 * bitmap.length - (Integer.numberOfLeadingZeros(last) - 24);
		boolean valid = last != 0 && (bitmap[0] & 1) == 0;
		return valid ? new CompletedOffsets(Status.OK, base, NO_RUNS, bitmap, span) : null;
	}

	/**
	 * Returns whether an offset is known to be completed.
	 * @param offset any offset
	 * @return {@code true} only if it lies from the committed offset (inclusive) to
	 * {@link #upTo()} (exclusive) and was completed, or does not exist in the log
	 */
	public boolean contains(long offset) {
		if (offset < this.base || offset >= upTo()) {
			return false;
		}
		int index = (int) (offset - this.base);
		if (this.bitmap.length > 0) {
			return (this.bitmap[index >>> 3] & (1 << (index & 7))) != 0;
		}
		return (run(index) & 1) == 1;
	}

	/** Returns the run that holds the index: the first that ends above it. */
	private int run(int index) {
		int found = Arrays.binarySearch(this.runEnds, index + 1);
		return (found >= 0) ? found : -found - 1;
	}

	/**
	 * Returns the first offset from the given one on that is known to be completed.
	 * @param from any offset
	 * @return the offset, or {@link #upTo()} if there is none
	 */
	long nextCompleted(long from) {
		return next(Math.max(from, this.base), true);
	}

	/**
	 * Returns the first offset from the given one on that is not known to be completed.
	 * @param from any offset
	 * @return the offset; {@link #upTo()} at the latest if the given one lies below it
	 */
	long nextUnknown(long from) {
		return next(from, false);
	}

	private long next(long from, boolean completed) {
		long offset = from;
		while (offset < upTo() && contains(offset) != completed) {
			// Runs are passed at once, bits one by one: their number is bounded by the
			// text.
			offset = (this.bitmap.length > 0) ? offset + 1 : this.base + this.runEnds[run((int) (offset - this.base))];
		}
		return offset;
	}

	/**
	 * Returns how many runs of unfinished offsets there are at most.
	 * @return an upper bound
	 */
	int maxHoles() {
		return (this.bitmap.length > 0) ? 4 * this.bitmap.length : this.runEnds.length / 2;
	}

	/**
	 * Returns where the knowledge ends: no offset from here on is known to be completed,
	 * so that the map is of no more use once the position is here.
	 * @return the highest completed offset + 1, or the committed offset if the map is
	 * empty
	 */
	public long upTo() {
		return this.base + this.span;
	}

	/**
	 * Returns whether no offset is known to be completed.
	 * @return whether the map is empty
	 */
	public boolean isEmpty() {
		return this.span == 0;
	}

	/**
	 * Returns what the metadata was.
	 * @return the outcome of reading
	 */
	public Status status() {
		return this.status;
	}

	/**
	 * What the metadata of a commit was.
	 */
	public enum Status {

		/** There was none. */
		ABSENT,

		/** A completed map, read in full. */
		OK,

		/** Not a completed map, or one of a later version: another program's. */
		FOREIGN,

		/**
		 * A completed map that fails its checksum, belongs to another offset or makes no
		 * sense.
		 */
		DAMAGED,

		/** Marked as a completed map, but longer than any that is ever written. */
		HUGE

	}

}
