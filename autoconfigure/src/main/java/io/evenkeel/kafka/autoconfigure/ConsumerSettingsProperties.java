package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.evenkeel.kafka.container.listener.OnExhausted;
import io.evenkeel.kafka.engine.OnDrainTimeout;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/**
 * What can be set for all listeners and for each one.
 */
public class ConsumerSettingsProperties {

	/**
	 * Which records of a partition are handled one after the other.
	 */
	private Ordering ordering = Ordering.PARTITION;

	/**
	 * Most handler calls at once for a listener, 1 to 10000. By default the concurrency
	 * of the annotation, else 'spring.kafka.listener.concurrency', else 1.
	 */
	private @Nullable Integer concurrency;

	/**
	 * Most records held by a listener: queued, in hand and waiting for a retry. Those
	 * that wait for their acknowledgment only do not count.
	 */
	private int maxPendingRecords = 100_000;

	/**
	 * Most bytes held by a listener, by the serialized size of the same records.
	 */
	private DataSize maxPendingBytes = DataSize.ofMegabytes(64);

	private final Commit commit = new Commit();

	private final Rebalance rebalance = new Rebalance();

	private final Retry retry = new Retry();

	private final Recovery recovery = new Recovery();

	private final Restart restart = new Restart();

	private final Handler handler = new Handler();

	public Ordering getOrdering() {
		return this.ordering;
	}

	public void setOrdering(Ordering ordering) {
		this.ordering = ordering;
	}

	public @Nullable Integer getConcurrency() {
		return this.concurrency;
	}

	public void setConcurrency(@Nullable Integer concurrency) {
		this.concurrency = concurrency;
	}

	public int getMaxPendingRecords() {
		return this.maxPendingRecords;
	}

	public void setMaxPendingRecords(int maxPendingRecords) {
		this.maxPendingRecords = maxPendingRecords;
	}

	public DataSize getMaxPendingBytes() {
		return this.maxPendingBytes;
	}

	public void setMaxPendingBytes(DataSize maxPendingBytes) {
		this.maxPendingBytes = maxPendingBytes;
	}

	public Commit getCommit() {
		return this.commit;
	}

	public Rebalance getRebalance() {
		return this.rebalance;
	}

	public Retry getRetry() {
		return this.retry;
	}

	public Recovery getRecovery() {
		return this.recovery;
	}

	public Restart getRestart() {
		return this.restart;
	}

	public Handler getHandler() {
		return this.handler;
	}

	/**
	 * Commits.
	 */
	public static class Commit {

		/**
		 * Longest time between a completion and its commit.
		 */
		private Duration interval = Duration.ofSeconds(1);

		/**
		 * Longest wait for a commit's answer in a revoke or stop.
		 */
		private Duration timeout = Duration.ofSeconds(5);

		/**
		 * Whether records completed out of order are kept in the commit's metadata, so
		 * that a new owner skips them.
		 */
		private boolean saveCompleted = true;

		public Duration getInterval() {
			return this.interval;
		}

		public void setInterval(Duration interval) {
			this.interval = interval;
		}

		public Duration getTimeout() {
			return this.timeout;
		}

		public void setTimeout(Duration timeout) {
			this.timeout = timeout;
		}

		public boolean isSaveCompleted() {
			return this.saveCompleted;
		}

		public void setSaveCompleted(boolean saveCompleted) {
			this.saveCompleted = saveCompleted;
		}

	}

	/**
	 * Rebalances.
	 */
	public static class Rebalance {

		/**
		 * How long a revoke or stop waits for records in hand; at most a third of
		 * 'max.poll.interval.ms'.
		 */
		private Duration drainTimeout = Duration.ofSeconds(10);

		/**
		 * What happens to a handler that is still running then.
		 */
		private OnDrainTimeout onDrainTimeout = OnDrainTimeout.ABANDON;

		public Duration getDrainTimeout() {
			return this.drainTimeout;
		}

		public void setDrainTimeout(Duration drainTimeout) {
			this.drainTimeout = drainTimeout;
		}

