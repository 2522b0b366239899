package io.evenkeel.kafka.producer;

import org.jspecify.annotations.Nullable;

/**
 * Hears what a sending producer does; for meters. Called by senders, the client's I/O
 * thread and our own: implementations must be quick, thread-safe and must not throw.
 */
public interface SendObserver {

	/**
	 * An observer that does nothing.
	 */
	SendObserver NONE = new SendObserver() {
	};

	/**
	 * Whether anybody listens; durations need not be measured otherwise.
	 * @return true by default
	 */
	default boolean isActive() {
		return this != NONE;
	}

	/**
	 * A send call returned.
	 * @param nanos how long it held its caller, in nanoseconds
	 */
	default void returned(long nanos) {
	}

	/**
	 * A send ended.
	 * @param topic the topic
	 * @param reason why it failed, {@code null} for a success
	 * @param nanos from the call until now, in nanoseconds
	 */
	default void completed(String topic, @Nullable FailureReason reason, long nanos) {
	}

	/**
	 * A record's wait for metadata or memory ended.
	 * @param topic the topic
	 * @param outcome how
	 * @param nanos from the call until now, in nanoseconds
	 */
	default void waited(String topic, WaitOutcome outcome, long nanos) {
	}

	/**
	 * The client was asked for a topic once more.
	 * @param topic the topic
	 */
	default void retried(String topic) {
	}

	/**
	 * A topic's fail-fast window opened or closed.
	 * @param topic the topic
	 * @param open true when it opened
	 */
	default void failFast(String topic, boolean open) {
	}

	/**
	 * The client was replaced.
	 * @param cause why
	 */
	default void replaced(FailureReason cause) {
	}

	/**
	 * The producer was closed; nothing follows.
	 */
	default void closed() {
	}

	/**
	 * How a wait ended.
	 */
	enum WaitOutcome {

		/** The record was handed over. */
		READY,

		/** The time or the attempts were used up. */
		TIMEOUT,

		/** Anything else. */
		FAILED

	}

}
