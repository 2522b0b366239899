package io.evenkeel.kafka.autoconfigure;

import java.nio.charset.StandardCharsets;
import java.util.UUID;

import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Raw bytes (of a record that could not be deserialized) as they are, everything else by
 * the application's serializer, and text as text where that one does not take it.
 */
final class DeadLetterSerializer implements Serializer<Object> {

	private final Serializer<Object> delegate;

	DeadLetterSerializer(Serializer<Object> delegate) {
		this.delegate = delegate;
	}

	@Override
	public byte @Nullable [] serialize(String topic, @Nullable Object data) {
		return serialize(topic, null, data);
	}

	@Override
	public byte @Nullable [] serialize(String topic, @Nullable Headers headers, @Nullable Object data) {
		if (data == null || data instanceof byte[]) {
			return (byte[]) data;
		}
		try {
			return this.delegate.serialize(topic, headers, data);
		}
		catch (ClassCastException ex) {
			if (data instanceof CharSequence || data instanceof Number || data instanceof UUID) {
				return data.toString().getBytes(StandardCharsets.UTF_8);
			}
			throw ex;
		}
	}

	@Override
	public void close() {
		this.delegate.close();
	}

}
