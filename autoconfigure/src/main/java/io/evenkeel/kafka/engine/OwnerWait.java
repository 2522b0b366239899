package io.evenkeel.kafka.engine;

/**
 * How the owner waits when it cannot poll: for completions in a drain, between two tries
 * of a commit. In production it parks; a simulation lets its world go on instead.
 */
@FunctionalInterface
interface OwnerWait {

	/**
	 * Wait until something may have changed, or the time is over. May return early.
	 * @param nanos the longest wait in nanoseconds
	 */
	void await(long nanos);

	/**
	 * Wait until somebody signals, or the time is over. Records that end wake nobody:
	 * there are too many of them. May return early.
	 * @param nanos the longest wait in nanoseconds
	 */
	default void awaitSignal(long nanos) {
		await(nanos);
	}

}
