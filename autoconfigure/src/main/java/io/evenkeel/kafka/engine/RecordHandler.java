package io.evenkeel.kafka.engine;

import java.time.Duration;

import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;

/**
 * What the container does for the engine with records. Called on worker threads unless
 * said otherwise.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public interface RecordHandler<K, V> {

	/**
	 * Begin a call of the listener.
	 * @param attempt to be answered once, now or later
	 */
	void handle(Attempt<K, V> attempt);

	/**
	 * A call failed and will be made again. On the thread that says so, before the record
	 * waits; must not throw.
	 * @param delivery the record with its assignment and the number of the call
	 * @param after how long it waits
	 * @param failure why the call failed
	 */
	default void retried(Delivery<ConsumerRecord<K, V>> delivery, Duration after, Throwable failure) {
	}

	/**
	 * Begin to recover a record whose attempts are exhausted. What is thrown says that it
	 * failed: it is tried again later, and the record stays unfinished.
	 * @param recovery to be answered once, now or later
	 */
	void recover(RecoveryAttempt<K, V> recovery);

	/**
	 * A recovery failed and will be tried again. On the thread that says so.
	 * @param delivery the record with its assignment
	 * @param failures how many recoveries of it have failed so far
	 * @param failure why
	 */
	default void recoveryFailed(Delivery<ConsumerRecord<K, V>> delivery, int failures, Throwable failure) {
	}

	/**
	 * Why a record could not be deserialized, if it came nevertheless and must not be
	 * handed to the listener: it goes straight to its recovery. Owner thread.
	 * @param record as it was polled
	 * @return null for a record like any other
	 */
	default @Nullable Throwable poison(ConsumerRecord<K, V> record) {
		return null;
	}

	/**
	 * Make a record of one that could not be deserialized, for its recovery. Owner
	 * thread.
	 * @param failure what the client says
	 * @return a record without key and value
	 */
	ConsumerRecord<K, V> undeserializable(RecordDeserializationException failure);

	/**
	 * How a recovery ended.
	 */
	enum Recovery {

		/** The recovery called the listener again, and this time it succeeded. */
		SUCCEEDED,
		/** The record is given up, counted and logged. */
		SKIPPED,
		/** A broker acknowledged it in the dead-letter topic. */
		DEAD_LETTERED,
		/** The user wants the container to stop; the record stays unfinished. */
		STOP

	}

}
