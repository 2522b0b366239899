package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Looks for a topic with a client that waits, for as long as the topic's own limit says:
 * the client has one {@code max.block.ms} for all.
 *
 * @param producer the client
 * @param maxBlock the client's own limit
 * @param runtime time and threads
 */
record TopicLook(Producer<?, ?> producer, Duration maxBlock, ProducerRuntime runtime) {

	/**
	 * The number of the topic's partitions.
	 * @param topic the topic
	 * @param limit how long to wait for it
	 * @return the number, positive
	 * @throws TimeoutException if it was not found in time
	 */
	int partitions(String topic, Duration limit) {
		if (limit.equals(this.maxBlock)) {
			return this.producer.partitionsFor(topic).size();
		}
		long end = this.runtime.clock().getAsLong() + limit.toNanos();
		while (true) {
			FutureTask<Integer> look = new FutureTask<>(() -> this.producer.partitionsFor(topic).size());
			Thread thread = this.runtime.named("evenkeel-look").newThread(look);
			if (thread == null) {
				throw new IllegalStateException("The thread factory refused a thread");
			}
			thread.start();
			try {
				return look.get(Math.max(0, end - this.runtime.clock().getAsLong()), TimeUnit.NANOSECONDS);
			}
			catch (java.util.concurrent.TimeoutException ex) {
				throw new TimeoutException("Topic " + topic + " was not found within " + Failures.simple(limit));
			}
			catch (InterruptedException ex) {
				throw new InterruptException(ex);
			}
			catch (ExecutionException ex) {
				boolean again = ex.getCause() instanceof TimeoutException && this.runtime.clock().getAsLong() - end < 0;
				if (!again) {
					throw (ex.getCause() instanceof RuntimeException cause) ? cause : new IllegalStateException(ex);
				}
			}
		}
	}

}
