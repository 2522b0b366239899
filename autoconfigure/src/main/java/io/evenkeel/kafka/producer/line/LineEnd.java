package io.evenkeel.kafka.producer.line;

import org.jspecify.annotations.Nullable;

/**
 * Why a record left its line without being handed over.
 *
 * @param kind the rule that ended it
 * @param cause what was found to be wrong; {@code null} for the local kinds
 * {@link Kind#BUFFER_FULL} and {@link Kind#CLOSED}
 * @param attempts how many attempts were made while the record waited
 * @param <C> the type of a cause
 */
public record LineEnd<C>(Kind kind, @Nullable C cause, int attempts) {

	/**
	 * The rules that end a wait.
	 */
	public enum Kind {

		/** The head of the line waited for as long as it may. */
		TIMED_OUT,

		/** The cluster has said for long enough that it does not know the topic. */
		UNKNOWN_TOPIC,

		/** The head of the line used up its attempts. */
		ATTEMPTS_EXHAUSTED,

		/** The cluster refused the topic. */
		REFUSED,

		/** The line had timed out shortly before. */
		FAIL_FAST,

		/** Too many records or bytes wait already. */
		BUFFER_FULL,

		/** The producer was closed. */
		CLOSED

	}

}
