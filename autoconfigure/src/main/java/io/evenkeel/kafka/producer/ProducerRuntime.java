package io.evenkeel.kafka.producer;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * Time, randomness and threads of the producers.
 *
 * @param clock nanoseconds, as {@link System#nanoTime()}
 * @param random numbers from 0 (inclusive) to 1 (exclusive)
 * @param threads makes threads; they are given names afterwards
 */
record ProducerRuntime(LongSupplier clock, DoubleSupplier random, ThreadFactory threads) {

	static final ProducerRuntime SYSTEM = new ProducerRuntime(System::nanoTime,
			() -> ThreadLocalRandom.current().nextDouble(), (task) -> {
				Thread thread = new Thread(task);
				thread.setDaemon(true);
				return thread;
			});

	ThreadFactory named(String name) {
		return (task) -> {
			Thread thread = this.threads.newThread(task);
			if (thread != null) {
				thread.setName(name);
			}
			return thread;
		};
	}

}
