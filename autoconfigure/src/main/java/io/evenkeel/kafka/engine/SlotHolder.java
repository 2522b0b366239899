package io.evenkeel.kafka.engine;

import org.jspecify.annotations.Nullable;

/**
 * What holds a slot of the listener's concurrency, and can do without one while it waits
 * for something other than the listener. Its lane it keeps.
 *
 * <h2>Threading</h2> {@link #rest} and {@link #resume} only on the worker thread that it
 * was begun on, which stays inside it.
 */
public interface SlotHolder {

	/**
	 * Give up the slot: what follows waits. Nothing happens when it is given up already,
	 * or when very many threads wait without one.
	 */
	void rest();

	/**
	 * Wait for a slot after a {@link #rest}, to call the listener again. Its turn comes
	 * as that of any other lane, and not while the partition is paused.
	 * @return false when the assignment is being handed over: the listener must not be
	 * called, the record is its next owner's
	 */
	boolean resume();

	/**
	 * Whether the assignment is being handed over: a repetition would be dropped.
	 * @return true from the begin of a revoke on
	 */
	boolean isStopping();

	/**
	 * What was kept with the record when a call for it failed.
	 * @return null when there is nothing
	 */
	@Nullable Object kept();

}
