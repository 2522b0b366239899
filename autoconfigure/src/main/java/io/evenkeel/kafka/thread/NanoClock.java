package io.evenkeel.kafka.thread;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The time that listeners go by: waits between attempts, drains, commits. A bean of this
 * type takes the place of the machine's, for tests that let time pass by hand.
 */
@FunctionalInterface
public interface NanoClock extends LongSupplier {

	/**
	 * The machine's.
	 */
	NanoClock SYSTEM = System::nanoTime;

	/**
	 * The time. Any thread.
	 * @return nanoseconds since some fixed moment, as {@link System#nanoTime()}; never
	 * less than an earlier answer to the same thread
	 */
	@Override
	long getAsLong();

	/**
	 * The time. Any thread.
	 * @return milliseconds since the same moment
	 */
	default long millis() {
		return TimeUnit.NANOSECONDS.toMillis(getAsLong());
	}

}
