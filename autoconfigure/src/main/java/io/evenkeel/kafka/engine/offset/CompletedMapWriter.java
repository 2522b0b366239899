package io.evenkeel.kafka.engine.offset;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * Writes a completed map: takes the holes in ascending order, builds both kinds of body
 * at once, and keeps the one that is shorter or, when neither fits, the one that reaches
 * further. What does not fit is left out from the end: less knowledge costs only
 * duplicates.
 * <p>
 * <b>Threading:</b> for one thread, and for one map.
 */
final class CompletedMapWriter {

	private final long base;

	/** Offsets from the base to the highest completed one. */
	private final long span;

	private final byte[] runs;

	private int runsLength;

	/** Offsets, counted from the base, that the written runs cover. */
	private long runsSpan;

	private boolean runsFull;

	/** As long as the capacity or the whole span needs, whichever is less. */
	private final byte[] bitmap;

	/** Offsets, counted from the base, up to the last set bit. */
	private long bitmapSpan;

	/** Offsets of the holes taken so far. */
	private long taken;

	/**
	 * Creates a writer.
	 * @param base lowest unfinished offset
	 * @param span offsets from the base to the highest completed one, both included
	 * @param holes how many holes will be written at most
	 * @param maxChars most characters of the text
	 */
	CompletedMapWriter(long base, long span, long holes, int maxChars) {
		this.base = base;
		this.span = span;
		int capacity = CompletedMapFormat.bodyCapacity(maxChars);
		long covered = Math.min(span, CompletedMapFormat.MAX_SPAN);
		// No length within the covered span takes more than four bytes.
		this.runs = new byte[(int) Math.min(capacity, 8 * holes)];
		this.bitmap = new byte[(int) Math.min(capacity, CompletedMapFormat.bitmapBytes(covered))];
	}

	/**
	 * Adds a run of unfinished offsets and the run of completed ones after it.
	 * @param unfinished length of the first run, at least 1
	 * @param completed length of the second run, at least 1
	 * @return whether a further hole could change the text
	 */
	boolean hole(long unfinished, long completed) {
		long start = this.taken + unfinished;
		this.taken = start + completed;
		long end = Math.min(this.taken, CompletedMapFormat.MAX_SPAN);
		if (start < end) {
			addRuns((int) unfinished, (int) (end - start));
			setBits(start, end);
		}
		boolean covered = this.taken >= CompletedMapFormat.MAX_SPAN;
		return !covered && (!this.runsFull || this.taken < 8L * this.bitmap.length);
	}

	private void addRuns(int unfinished, int completed) {
		int room = this.runs.length - this.runsLength - varintBytes(unfinished);
		if (this.runsFull || room < 1) {
			this.runsFull = true;
			return;
		}
		int written = completed;
		if (varintBytes(completed) > room) {
			// The beginning of the run is worth keeping: as much as the room can say.
			written = (1 << (7 * room)) - 1;
			this.runsFull = true;
		}
		addVarint(unfinished);
		addVarint(written);
		this.runsSpan += unfinished + written;
	}

	private void addVarint(int value) {
		int rest = value;
		while (rest >= 0x80) {
			this.runs[this.runsLength++] = (byte) (rest | 0x80);
			rest >>>= 7;
		}
		this.runs[this.runsLength++] = (byte) rest;
	}

	private static int varintBytes(int value) {
		return (38 - Integer.numberOfLeadingZeros(value | 1)) / 7;
	}

	private void setBits(long from, long to) {
		long end = Math.min(to, 8L * this.bitmap.length);
		if (from >= end) {
			return;
		}
		int first = (int) (from >>> 3);
		int last = (int) ((end - 1) >>> 3);
		int firstBits = 0xff << (from & 7);
		int lastBits = 0xff >>> (7 - ((end - 1) & 7));
		if (first == last) {
			this.bitmap[first] |= (byte) (firstBits & lastBits);
		}
		else {
			this.bitmap[first] |= (byte) firstBits;
			Arrays.fill(this.bitmap, first + 1, last, (byte) 0xff);
			this.bitmap[last] |= (byte) lastBits;
		}
		this.bitmapSpan = end;
	}

	/**
	 * Ends the map.
	 * @return base, text, and whether something was left out
	 */
	CommitPoint finish() {
		int bitmapLength = (int) CompletedMapFormat.bitmapBytes(this.bitmapSpan);
		boolean useRuns = (this.runsSpan != this.bitmapSpan) ? this.runsSpan > this.bitmapSpan
				: this.runsLength <= bitmapLength;
		long reached = useRuns ? this.runsSpan : this.bitmapSpan;
		if (reached == 0) {
			return new CommitPoint(this.base, "", true);
		}
		String text = useRuns ? text(CompletedMapFormat.RUNS, this.runs, this.runsLength)
				: text(CompletedMapFormat.BITMAP, this.bitmap, bitmapLength);
		return new CommitPoint(this.base, text, reached < this.span);
	}

	private String text(byte kind, byte[] body, int length) {
		ByteBuffer buffer = ByteBuffer.allocate(CompletedMapFormat.HEADER_BYTES + length);
		buffer.position(CompletedMapFormat.CHECKSUM_BYTES);
		buffer.putLong(this.base).put(kind).put(body, 0, length);
		buffer.putInt(0, CompletedMapFormat.checksum(buffer.array()));
		byte[] encoded = Base64.getUrlEncoder().withoutPadding().encode(buffer.array());
		return CompletedMapFormat.PREFIX + new String(encoded, StandardCharsets.ISO_8859_1);
	}

}
