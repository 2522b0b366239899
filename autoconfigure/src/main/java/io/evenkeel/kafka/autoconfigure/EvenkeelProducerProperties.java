package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.producer.ProducerSettings.WhenFull;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.util.unit.DataSize;

/**
 * Properties of the sending producer.
 */
@ConfigurationProperties(EvenkeelProducerProperties.PREFIX)
public class EvenkeelProducerProperties {

	static final String PREFIX = "evenkeel.kafka.producer";

	/**
	 * Whether templates send through Evenkeel; otherwise they are Boot's own.
	 */
	private boolean enabled = true;

	/**
	 * Longest time from hand-over to acknowledgment, the client's 'delivery.timeout.ms'.
	 * By default what 'spring.kafka' sets, else 120s.
	 */
	private @Nullable Duration deliveryTimeout;

	private final Metadata metadata = new Metadata();

	private final Buffer buffer = new Buffer();

	private final FailFast failFast = new FailFast();

	private final Shutdown shutdown = new Shutdown();

	private final Startup startup = new Startup();

	/**
	 * Limits of single topics, by the name of the topic. A name with dots stands in
	 * brackets, as in 'topics[orders.v1].metadata.timeout'.
	 */
	private final Map<String, Topic> topics = new LinkedHashMap<>();

	public boolean isEnabled() {
		return this.enabled;
	}

	public void setEnabled(boolean enabled) {
		this.enabled = enabled;
	}

	public @Nullable Duration getDeliveryTimeout() {
		return this.deliveryTimeout;
	}

	public void setDeliveryTimeout(@Nullable Duration deliveryTimeout) {
		this.deliveryTimeout = deliveryTimeout;
	}

	public Metadata getMetadata() {
		return this.metadata;
	}

	public Buffer getBuffer() {
		return this.buffer;
	}

	public FailFast getFailFast() {
		return this.failFast;
	}

	public Shutdown getShutdown() {
		return this.shutdown;
	}

	public Startup getStartup() {
		return this.startup;
	}

	public Map<String, Topic> getTopics() {
		return this.topics;
	}

	/**
	 * The wait for a topic's metadata.
	 */
	public static class Metadata {

		/**
		 * Longest wait, per record, from send until it is handed to the client.
		 */
		private Duration timeout = Duration.ofSeconds(60);

		/**
		 * The same once brokers have answered that they know no such topic or partition.
		 * Never more than the timeout.
		 */
		private Duration unknownTopicTimeout = Duration.ofSeconds(10);

		private final Retry retry = new Retry();

		public Duration getTimeout() {
			return this.timeout;
		}

		public void setTimeout(Duration timeout) {
			this.timeout = timeout;
		}

		public Duration getUnknownTopicTimeout() {
			return this.unknownTopicTimeout;
		}

		public void setUnknownTopicTimeout(Duration unknownTopicTimeout) {
			this.unknownTopicTimeout = unknownTopicTimeout;
		}

		public Retry getRetry() {
			return this.retry;
		}

	}

	/**
	 * The waits between attempts.
	 */
	public static class Retry {

		/**
		 * First wait between attempts.
		 */
		private Duration initialInterval = Duration.ofMillis(100);

		/**
		 * Growth from one wait to the next, at least 1.
		 */
		private double multiplier = 2.0;

		/**
		 * Longest wait between attempts.
		 */
		private Duration maxInterval = Duration.ofSeconds(1);

		/**
		 * Random spread of each wait, as a share of it from 0 to 1.
		 */
		private double jitter = 0.2;

		/**
		 * Most attempts before the send fails. Unlimited by default.
		 */
		private @Nullable Integer maxAttempts;

		public Duration getInitialInterval() {
			return this.initialInterval;
		}

		public void setInitialInterval(Duration initialInterval) {
			this.initialInterval = initialInterval;
		}

		public double getMultiplier() {
			return this.multiplier;
		}

		public void setMultiplier(double multiplier) {
			this.multiplier = multiplier;
		}

		public Duration getMaxInterval() {
			return this.maxInterval;
		}

		public void setMaxInterval(Duration maxInterval) {
			this.maxInterval = maxInterval;
		}

		public double getJitter() {
			return this.jitter;
		}

		public void setJitter(double jitter) {
			this.jitter = jitter;
		}

		public @Nullable Integer getMaxAttempts() {
			return this.maxAttempts;
		}

		public void setMaxAttempts(@Nullable Integer maxAttempts) {
			this.maxAttempts = maxAttempts;
		}

	}

	/**
	 * What may wait.
	 */
	public static class Buffer {

		/**
		 * Most records that may wait over all topics.
		 */
		private int maxRecords = 10_000;

		/**
		 * Most bytes that may wait over all topics.
		 */
		private DataSize maxBytes = DataSize.ofMegabytes(16);

		/**
		 * What becomes of a send that finds no room there, or none in the client's
		 * 'buffer.memory'. On a thread that must not block it always fails.
		 */
		private WhenFull whenFull = WhenFull.WAIT;

		public int getMaxRecords() {
			return this.maxRecords;
		}

		public void setMaxRecords(int maxRecords) {
			this.maxRecords = maxRecords;
		}

		public DataSize getMaxBytes() {
			return this.maxBytes;
		}

		public void setMaxBytes(DataSize maxBytes) {
			this.maxBytes = maxBytes;
		}

		public WhenFull getWhenFull() {
			return this.whenFull;
		}

