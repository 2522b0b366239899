package io.evenkeel.kafka.deadletter;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

import org.springframework.kafka.support.KafkaHeaders;

/**
 * What the headers of a dead letter say, and what the record that is sent again has of
 * them: its own, without those that its failure has added, and one that tells where it
 * was.
 */
final class ReplayHeaders {

	/** Topic, partition and offset of the dead letter that a record was replayed from. */
	static final String REPLAYED_FROM = "evenkeel_replayed-from";

	private static final String FAILURE = "kafka_dlt-";

	private ReplayHeaders() {
	}

	static String exception(ConsumerRecord<?, ?> letter) {
		String cause = text(letter.headers(), KafkaHeaders.DLT_EXCEPTION_CAUSE_FQCN);
		String own = text(letter.headers(), KafkaHeaders.DLT_EXCEPTION_FQCN);
		return (cause != null) ? cause : (own != null) ? own : "unknown";
	}

	static boolean wasReplayed(ConsumerRecord<?, ?> letter) {
		return letter.headers().lastHeader(REPLAYED_FROM) != null;
	}

	/**
	 * The record as it was.
	 * @param letter the dead letter
	 * @param source where it comes from, if it does not say itself
	 */
	static ProducerRecord<byte[], byte[]> original(ConsumerRecord<byte[], byte[]> letter, String source) {
		String topic = text(letter.headers(), KafkaHeaders.DLT_ORIGINAL_TOPIC);
		Header partition = letter.headers().lastHeader(KafkaHeaders.DLT_ORIGINAL_PARTITION);
		Headers headers = new RecordHeaders();
		for (Header header : letter.headers()) {
			if (!header.key().startsWith(FAILURE) && !header.key().equals(REPLAYED_FROM)) {
				headers.add(header);
			}
		}
		headers.add(REPLAYED_FROM,
				(letter.topic() + "-" + letter.partition() + "@" + letter.offset()).getBytes(StandardCharsets.UTF_8));
		return new ProducerRecord<>((topic != null) ? topic : source,
				(partition != null && partition.value().length == Integer.BYTES)
						? ByteBuffer.wrap(partition.value()).getInt() : letter.partition(),
				letter.key(), letter.value(), headers);
	}

	private static @Nullable String text(Headers headers, String name) {
		Header header = headers.lastHeader(name);
		return (header != null && header.value() != null) ? new String(header.value(), StandardCharsets.UTF_8) : null;
	}

}