		public OnDrainTimeout getOnDrainTimeout() {
			return this.onDrainTimeout;
		}

		public void setOnDrainTimeout(OnDrainTimeout onDrainTimeout) {
			this.onDrainTimeout = onDrainTimeout;
		}

	}

	/**
	 * Retries of failed records.
	 */
	public static class Retry {

		/**
		 * Calls per record, the first included.
		 */
		private int maxAttempts = 5;

		/**
		 * Wait before the second call.
		 */
		private Duration initialInterval = Duration.ofMillis(500);

		/**
		 * How much longer each further wait is, at least 1.
		 */
		private double multiplier = 2.0;

		/**
		 * Longest wait.
		 */
		private Duration maxInterval = Duration.ofSeconds(30);

		/**
		 * How far a wait may lie from its value, as a part of it, 0 to 1.
		 */
		private double jitter = 0.2;

		/**
		 * Exceptions not worth a retry, beside spring-kafka's own fatal ones.
		 */
		private List<Class<? extends Throwable>> notRetryable = new ArrayList<>();

		public int getMaxAttempts() {
			return this.maxAttempts;
		}

		public void setMaxAttempts(int maxAttempts) {
			this.maxAttempts = maxAttempts;
		}

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

		public List<Class<? extends Throwable>> getNotRetryable() {
			return this.notRetryable;
		}

		public void setNotRetryable(List<Class<? extends Throwable>> notRetryable) {
			this.notRetryable = notRetryable;
		}

	}

	/**
	 * Records whose attempts are exhausted.
	 */
	public static class Recovery {

		/**
		 * What happens to them.
		 */
		private OnExhausted onExhausted = OnExhausted.DEAD_LETTER;

		/**
		 * Dead-letter topic = topic + suffix.
		 */
		private String topicSuffix = "-dlt";

		/**
		 * Whether a missing dead-letter topic is created, with the partition count of its
		 * source.
		 */
		private boolean createTopics = true;

		public OnExhausted getOnExhausted() {
			return this.onExhausted;
		}

		public void setOnExhausted(OnExhausted onExhausted) {
			this.onExhausted = onExhausted;
		}

		public String getTopicSuffix() {
			return this.topicSuffix;
		}

		public void setTopicSuffix(String topicSuffix) {
			this.topicSuffix = topicSuffix;
		}

		public boolean isCreateTopics() {
			return this.createTopics;
		}

		public void setCreateTopics(boolean createTopics) {
			this.createTopics = createTopics;
		}

	}

	/**
	 * Calls of the handler that take long.
	 */
	public static class Handler {

		/**
		 * How long a call takes before it is warned of, with the stack of its thread; 0
		 * switches it off.
		 */
		private Duration warnAfter = Duration.ofMinutes(1);

		/**
		 * How long a call may take before its thread is interrupted and it counts as
		 * failed. By default it may take for ever.
		 */
		private @Nullable Duration timeout;

		public Duration getWarnAfter() {
			return this.warnAfter;
		}

		public void setWarnAfter(Duration warnAfter) {
			this.warnAfter = warnAfter;
		}

		public @Nullable Duration getTimeout() {
			return this.timeout;
		}

		public void setTimeout(@Nullable Duration timeout) {
			this.timeout = timeout;
		}

	}

	/**
	 * Rebuilding a failed consumer.
	 */
	public static class Restart {

		/**
		 * First wait before a failed consumer is rebuilt.
		 */
		private Duration initialInterval = Duration.ofSeconds(1);

		/**
		 * Longest such wait.
		 */
		private Duration maxInterval = Duration.ofSeconds(30);

		public Duration getInitialInterval() {
			return this.initialInterval;
		}

		public void setInitialInterval(Duration initialInterval) {
			this.initialInterval = initialInterval;
		}

		public Duration getMaxInterval() {
			return this.maxInterval;
		}

		public void setMaxInterval(Duration maxInterval) {
			this.maxInterval = maxInterval;
		}

	}

}
