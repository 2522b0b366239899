package io.evenkeel.kafka.engine;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * How large a record is: its serialized key, value and headers. What it takes on the heap
 * is more or less than that, but nobody knows it.
 */
final class RecordSize {

	private RecordSize() {
	}

	static int of(ConsumerRecord<?, ?> record) {
		long bytes = Math.max(0, record.serializedKeySize()) + (long) Math.max(0, record.serializedValueSize());
		for (Header header : record.headers()) {
			byte[] value = header.value();
			bytes += header.key().length() + ((value != null) ? value.length : 0);
		}
		return (int) Math.min(bytes, Integer.MAX_VALUE);
	}

}
