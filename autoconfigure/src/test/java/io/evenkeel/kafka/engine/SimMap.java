package io.evenkeel.kafka.engine;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.BitSet;
import java.util.zip.CRC32;

/**
 * Reads the completed map of a commit by its documented layout, without a line of the
 * product's reader.
 */
final class SimMap {

	private static final String PREFIX = "ek1:";

	private final long base;

	private final BitSet completed;

	private SimMap(long base, BitSet completed) {
		this.base = base;
		this.completed = completed;
	}

	/**
	 * Read a map.
	 * @param metadata what was committed
	 * @param offset beside which offset
	 * @return null when it is neither empty nor a map of this offset
	 */
	static SimMap read(String metadata, long offset) {
		BitSet completed = new BitSet();
		if (metadata == null || metadata.isEmpty()) {
			return new SimMap(offset, completed);
		}
		if (!metadata.startsWith(PREFIX)) {
			return null;
		}
		byte[] bytes = Base64.getUrlDecoder().decode(metadata.substring(PREFIX.length()));
		CRC32 crc = new CRC32();
		crc.update(bytes, 4, bytes.length - 4);
		ByteBuffer buffer = ByteBuffer.wrap(bytes);
		if (buffer.getInt() != (int) crc.getValue() || buffer.getLong() != offset) {
			return null;
		}
		boolean bitmap = buffer.get() == 1;
		if (bitmap) {
			completed.or(BitSet.valueOf(buffer));
		}
		else {
			int at = 0;
			boolean done = false;
			while (buffer.hasRemaining()) {
				int run = 0;
				int shift = 0;
				byte part;
				do {
					part = buffer.get();
					run |= (part & 0x7f) << shift;
					shift += 7;
				}
				while (part < 0);
				completed.set(at, at + run, done);
				at += run;
				done = !done;
			}
		}
		return completed.get(0) ? null : new SimMap(offset, completed);
	}

	boolean contains(long offset) {
		return offset >= this.base && this.completed.get((int) (offset - this.base));
	}

}
