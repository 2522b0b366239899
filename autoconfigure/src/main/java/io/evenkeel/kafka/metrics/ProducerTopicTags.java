package io.evenkeel.kafka.metrics;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps the number of values of the topic tag within bounds: the first topics keep their
 * name, the rest share one.
 * <p>
 * <b>Threading.</b> Any thread; the lock is taken only for a topic not seen before.
 */
final class ProducerTopicTags {

	static final String OTHER = "other";

	private final int limit;

	private final Set<String> known = ConcurrentHashMap.newKeySet();

	ProducerTopicTags(int limit) {
		this.limit = limit;
	}

	String tag(String topic) {
		if (this.known.contains(topic)) {
			return topic;
		}
		synchronized (this.known) {
			if (this.known.size() >= this.limit && !this.known.contains(topic)) {
				return OTHER;
			}
			this.known.add(topic);
			return topic;
		}
	}

}
