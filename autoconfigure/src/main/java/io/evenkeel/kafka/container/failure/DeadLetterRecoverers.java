package io.evenkeel.kafka.container.failure;

import io.evenkeel.kafka.thread.NanoClock;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;

/**
 * Makes the recoverers of an application's listeners that write to dead-letter topics.
 * They share one sender, and what is known of the dead-letter topics.
 */
public final class DeadLetterRecoverers implements AutoCloseable {

	private final DeadLetterSender sender;

	private final DeadLetterTopics topics;

	/**
	 * Make a source of recoverers.
	 * @param sender sends the dead letters
	 * @param admin looks for dead-letter topics and makes them; null when there is none
	 * @param clock the time that listeners go by
	 */
	public DeadLetterRecoverers(DeadLetterSender sender, @Nullable KafkaAdmin admin, NanoClock clock) {
		this.sender = sender;
		this.topics = new DeadLetterTopics(admin, clock);
	}

	/**
	 * A recoverer.
	 * @param suffix dead-letter topic = topic + suffix, same partition
	 * @return publishes; containers do not wait for the brokers, other callers do
	 */
	public ConsumerRecordRecoverer create(String suffix) {
		return new DeadLetters(this.sender, this.topics, suffix);
	}

	/** The application ends. */
	@Override
	public void close() {
		this.sender.close();
		this.topics.close();
	}

}
