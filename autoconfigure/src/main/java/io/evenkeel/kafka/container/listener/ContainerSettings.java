package io.evenkeel.kafka.container.listener;

import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;

import io.evenkeel.kafka.engine.OnDrainTimeout;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.jspecify.annotations.Nullable;

/**
 * What the properties under {@code evenkeel.kafka.consumer} say for one listener. Values
 * are validated before they come here.
 *
 * @param ordering which records must be handled one after the other
 * @param concurrency the most handler calls at once; null when the annotation or
 * {@code spring.kafka.listener.concurrency} decides
 * @param maxPendingRecords the most records held
 * @param maxPendingBytes the most bytes held, by serialized size
 * @param commitInterval the longest time between a completion and its commit
 * @param commitTimeout the longest wait for a commit's answer in a revoke or stop
 * @param saveCompleted whether records completed out of order are kept in the commit
 * @param drainTimeout how long a revoke or stop waits for records in hand
 * @param onDrainTimeout what happens to those that take longer
 * @param retry how often and when a failed record is tried again
 * @param notRetryable exceptions not worth a retry, beside spring-kafka's own
 * @param onExhausted what happens when the attempts are exhausted
 * @param topicSuffix dead-letter topic = topic + suffix
 * @param createTopics whether a missing dead-letter topic is created
 * @param restartInitial the first wait before a failed consumer is rebuilt
 * @param restartMax the longest such wait
 * @param handler what is watched of the handler's calls
 * @param names gives the full name of the property that has set a value, by its name
 * below the prefix
 */
public record ContainerSettings(Ordering ordering, @Nullable Integer concurrency, int maxPendingRecords,
		long maxPendingBytes, Duration commitInterval, Duration commitTimeout, boolean saveCompleted,
		Duration drainTimeout, OnDrainTimeout onDrainTimeout, RetrySettings retry,
		List<Class<? extends Throwable>> notRetryable, OnExhausted onExhausted, String topicSuffix,
		boolean createTopics, Duration restartInitial, Duration restartMax, HandlerSettings handler,
		UnaryOperator<String> names) {

	private static final String PREFIX = "evenkeel.kafka.consumer.";

	/**
	 * The same without what a test could not foresee: commits are made at once, waits
	 * between attempts are not spread, and no topic is made.
	 * @return for tests without a broker
	 */
	public ContainerSettings predictable() {
		RetrySettings steady = new RetrySettings(this.retry.maxAttempts(), this.retry.initialInterval(),
				this.retry.multiplier(), this.retry.maxInterval(), 0);
		return new ContainerSettings(this.ordering, this.concurrency, this.maxPendingRecords, this.maxPendingBytes,
				Duration.ofNanos(1), this.commitTimeout, this.saveCompleted, this.drainTimeout, this.onDrainTimeout,
				steady, this.notRetryable, this.onExhausted, this.topicSuffix, false, this.restartInitial,
				this.restartMax, this.handler, this.names);
	}

	/**
	 * The settings of a listener that nobody tuned.
	 * @return the documented defaults
	 */
	public static ContainerSettings defaults() {
		return new ContainerSettings(Ordering.PARTITION, null, 100_000, 64L * 1024 * 1024, Duration.ofSeconds(1),
				Duration.ofSeconds(5), true, Duration.ofSeconds(10), OnDrainTimeout.ABANDON, RetrySettings.defaults(),
				List.of(), OnExhausted.DEAD_LETTER, "-dlt", true, Duration.ofSeconds(1), Duration.ofSeconds(30),
				HandlerSettings.defaults(), (name) -> PREFIX + name);
	}

}
