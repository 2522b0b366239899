package io.evenkeel.kafka.engine.offset;

import java.util.zip.CRC32;

/**
 * Layout and sizes of the completed map, shared by its writer and its reader.
 * <p>
 * The text is {@value #PREFIX} and the base64url form, without padding, of: CRC-32 of all
 * that follows (4 bytes), base offset (8 bytes), kind of the body (1 byte), body. Numbers
 * are big-endian. The body covers the offsets from the base, the lowest unfinished one,
 * to the highest known to be completed:
 * <ul>
 * <li>{@link #RUNS}: lengths of runs as unsigned LEB128, alternating between unfinished
 * and completed, each at least 1, beginning with unfinished and ending with completed;
 * </li>
 * <li>{@link #BITMAP}: a bit per offset, lowest bit of a byte first, set when completed;
 * the first bit is clear and the last byte is not zero.</li>
 * </ul>
 */
final class CompletedMapFormat {

	/** Names the format and its version: a later version is foreign to this one. */
	static final String PREFIX = "ek1:";

	/** Bytes of the checksum, which covers all that follows it. */
	static final int CHECKSUM_BYTES = 4;

	/** Bytes in front of the body. */
	static final int HEADER_BYTES = CHECKSUM_BYTES + Long.BYTES + 1;

	static final byte RUNS = 0;

	static final byte BITMAP = 1;

	/** Longest text that is read and therefore written, in characters. */
	static final int MAX_CHARS = 1 << 16;

	/** Most offsets a map covers, so that a hostile text cannot claim more. */
	static final int MAX_SPAN = 1 << 24;

	private CompletedMapFormat() {
	}

	/**
	 * Returns the space for a body.
	 * @param maxChars most characters of the text; any value
	 * @return bytes that fit, 0 if not even the header does
	 */
	static int bodyCapacity(int maxChars) {
		// Three bytes take four characters, and the division rounds down just as the
		// encoding without padding does.
		int characters = Math.min(Math.max(maxChars, 0), MAX_CHARS) - PREFIX.length();
		return Math.max(0, characters * 3 / 4 - HEADER_BYTES);
	}

	/**
	 * Returns how many bytes a body needs at most, in constant time.
	 * @param holes runs of unfinished offsets in the span, each followed by a completed
	 * one
	 * @param span offsets covered
	 * @return an upper bound of the shorter kind's length
	 */
	static long maxBodyBytes(long holes, long span) {
		// A length takes one more byte for each power of 128 that it reaches, and not
		// more
		// than span / power runs can reach it.
		long runs = 2 * holes;
		long bytes = runs;
		for (long power = 128; power <= span; power <<= 7) {
			bytes += Math.min(runs, span / power);
		}
		return Math.min(bytes, bitmapBytes(span));
	}

	static long bitmapBytes(long span) {
		return (span + 7) >>> 3;
	}

	/**
	 * Returns the checksum of a map: of all that follows the checksum's own bytes.
	 * @param bytes the map, at least as long as the checksum
	 * @return the CRC-32
	 */
	static int checksum(byte[] bytes) {
		CRC32 crc = new CRC32();
		crc.update(bytes, CompletedMapFormat.CHECKSUM_BYTES, bytes.length - CompletedMapFormat.CHECKSUM_BYTES);
		return (int) crc.getValue();
	}

}