		public void setWhenFull(WhenFull whenFull) {
			this.whenFull = whenFull;
		}

	}

	/**
	 * Failing at once.
	 */
	public static class FailFast {

		/**
		 * How long sends to a topic fail at once after its wait timed out; 0 for not at
		 * all.
		 */
		private Duration openDuration = Duration.ofSeconds(5);

		public Duration getOpenDuration() {
			return this.openDuration;
		}

		public void setOpenDuration(Duration openDuration) {
			this.openDuration = openDuration;
		}

	}

	/**
	 * The end of the application.
	 */
	public static class Shutdown {

		/**
		 * Longest wait for pending sends when the application stops.
		 */
		private Duration timeout = Duration.ofSeconds(10);

		public Duration getTimeout() {
			return this.timeout;
		}

		public void setTimeout(Duration timeout) {
			this.timeout = timeout;
		}

	}

	/**
	 * The start of the application.
	 */
	public static class Startup {

		/**
		 * Topics that must exist when the application starts.
		 */
		private List<String> verifyTopics = new ArrayList<>();

		/**
		 * What to do when one of them is missing or cannot be looked up.
		 */
		private OnMissing onMissing = OnMissing.WARN;

		/**
		 * Longest time to look them up.
		 */
		private Duration timeout = Duration.ofSeconds(5);

		public List<String> getVerifyTopics() {
			return this.verifyTopics;
		}

		public void setVerifyTopics(List<String> verifyTopics) {
			this.verifyTopics = verifyTopics;
		}

		public OnMissing getOnMissing() {
			return this.onMissing;
		}

		public void setOnMissing(OnMissing onMissing) {
			this.onMissing = onMissing;
		}

		public Duration getTimeout() {
			return this.timeout;
		}

		public void setTimeout(Duration timeout) {
			this.timeout = timeout;
		}

	}

	/**
	 * What to do when a topic is missing at the start.
	 */
	public enum OnMissing {

		/**
		 * Log a warning.
		 */
		WARN,

		/**
		 * Stop the start.
		 */
		FAIL

	}

	/**
	 * Limits of one topic; what is not set is as for all topics.
	 */
	public static class Topic {

		private final TopicMetadata metadata = new TopicMetadata();

		private final TopicFailFast failFast = new TopicFailFast();

		public TopicMetadata getMetadata() {
			return this.metadata;
		}

		public TopicFailFast getFailFast() {
			return this.failFast;
		}

	}

	/**
	 * The wait for one topic's metadata.
	 */
	public static class TopicMetadata {

		/**
		 * Longest wait, per record, from send until it is handed to the client.
		 */
		private @Nullable Duration timeout;

		/**
		 * The same once brokers have answered that they know no such topic or partition.
		 * Never more than the timeout.
		 */
		private @Nullable Duration unknownTopicTimeout;

		private final TopicRetry retry = new TopicRetry();

		public @Nullable Duration getTimeout() {
			return this.timeout;
		}

		public void setTimeout(@Nullable Duration timeout) {
			this.timeout = timeout;
		}

		public @Nullable Duration getUnknownTopicTimeout() {
			return this.unknownTopicTimeout;
		}

		public void setUnknownTopicTimeout(@Nullable Duration unknownTopicTimeout) {
			this.unknownTopicTimeout = unknownTopicTimeout;
		}

		public TopicRetry getRetry() {
			return this.retry;
		}

	}

	/**
	 * The waits between attempts for one topic.
	 */
	public static class TopicRetry {

		/**
		 * First wait between attempts.
		 */
		private @Nullable Duration initialInterval;

		/**
		 * Growth from one wait to the next, at least 1.
		 */
		private @Nullable Double multiplier;

		/**
		 * Longest wait between attempts.
		 */
		private @Nullable Duration maxInterval;

		/**
		 * Random spread of each wait, as a share of it from 0 to 1.
		 */
		private @Nullable Double jitter;

		/**
		 * Most attempts before the send fails.
		 */
		private @Nullable Integer maxAttempts;

		public @Nullable Duration getInitialInterval() {
			return this.initialInterval;
		}

		public void setInitialInterval(@Nullable Duration initialInterval) {
			this.initialInterval = initialInterval;
		}

		public @Nullable Double getMultiplier() {
			return this.multiplier;
		}

		public void setMultiplier(@Nullable Double multiplier) {
			this.multiplier = multiplier;
		}

		public @Nullable Duration getMaxInterval() {
			return this.maxInterval;
		}

		public void setMaxInterval(@Nullable Duration maxInterval) {
			this.maxInterval = maxInterval;
		}

		public @Nullable Double getJitter() {
			return this.jitter;
		}

		public void setJitter(@Nullable Double jitter) {
			this.jitter = jitter;
		}

		public @Nullable Integer getMaxAttempts() {
			return this.maxAttempts;
		}

		public void setMaxAttempts(@Nullable Integer maxAttempts) {
			this.maxAttempts = maxAttempts;
		}

	}

	/**
	 * Failing at once for one topic.
	 */
	public static class TopicFailFast {

		/**
		 * How long sends to the topic fail at once after its wait timed out; 0 for not at
		 * all.
		 */
		private @Nullable Duration openDuration;

		public @Nullable Duration getOpenDuration() {
			return this.openDuration;
		}

		public void setOpenDuration(@Nullable Duration openDuration) {
			this.openDuration = openDuration;
		}

	}

}
