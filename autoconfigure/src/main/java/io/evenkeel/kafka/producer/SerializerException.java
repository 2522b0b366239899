package io.evenkeel.kafka.producer;

import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * A serializer of the user's failed: which, at what, and why. Types only: its own message
 * may show what it was given.
 */
final class SerializerException extends SerializationException {

	private static final long serialVersionUID = 1L;

	private final String detail;

	SerializerException(Serializer<?> serializer, boolean isKey, @Nullable Object data, Throwable failure) {
		super("The serializer " + serializer.getClass().getName() + " failed", failure);
		Throwable cause = (failure instanceof SerializationException && failure.getCause() != null) ? failure.getCause()
				: failure;
		this.detail = (isKey ? "key" : "value") + " serializer " + serializer.getClass().getName() + " was given "
				+ ((data != null) ? data.getClass().getName() : "null") + " and threw " + cause.getClass().getName();
	}

	/** A clause for the message of the failed send. */
	String detail() {
		return this.detail;
	}

}
