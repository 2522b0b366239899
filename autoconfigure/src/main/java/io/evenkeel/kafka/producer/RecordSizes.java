package io.evenkeel.kafka.producer;

import java.nio.charset.StandardCharsets;

import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * The size by which the client judges a record against {@code max.request.size}: a batch
 * of its own, uncompressed, with the largest possible overhead.
 */
final class RecordSizes {

	private static final int BATCH_OVERHEAD = 61;

	private static final int MAX_RECORD_OVERHEAD = 21;

	private RecordSizes() {
	}

	static long upperBound(byte @Nullable [] key, byte @Nullable [] value, Header[] headers) {
		long size = BATCH_OVERHEAD + MAX_RECORD_OVERHEAD;
		size += field(key) + field(value) + varint(headers.length);
		for (Header header : headers) {
			size += field(header.key().getBytes(StandardCharsets.UTF_8)) + field(header.value());
		}
		return size;
	}

	private static long field(byte @Nullable [] bytes) {
		return (bytes != null) ? varint(bytes.length) + (long) bytes.length : varint(-1);
	}

	private static int varint(int value) {
		int zigzag = (value << 1) ^ (value >> 31);
		int bits = Integer.SIZE - Integer.numberOfLeadingZeros(zigzag | 1);
		return (bits + 6) / 7;
	}

}
