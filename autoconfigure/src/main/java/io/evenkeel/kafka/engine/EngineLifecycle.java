package io.evenkeel.kafka.engine;

import java.time.Duration;

import org.apache.kafka.clients.consumer.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes consumers for an engine and is told of its life. Called on the owner thread.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public interface EngineLifecycle<K, V> {

	/**
	 * Make a consumer.
	 * @return a new one, not yet subscribed
	 */
	Consumer<K, V> createConsumer();

	/**
	 * Subscribe or assign a new consumer.
	 * @param consumer the consumer
	 * @param rebalance to be given to the subscription
	 * @return true when partitions were assigned by hand, without a group
	 */
	boolean subscribe(Consumer<K, V> consumer, org.apache.kafka.clients.consumer.ConsumerRebalanceListener rebalance);

	/**
	 * The owner polls for the first time.
	 */
	default void started() {
	}

	/**
	 * The consumer failed and will be replaced.
	 * @param failure why
	 * @param after how long the engine waits before it makes a new one
	 */
	default void restarting(Throwable failure, Duration after) {
	}

	/**
	 * The brokers refuse this consumer.
	 * @param failure an authentication or authorization error
	 * @return how long to wait before polling again, null to stop
	 */
	default @Nullable Duration refused(RuntimeException failure) {
		return null;
	}

	/**
	 * A poll succeeded after the brokers had refused one.
	 */
	default void accepted() {
	}

	/**
	 * The engine is about to stop: the last record has ended or was given up, the
	 * consumer is still open.
	 * @param consumer the consumer
	 */
	default void stopping(Consumer<K, V> consumer) {
	}

	/**
	 * The engine has ended, its consumer is closed.
	 * @param cause why
	 * @param failure what led to it, null for a stop on request
	 */
	default void stopped(StopCause cause, @Nullable Throwable failure) {
	}

}
