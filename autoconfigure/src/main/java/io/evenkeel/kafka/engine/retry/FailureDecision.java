package io.evenkeel.kafka.engine.retry;

import java.time.Duration;

/**
 * What to do with a record whose handler call failed.
 */
public sealed interface FailureDecision {

	/**
	 * Call the handler again.
	 *
	 * @param after how long the record waits before, counted from the decision; at least
	 * 1 ms
	 */
	record Retry(Duration after) implements FailureDecision {

	}

	/**
	 * Call the handler no more and hand the record to its recovery.
	 */
	record Recover() implements FailureDecision {

	}

}
