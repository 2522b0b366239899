package io.evenkeel.kafka.producer;

import java.util.concurrent.ConcurrentHashMap;

import org.apache.kafka.common.errors.InvalidMetadataException;
import org.jspecify.annotations.Nullable;

/**
 * What the client has said of topics that it does not find. It tells whoever asks right
 * after an answer about that topic, and has forgotten it with the next answer about
 * another one; here it is kept until the topic is found.
 * <p>
 * <b>Threading.</b> Any thread. At most so many topics are kept: a program that makes up
 * names fills no memory.
 */
final class TopicErrors {

	private static final int MOST = 1_000;

	private final ConcurrentHashMap<String, Exception> errors = new ConcurrentHashMap<>();

	/**
	 * The client threw when it was asked for a topic.
	 * @param topic the topic
	 * @param thrown what it threw; what the brokers said is its cause
	 */
	void note(String topic, Exception thrown) {
		if (thrown.getCause() instanceof InvalidMetadataException said
				&& (this.errors.size() < MOST || this.errors.containsKey(topic))) {
			this.errors.put(topic, said);
		}
	}

	/** The topic is there. */
	void forget(String topic) {
		if (!this.errors.isEmpty()) {
			this.errors.remove(topic);
		}
	}

	@Nullable Exception missing(String topic) {
		return this.errors.get(topic);
	}

}
