package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;
import java.util.function.IntSupplier;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.SlotHolder;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.micrometer.observation.Observation;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Failures under an error handler of the user's own, which takes the place of our retries
 * and recovery. Such handlers keep what they know of a record by thread, so all attempts
 * of one record are made in one loop on one worker. It has a slot while it calls the
 * listener, and none while it asks the handler, which may wait as long as it likes.
 */
final class UserErrorHandling<K, V> implements RecoveryWay<K, V> {

	private final CommonErrorHandler handler;

	private final ListenerCalls<K, V> calls;

	private final EvenkeelContainer<K, V> container;

	private final EngineObserver listener;

	private final AcknowledgmentMode mode;

	UserErrorHandling(CommonErrorHandler handler, ListenerCalls<K, V> calls, EvenkeelContainer<K, V> container,
			EngineObserver listener, AcknowledgmentMode mode) {
		this.listener = listener;
		this.mode = mode;
		this.handler = handler;
		this.calls = calls;
		this.container = container;
	}

	/**
	 * Let the user's handler decide until it is done with the record, on the worker that
	 * made the first call.
	 * @param attempt the call that failed
	 * @param acknowledgment the listener's
	 * @param failure why
	 * @return true when a later call succeeded, otherwise the attempt was answered
	 */
	boolean retried(Attempt<K, V> attempt, @Nullable Acknowledgment acknowledgment, Throwable failure) {
		try {
			Recovery recovery = decide(attempt.record(), failure, acknowledgment, attempt::nextNumber, attempt);
			if (recovery == Recovery.SUCCEEDED) {
				return true;
			}
			this.mode.handled(attempt);
		}
		catch (HandedOverException ex) {
			attempt.again(Duration.ZERO);
		}
		catch (RuntimeException ex) {
			// The handler itself failed: the engine comes back to it after a while.
			attempt.exhausted(failure);
		}
		return false;
	}

	/** Let the user's handler decide until it is done with the record. */
	@Override
	public void recover(RecoveryAttempt<K, V> recovery) {
		Delivery<ConsumerRecord<K, V>> delivery = recovery.delivery();
		recovery.ended(decide(recovery.record(), recovery.failure(), EndOfCall.INSTANCE, () -> {
			delivery.beginAttempt();
			return delivery.attempt();
		}, recovery));
	}

	/**
	 * Ask the user's handler once, for a call in a transaction: what it does not handle
	 * is rolled back and called again. To be followed by {@link #clear} on the same
	 * thread when the record has ended.
	 * @param record the record
	 * @param failure why its call failed
	 * @param holder has no slot afterwards: the handler may wait
	 * @return whether the handler is done with the record
	 */
	boolean isHandled(ConsumerRecord<K, V> record, Throwable failure, SlotHolder holder) {
		try {
			return handled(record, exception(record, failure), holder);
		}
		catch (HandedOverException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			throw new HandlerFailedException(ex);
		}
	}

	void calledAgain(ConsumerRecord<K, V> record) {
		this.listener.retried(record.topic());
	}

	/** Whatever the handler does here, the record has ended as it has. */
	void clear() {
		clear(this.handler, this.container.getListenerId());
	}

	static void clear(CommonErrorHandler handler, String id) {
		EndOfCalls.tell(id, "error handler", handler::clearThreadState);
	}

	private Recovery decide(ConsumerRecord<K, V> record, Throwable failure, @Nullable Acknowledgment acknowledgment,
			IntSupplier number, SlotHolder holder) {
		@Nullable Throwable last = failure;
		try {
			while (last != null) {
				if (handled(record, exception(record, last), holder)) {
					return Recovery.SKIPPED;
				}
				if (!holder.resume()) {
					throw new HandedOverException();
				}
				this.listener.retried(record.topic());
				last = this.calls.callAndWait(record, number.getAsInt(), acknowledgment);
			}
			return Recovery.SUCCEEDED;
		}
		finally {
			clear();
		}
	}

	/** The handler may wait, for the network or for a back-off: not with a slot. */
	private boolean handled(ConsumerRecord<K, V> record, Exception failure, SlotHolder holder) {
		holder.rest();
		// True of our calls only, not of those that a dead letter may get.
		CallHeaders.removeAttempt(record);
		MessageListenerContainer view = ContainerView.of(this.container, holder::isStopping);
		HandlerConsumer<K, V> consumer = new HandlerConsumer<>(this.calls.consumer(), record);
		try (Observation.Scope scope = CallObservation.scope(holder.kept())) {
			if (!this.handler.seeksAfterHandling()) {
				return this.handler.handleOne(failure, record, consumer.proxy(), view);
			}
			consumer.ask(() -> this.handler.handleRemaining(failure, List.of(record), consumer.proxy(), view));
		}
		Long target = consumer.target();
		if (target == null || target == record.offset() + 1) {
			return true;
		}
		if (target != record.offset()) {
			this.calls.consumer().seek(new TopicPartition(record.topic(), record.partition()), target);
			throw new HandedOverException();
		}
		return false;
	}

	static Exception exception(ConsumerRecord<?, ?> record, Throwable failure) {
		if (failure instanceof RecordDeserializationException) {
			return new ListenerExecutionFailedException("Listener failed", Poison.failure(record, failure));
		}
		return (failure instanceof Exception known) ? known
				: new ListenerExecutionFailedException("The listener failed with an error", failure);
	}

	/** The record is not ours to handle any more; its next owner handles it. */
	static final class HandedOverException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		HandedOverException() {
			super("The partition is being handed over", null, false, false);
		}

	}

	/** The handler itself failed. */
	static final class HandlerFailedException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		HandlerFailedException(Throwable cause) {
			super("The error handler failed", cause);
		}

	}

}
