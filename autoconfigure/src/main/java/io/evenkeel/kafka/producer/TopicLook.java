package io.evenkeel.kafka.producer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Looks for a topic with a client that waits, for as long as the topic's own limits say:
 * the client has one {@code max.block.ms} for all, and none for topics that brokers do
 * not know.
 * <p>
 * <b>Threading.</b> Any thread. <b>Why.</b> The client is asked on a thread of its own,
 * which can be interrupted when the time is up. A topic that was found is asked for
 * directly as long as brokers have answered nothing new: the client has it at hand.
 */
final class TopicLook {

	private static final long SLICE = TimeUnit.MILLISECONDS.toNanos(100);

	private final Producer<?, ?> producer;

	private final ClusterEvidence evidence;

	private final ProducerRuntime runtime;

	private final Map<String, Long> found = new ConcurrentHashMap<>();

	/**
	 * Make one.
	 * @param producer the client
	 * @param evidence knows when brokers have answered
	 * @param runtime time and threads
	 */
	TopicLook(Producer<?, ?> producer, ClusterEvidence evidence, ProducerRuntime runtime) {
		this.producer = producer;
		this.evidence = evidence;
		this.runtime = runtime;
	}

	/**
	 * The number of the topic's partitions.
	 * @param topic the topic
	 * @param limits how long to wait for it
	 * @return the number, positive
	 * @throws TimeoutException if it was not found in time
	 */
	int partitions(String topic, TopicSettings limits) {
		Long foundAt = this.found.get(topic);
		if (foundAt != null && !this.evidence.answeredSince(foundAt)) {
			return this.producer.partitionsFor(topic).size();
		}
		int partitions = look(topic, limits);
		this.found.put(topic, this.runtime.clock().getAsLong());
		return partitions;
	}

	private int look(String topic, TopicSettings limits) {
		long start = this.runtime.clock().getAsLong();
		long end = start + limits.metadataTimeout().toNanos();
		long unknown = limits.unknownTopicLimit().toNanos();
		while (true) {
			FutureTask<Integer> look = new FutureTask<>(() -> this.producer.partitionsFor(topic).size());
			Thread thread = this.runtime.named("evenkeel-look").newThread(look);
			if (thread == null) {
				throw new IllegalStateException("The thread factory refused a thread");
			}
			thread.start();
			try {
				Integer partitions = await(look, start, unknown, end);
				if (partitions == null) {
					throw new TimeoutException("Topic " + topic + " was not found in time");
				}
				return partitions;
			}
			catch (InterruptedException ex) {
				throw new InterruptException(ex);
			}
			catch (ExecutionException ex) {
				// The client's own limit may be shorter than the topic's.
				boolean again = ex.getCause() instanceof TimeoutException && this.runtime.clock().getAsLong() - end < 0;
				if (!again) {
					throw (ex.getCause() instanceof RuntimeException cause) ? cause : new IllegalStateException(ex);
				}
			}
			finally {
				thread.interrupt();
			}
		}
	}

	/**
	 * Wait for an answer, or until it is clear that there will be none: the client asks
	 * again and again, so an answer since the middle of the wait was about this topic.
	 */
	private @Nullable Integer await(FutureTask<Integer> look, long start, long unknown, long end)
			throws InterruptedException, ExecutionException {
		while (true) {
			long now = this.runtime.clock().getAsLong();
			long wait = (now - start < unknown) ? start + unknown - now : SLICE;
			try {
				return look.get(Math.max(0, Math.min(wait, end - now)), TimeUnit.NANOSECONDS);
			}
			catch (java.util.concurrent.TimeoutException ex) {
				now = this.runtime.clock().getAsLong();
				boolean isUnknown = now - start >= unknown && this.evidence.answeredSince(start + unknown / 2);
				if (isUnknown || now - end >= 0) {
					return null;
				}
			}
		}
	}

}
