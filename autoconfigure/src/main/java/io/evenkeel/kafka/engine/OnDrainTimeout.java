package io.evenkeel.kafka.engine;

/**
 * What happens to a handler that is still running when the drain timeout of a revoke or a
 * stop has passed.
 */
public enum OnDrainTimeout {

	/**
	 * It runs on, and its result counts for nothing.
	 */
	ABANDON,

	/**
	 * Its thread is interrupted as well.
	 */
	INTERRUPT

}
