package io.evenkeel.kafka.test;

import java.nio.ByteBuffer;

import org.apache.kafka.common.header.Header;

/**
 * Where a dead letter says that it came from.
 */
final class DeadLetterHeaders {

	private DeadLetterHeaders() {
	}

	/** Whether a record says that it is the dead letter of another. */
	static boolean name(StoredRecord candidate, String topic, String partition, String offset, StoredRecord original) {
		Header where = candidate.headers().lastHeader(partition);
		Header which = candidate.headers().lastHeader(offset);
		return where != null && which != null && where.value().length == Integer.BYTES
				&& which.value().length == Long.BYTES && original.topic().equals(candidate.header(topic))
				&& ByteBuffer.wrap(where.value()).getInt() == original.partition()
				&& ByteBuffer.wrap(which.value()).getLong() == original.offset();
	}

}
