package io.evenkeel.kafka.container.call;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Times listener calls under spring-kafka's name, {@code spring.kafka.listener}. Worker
 * threads.
 */
public interface CallTimer {

	/** Without Micrometer, or where observations do the timing. */
	CallTimer NONE = new CallTimer() {
	};

	default @Nullable Object start() {
		return null;
	}

	default void success(@Nullable Object sample, ConsumerRecord<?, ?> record) {
	}

	default void failure(@Nullable Object sample, ConsumerRecord<?, ?> record, Throwable failure) {
	}

}
