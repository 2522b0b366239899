package io.evenkeel.kafka.producer.line;

/**
 * What the scheduler is to do with a line.
 */
enum Turn {

	/** Nothing yet. */
	WAIT,

	/** Look, because something has changed. */
	LOOK,

	/** Look, because the wait is over. */
	ATTEMPT,

	/** Fail the line: no attempt is left. */
	EXHAUSTED

}
