package io.evenkeel.kafka.container;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.core.KafkaAdmin;

/**
 * Makes missing dead-letter topics, with as many partitions as their source, so that a
 * record finds its own partition there. Each is asked for once, and again after a dead
 * letter could not be sent. Any thread.
 */
final class DeadLetterTopics {

	private static final Logger logger = LoggerFactory.getLogger(DeadLetterTopics.class);

	private final @Nullable KafkaAdmin admin;

	private final String suffix;

	private final Set<String> known = ConcurrentHashMap.newKeySet();

	/**
	 * Make a keeper of dead-letter topics.
	 * @param admin null when topics are not to be made
	 * @param suffix dead-letter topic = topic + suffix
	 */
	DeadLetterTopics(@Nullable KafkaAdmin admin, String suffix) {
		this.admin = admin;
		this.suffix = suffix;
	}

	String suffix() {
		return this.suffix;
	}

	/**
	 * See to it that the dead-letter topic exists.
	 * @param source the topic that the record came from
	 * @throws KafkaException when the cluster cannot be asked
	 */
	void ensure(String source) {
		if (this.admin == null || this.known.contains(source)) {
			return;
		}
		String topic = source + this.suffix;
		if (!exists(this.admin, topic)) {
			Map<String, TopicDescription> description = this.admin.describeTopics(source);
			TopicDescription described = description.get(source);
			if (described == null) {
				throw new KafkaException("Topic " + source + " cannot be described");
			}
			int partitions = described.partitions().size();
			this.admin.createOrModifyTopics(new NewTopic(topic, Optional.of(partitions), Optional.empty()));
			logger.info("Created dead-letter topic {} with {} partition(s), as many as {}", topic, partitions, source);
		}
		this.known.add(source);
	}

	/**
	 * A dead letter could not be sent: the topic may be gone, so it is looked for again.
	 * @param source the topic that the record came from
	 */
	void forget(String source) {
		this.known.remove(source);
	}

	private static boolean exists(KafkaAdmin admin, String topic) {
		try {
			return admin.describeTopics(topic).containsKey(topic);
		}
		catch (KafkaException ex) {
			return false;
		}
	}

}
