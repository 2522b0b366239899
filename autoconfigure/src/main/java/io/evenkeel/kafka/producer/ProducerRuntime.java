package io.evenkeel.kafka.producer;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.thread.OwnThreads;

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
			() -> ThreadLocalRandom.current().nextDouble(),
			(task) -> OwnThreads.daemon("evenkeel-producer", null, task), ProducerRuntime::later);

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
	 * The JDK's thread for delays is begun by whoever needs it first and never ends: it
	 * must not inherit, and keep for good, the class loader of an application that is
	 * restarted inside its JVM.
	 */
	private static void later(long nanos, Runnable task) {
		Thread current = Thread.currentThread();
		ClassLoader loader = current.getContextClassLoader();
		current.setContextClassLoader(ClassLoader.getSystemClassLoader());
		try {
			CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, Runnable::run).execute(task);
		}
		finally {
			current.setContextClassLoader(loader);
		}
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
