package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * The limits of a sending producer.
 *
 * @param defaults the limits of every topic that has none of its own
 * @param topics the limits of single topics, by name
 * @param bufferMaxRecords the most records that may wait over all topics, positive
 * @param bufferMaxBytes the most bytes that may wait over all topics, positive
 * @param bufferWhenFull what becomes of a send that finds no room
 * @param deliveryTimeout from hand-over to acknowledgment, positive
 * @param shutdownTimeout the longest wait for pending sends when the producer is closed,
 * not negative
 */
public record ProducerSettings(TopicSettings defaults, Map<String, TopicSettings> topics, long bufferMaxRecords,
		long bufferMaxBytes, WhenFull bufferWhenFull, Duration deliveryTimeout,
		Duration shutdownTimeout) implements ProducerLimits {

	/**
	 * The settings of the contract.
	 */
	public static final ProducerSettings DEFAULTS = new ProducerSettings(TopicSettings.DEFAULTS, Map.of(), 10_000,
			16 * 1024 * 1024, WhenFull.WAIT, Duration.ofSeconds(120), Duration.ofSeconds(10));

	/**
	 * Copy the map.
	 */
	public ProducerSettings {
		topics = Map.copyOf(topics);
	}

	/**
	 * The limits of a topic.
	 * @param topic the topic
	 * @return its own or the general ones
	 */
	public TopicSettings topic(String topic) {
		return this.topics.getOrDefault(topic, this.defaults);
	}

	/**
	 * The longest metadata timeout of any topic.
	 * @return the time, positive
	 */
	public Duration longestMetadataTimeout() {
		Duration longest = this.defaults.metadataTimeout();
		for (TopicSettings topic : this.topics.values()) {
			longest = (topic.metadataTimeout().compareTo(longest) > 0) ? topic.metadataTimeout() : longest;
		}
		return longest;
	}

	/**
	 * By when the slowest send has ended, counted from its call.
	 * @return the time, positive
	 */
	Duration longestDeadline() {
		return longestMetadataTimeout().plus(this.deliveryTimeout).plus(InFlight.GRACE);
	}

	/**
	 * The same with another delivery timeout.
	 * @param timeout the timeout, positive
	 * @return the settings
	 */
	public ProducerSettings withDeliveryTimeout(Duration timeout) {
		return new ProducerSettings(this.defaults, this.topics, this.bufferMaxRecords, this.bufferMaxBytes,
				this.bufferWhenFull, timeout, this.shutdownTimeout);
	}

	/**
	 * The same with another metadata timeout for topics that have none of their own.
	 * @param timeout the timeout, positive
	 * @return the settings
	 */
	public ProducerSettings withMetadataTimeout(Duration timeout) {
		return new ProducerSettings(this.defaults.withMetadataTimeout(timeout), this.topics, this.bufferMaxRecords,
				this.bufferMaxBytes, this.bufferWhenFull, this.deliveryTimeout, this.shutdownTimeout);
	}

	/**
	 * As limits the settings leave the topics in their map alone.
	 */
	@Override
	public ProducerSettings settings(@Nullable Duration maxBlock) {
		return (maxBlock != null) ? withMetadataTimeout(maxBlock) : this;
	}

	/**
	 * The limits of one topic.
	 *
	 * @param metadataTimeout the longest wait, per record, from the call of send until
	 * hand-over, positive
	 * @param unknownTopicTimeout the same once brokers have answered that they know no
	 * such topic or partition, positive; above the metadata timeout it has no effect
	 * @param initialInterval the first wait between attempts, positive
	 * @param multiplier the growth of the waits, at least 1
	 * @param maxInterval the longest wait between attempts, positive
	 * @param jitter the spread of the waits, 0 to 1
	 * @param maxAttempts the most attempts, at least 1; {@link Integer#MAX_VALUE} for no
	 * limit
	 * @param failFastOpenDuration how long sends fail at once after a wait timed out;
	 * zero for not at all
	 */
	public record TopicSettings(Duration metadataTimeout, Duration unknownTopicTimeout, Duration initialInterval,
			double multiplier, Duration maxInterval, double jitter, int maxAttempts, Duration failFastOpenDuration) {

		/**
		 * The settings of the contract.
		 */
		public static final TopicSettings DEFAULTS = new TopicSettings(Duration.ofSeconds(60), Duration.ofSeconds(10),
				Duration.ofMillis(100), 2.0, Duration.ofSeconds(1), 0.2, Integer.MAX_VALUE, Duration.ofSeconds(5));

		TopicSettings withMetadataTimeout(Duration timeout) {
			return new TopicSettings(timeout, this.unknownTopicTimeout, this.initialInterval, this.multiplier,
					this.maxInterval, this.jitter, this.maxAttempts, this.failFastOpenDuration);
		}

		/** How long a topic that brokers do not know is waited for. */
		Duration unknownTopicLimit() {
			return (this.unknownTopicTimeout.compareTo(this.metadataTimeout) < 0) ? this.unknownTopicTimeout
					: this.metadataTimeout;
		}

	}

	/**
	 * What becomes of a send that finds no room, in the waiting lines or in the client's
	 * memory.
	 */
	public enum WhenFull {

		/**
		 * Its caller is held until there is room, at most for the metadata timeout;
		 * unless its thread must not block.
		 */
		WAIT,

		/**
		 * It fails at once.
		 */
		FAIL

	}

}
