package io.evenkeel.kafka.container.listener;

/**
 * What happens to a record whose attempts are exhausted.
 */
public enum OnExhausted {

	/**
	 * It is sent to its dead-letter topic, and is done when a broker has acknowledged it.
	 */
	DEAD_LETTER,

	/**
	 * It is given up, counted and logged.
	 */
	SKIP,

	/**
	 * The container stops; the record stays unfinished.
	 */
	STOP

}
