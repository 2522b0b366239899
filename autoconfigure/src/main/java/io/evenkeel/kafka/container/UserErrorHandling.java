package io.evenkeel.kafka.container;

import java.util.List;

import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Failures under an error handler of the user's own, which takes the place of our retries
 * and recovery. Such handlers keep what they know of a record by thread, so all attempts
 * of one record are made in one loop on one worker; the others go on meanwhile.
 */
final class UserErrorHandling<K, V> {

	private final CommonErrorHandler handler;

	private final ListenerCalls<K, V> calls;

	private final MessageListenerContainer container;

	UserErrorHandling(CommonErrorHandler handler, ListenerCalls<K, V> calls, MessageListenerContainer container) {
		this.handler = handler;
		this.calls = calls;
		this.container = container;
	}

	/**
	 * Let the user's handler decide until it is done with the record.
	 * @param delivery the record, whose first call has failed
	 * @param failure why
	 * @return how it ended
	 */
	Recovery recover(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		ConsumerRecord<K, V> record = delivery.record();
		@Nullable Throwable last = failure;
		try {
			while (last != null) {
				if (handled(record, exception(last))) {
					return Recovery.SKIPPED;
				}
				if (delivery.assignment().isStopping()) {
					throw new IllegalStateException("The partition is being handed over");
				}
				last = this.calls.callAndWait(record, delivery.beginAttempt(), Acknowledged.INSTANCE);
			}
			return Recovery.SUCCEEDED;
		}
		finally {
			this.handler.clearThreadState();
		}
	}

	private boolean handled(ConsumerRecord<K, V> record, Exception failure) {
		Consumer<K, V> consumer = this.calls.consumer();
		if (this.handler instanceof DefaultErrorHandler || !this.handler.seeksAfterHandling()) {
			return this.handler.handleOne(failure, record, consumer, this.container);
		}
		this.handler.handleRemaining(failure, List.of(record), consumer, this.container);
		return true;
	}

	private Exception exception(Throwable failure) {
		return (failure instanceof Exception known) ? known
				: new ListenerExecutionFailedException("The listener failed with an error", failure);
	}

	/** In these attempts the success of the call is the acknowledgment. */
	private enum Acknowledged implements Acknowledgment {

		INSTANCE;

		@Override
		public void acknowledge() {
		}

		@Override
		public boolean isOutOfOrderCommit() {
			return true;
		}

	}

}
