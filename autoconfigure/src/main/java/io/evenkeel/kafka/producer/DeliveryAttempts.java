package io.evenkeel.kafka.producer;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

import org.springframework.kafka.support.KafkaHeaders;

/**
 * The number of the delivery attempt is a header of a consumed record that belongs to one
 * call of its listener: whoever forwards the headers of what he has got, or replies with
 * them, must not pass it on.
 * <p>
 * <b>Why.</b> Listeners copy whole lists of headers, on any thread, so the end of the
 * call is too early to take it out again and the send is the one place that all pass.
 */
final class DeliveryAttempts {

	private DeliveryAttempts() {
	}

	/**
	 * The record without that header; its own headers are left alone, they may be closed.
	 * @param record the record to send
	 * @return the same record if it has none
	 */
	static <K, V> ProducerRecord<K, V> without(ProducerRecord<K, V> record) {
		if (record.headers().lastHeader(KafkaHeaders.DELIVERY_ATTEMPT) == null) {
			return record;
		}
		RecordHeaders headers = new RecordHeaders(record.headers());
		headers.remove(KafkaHeaders.DELIVERY_ATTEMPT);
		return new ProducerRecord<>(record.topic(), record.partition(), record.timestamp(), record.key(),
				record.value(), headers);
	}

}
