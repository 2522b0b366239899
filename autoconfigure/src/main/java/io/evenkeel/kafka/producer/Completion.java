package io.evenkeel.kafka.producer;

import org.jspecify.annotations.Nullable;

/**
 * A task for the completion thread, and its link in the queue: there is one per record,
 * so it brings its own.
 */
interface Completion extends Runnable {

	/**
	 * The next one.
	 * @return the next, {@code null} if this is the last or the next is just being linked
	 */
	@Nullable Completion next();

	/**
	 * Link the next one; everything written before is seen by whoever reads it.
	 * @param next the next, {@code null} to forget it
	 */
	void next(@Nullable Completion next);

}
