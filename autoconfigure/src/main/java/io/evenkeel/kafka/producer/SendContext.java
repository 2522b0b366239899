package io.evenkeel.kafka.producer;

import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * What every send of a producer shares.
 *
 * @param clock nanoseconds, as {@link System#nanoTime()}
 * @param failures makes the exceptions
 * @param completions runs user code
 * @param open counts the sends that have not ended
 * @param observer hears of completions
 * @param outcomes hears of outcomes before the user does
 * @param interceptors the user's
 */
record SendContext(LongSupplier clock, Failures failures, CompletionThread completions, OpenSends open,
		SendObserver observer, Outcomes outcomes, Interceptors<?, ?> interceptors) {

	/**
	 * The producer's own view of outcomes; called by the client's I/O thread, so it must
	 * be quick.
	 */
	interface Outcomes {

		/**
		 * A client completed a record, so it has freed memory.
		 * @param success whether it was stored
		 * @param flight what the client has in hand; {@code null} if it had ended the
		 * record before, or has been given up
		 */
		void completed(boolean success, @Nullable InFlight flight);

		/**
		 * Classify what the client said of a record that it had taken.
		 * @param exception the client's exception
		 * @param startedAt when the record was sent
		 * @param flight what the client has in hand, as above
		 * @return the diagnosis
		 */
		Diagnosis failed(Exception exception, long startedAt, @Nullable InFlight flight);

		/**
		 * Whether a broker may hold a record although its delivery failed. Certain is
		 * only the refusal of a record that was offered to a broker once: of an earlier
		 * attempt the answer may have been lost.
		 * @param reason why it failed
		 * @param topic the topic
		 * @param flight what the client has in hand, as above
		 * @return false only if it is certain that none does
		 */
		default boolean possiblyStored(FailureReason reason, String topic, @Nullable InFlight flight) {
			return true;
		}

	}

}
