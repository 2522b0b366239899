package io.evenkeel.kafka.test;

/**
 * How a record ended for a listener.
 */
public enum Outcome {

	/** A call returned normally, or its future completed. */
	SUCCESS,
	/** It was given up and written to a dead-letter topic. */
	DEAD_LETTERED,
	/** It was given up, or never called for, and its offset has been committed. */
	SKIPPED

}
