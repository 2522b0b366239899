package io.evenkeel.kafka.producer;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * Time, randomness and threads of the producers.
 *
 * @param clock nanoseconds, as {@link System#nanoTime()}
 * @param random numbers from 0 (inclusive) to 1 (exclusive)
 * @param threads makes threads; they are given names afterwards
 * @param later runs something small after a while
 */
record ProducerRuntime(LongSupplier clock, DoubleSupplier random, ThreadFactory threads, Later later) {

	static final ProducerRuntime SYSTEM = new ProducerRuntime(System::nanoTime,
			() -> ThreadLocalRandom.current().nextDouble(), (task) -> {
				Thread thread = new Thread(task);
				thread.setDaemon(true);
				return thread;
			}, (nanos, task) -> CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, Runnable::run)
				.execute(task));

	ThreadFactory named(String name) {
		return (task) -> {
			Thread thread = this.threads.newThread(task);
			if (thread != null) {
				thread.setName(name);
			}
			return thread;
		};
	}

	/**
	 * Runs something small after a while.
	 */
	@FunctionalInterface
	interface Later {

		/**
		 * Run a task.
		 * @param nanos after how long, in nanoseconds
		 * @param task what to run; must be quick
		 */
		void after(long nanos, Runnable task);

	}

}
