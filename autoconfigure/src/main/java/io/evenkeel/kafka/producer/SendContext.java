package io.evenkeel.kafka.producer;

import java.util.function.LongSupplier;

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

		/** The client completed a record, so it has freed memory. */
		void completed(boolean success);

		/**
		 * Classify what the client said of a record that it had taken.
		 * @param exception the client's exception
		 * @param startedAt when the record was sent
		 * @return the diagnosis
		 */
		Diagnosis failed(Exception exception, long startedAt);

	}

}
