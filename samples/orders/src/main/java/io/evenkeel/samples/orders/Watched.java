package io.evenkeel.samples.orders;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * State that threads change and others wait for. Threads: subclasses guard their state by
 * {@code this} and call {@link #changed()} after a change.
 */
abstract class Watched {

	/**
	 * Wait until the state is as expected.
	 * @param condition what is expected, evaluated under the lock
	 * @param limit the longest wait
	 * @return whether it came to be so within the limit
	 * @throws InterruptedException if the thread is interrupted
	 */
	final synchronized boolean await(BooleanSupplier condition, Duration limit) throws InterruptedException {
		long deadline = System.nanoTime() + limit.toNanos();
		while (!condition.getAsBoolean()) {
			long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
			if (left <= 0) {
				return false;
			}
			wait(left);
		}
		return true;
	}

	final synchronized void changed() {
		notifyAll();
	}

}
