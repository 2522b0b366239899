package io.evenkeel.kafka.producer;

import org.jspecify.annotations.Nullable;

/**
 * What was found to be wrong.
 *
 * @param reason the reason
 * @param detail a short clause for the message, or {@code null}
 * @param cause the client's exception, or {@code null}
 */
record Diagnosis(FailureReason reason, @Nullable String detail, @Nullable Throwable cause) {

	static Diagnosis of(FailureReason reason) {
		return new Diagnosis(reason, null, null);
	}

}
