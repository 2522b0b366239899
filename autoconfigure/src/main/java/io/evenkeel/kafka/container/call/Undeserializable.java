package io.evenkeel.kafka.container.call;

import java.nio.ByteBuffer;
import java.util.Optional;

import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.support.KafkaUtils;
import org.springframework.kafka.support.serializer.DeserializationException;
import org.springframework.kafka.support.serializer.SerializationUtils;

/**
 * Records that could not be deserialized, in the form that spring-kafka's recoverer
 * understands: no value, and the raw bytes in the deserialization header.
 */
public final class Undeserializable {

	private static final LogAccessor accessor = new LogAccessor(LogFactory.getLog(Undeserializable.class));

	private Undeserializable() {
	}

	/** Make a record of one that the client could not deserialize. */
	@SuppressWarnings("NullAway")
	static <K, V> ConsumerRecord<K, V> record(RecordDeserializationException failure) {
		RecordHeaders headers = new RecordHeaders(failure.headers());
		byte[] key = bytes(failure.keyBuffer());
		byte[] value = bytes(failure.valueBuffer());
		// Both, whichever of the two failed: the other one was not deserialized either.
		if (key != null) {
			SerializationUtils.deserializationException(headers, key, failure, true);
		}
		SerializationUtils.deserializationException(headers, (value != null) ? value : new byte[0], failure, false);
		return new ConsumerRecord<>(failure.topicPartition().topic(), failure.topicPartition().partition(),
				failure.offset(), failure.timestamp(),
				(failure.timestampType() != null) ? failure.timestampType() : TimestampType.NO_TIMESTAMP_TYPE,
				(key != null) ? key.length : -1, (value != null) ? value.length : -1, null, null, headers,
				Optional.empty());
	}

	/** What an error handling deserializer says of a record; null for a good one. */
	static @Nullable DeserializationException in(ConsumerRecord<?, ?> record) {
		if (record.value() instanceof DeserializationException failure) {
			return failure;
		}
		if (record.key() instanceof DeserializationException failure) {
			return failure;
		}
		DeserializationException failure = null;
		if (record.value() == null) {
			failure = fromHeader(record, KafkaUtils.VALUE_DESERIALIZER_EXCEPTION_HEADER);
		}
		if (failure == null && record.key() == null) {
			failure = fromHeader(record, KafkaUtils.KEY_DESERIALIZER_EXCEPTION_HEADER);
		}
		return failure;
	}

	private static @Nullable DeserializationException fromHeader(ConsumerRecord<?, ?> record, String header) {
		return (record.headers().lastHeader(header) != null)
				? SerializationUtils.getExceptionFromHeader(record, header, accessor) : null;
	}

	/** The failure as an error handler knows it. */
	public static DeserializationException failure(ConsumerRecord<?, ?> record, Throwable failure) {
		DeserializationException known = SerializationUtils.getExceptionFromHeader(record,
				KafkaUtils.VALUE_DESERIALIZER_EXCEPTION_HEADER, accessor);
		return (known != null) ? known
				: new DeserializationException("failed to deserialize", new byte[0], false, failure);
	}

	private static byte @Nullable [] bytes(@Nullable ByteBuffer buffer) {
		if (buffer == null) {
			return null;
		}
		byte[] bytes = new byte[buffer.remaining()];
		buffer.duplicate().get(bytes);
		return bytes;
	}

}
