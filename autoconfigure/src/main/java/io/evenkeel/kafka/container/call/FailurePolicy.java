package io.evenkeel.kafka.container.call;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.IntFunction;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.Acknowledgment;

/**
 * What is done about calls that fail, and with records that are not to be called again:
 * what the settings say, what a user's error handler does, or either of them in a
 * transaction. Worker threads.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public interface FailurePolicy<K, V> {

	/** Whether calls are made by this, each in a transaction, and not beside it. */
	default boolean isTransactional() {
		return false;
	}

	/**
	 * Call the listener in a transaction until the attempt is answered.
	 * @param attempt to be answered
	 * @param listener calls the listener
	 */
	default void call(Attempt<K, V> attempt, Listener listener) {
		throw new IllegalStateException("Calls are not made in transactions");
	}

	/**
	 * Whether a user's error handler decides about failed calls. Such handlers keep what
	 * they know of a record by thread, so all its calls are made on one worker.
	 */
	default boolean isUsers() {
		return false;
	}

	/**
	 * Let the user's error handler decide until it is done with the records of a call, on
	 * the worker that made the first one.
	 * @param attempt the call that failed
	 * @param failure why
	 * @param call calls the listener again with the records from an index on: null after
	 * a success, otherwise why it failed
	 * @return true when a later call succeeded, otherwise the attempt was answered
	 */
	default boolean retried(Attempt<K, V> attempt, Throwable failure, IntFunction<@Nullable Throwable> call) {
		throw new IllegalStateException("There is no error handler of the user's");
	}

	/**
	 * Begin to end a record that is not to be called again. What is thrown says that it
	 * could not be ended yet.
	 * @param recovery to be answered once, now or later
	 */
	void recover(RecoveryAttempt<K, V> recovery);

	/**
	 * A call failed and is made again, as the settings say.
	 * @param delivery the record
	 * @param after how long it waits
	 * @param failure why
	 */
	default void retried(Delivery<ConsumerRecord<K, V>> delivery, Duration after, Throwable failure) {
	}

	/**
	 * A recovery has failed and is tried again.
	 * @param delivery the record
	 * @param failure why
	 */
	void recoveryFailed(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure);

	/**
	 * Calls a listener.
	 */
	@FunctionalInterface
	interface Listener {

		/**
		 * Call it, and wait until its work is over.
		 * @param acknowledgment for the listener, null when it is not to be given one
		 * @param around runs the call itself
		 * @return null after a success, otherwise why it failed
		 */
		@Nullable Throwable call(@Nullable Acknowledgment acknowledgment, Consumer<Runnable> around);

	}

}
