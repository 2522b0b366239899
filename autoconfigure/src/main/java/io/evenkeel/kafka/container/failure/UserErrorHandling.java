package io.evenkeel.kafka.container.failure;

import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.call.AcknowledgmentMode;
import io.evenkeel.kafka.container.call.CallHeaders;
import io.evenkeel.kafka.container.call.CallObservation;
import io.evenkeel.kafka.container.call.EndOfCall;
import io.evenkeel.kafka.container.call.FailurePolicy;
import io.evenkeel.kafka.container.call.ListenerCalls;
import io.evenkeel.kafka.container.listener.EndOfCalls;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.container.listener.ListenerFailures;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.SlotHolder;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.micrometer.observation.Observation;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Failures under an error handler of the user's own, which takes the place of our retries
 * and recovery. See {@link Redelivery} for how they are called again.
 */
public final class UserErrorHandling<K, V> implements FailurePolicy<K, V> {

	private final CommonErrorHandler handler;

	private final ListenerCalls<K, V> calls;

	private final ListenerContext context;

	private final EngineObserver listener;

	private final AcknowledgmentMode mode;

	private final Recoverer<K, V> recoverer;

	public UserErrorHandling(CommonErrorHandler handler, ListenerCalls<K, V> calls, ListenerContext context,
			EngineObserver listener, AcknowledgmentMode mode, Recoverer<K, V> recoverer) {
		this.listener = listener;
		this.mode = mode;
		this.handler = handler;
		this.calls = calls;
		this.context = context;
		this.recoverer = recoverer;
	}

	@Override
	public boolean isUsers() {
		return true;
	}

	@Override
	public boolean retried(Attempt<K, V> attempt, Throwable failure, IntFunction<@Nullable Throwable> call) {
		try {
			Redelivery.End end = decide(attempt.record(), failure, attempt, () -> {
				attempt.nextNumber();
				return call.apply(0);
			});
			switch (end) {
				case SUCCEEDED -> {
					return true;
				}
				case DONE -> this.mode.handled(attempt);
				case HANDED_OVER -> attempt.again(Duration.ZERO);
			}
		}
		catch (Redelivery.HandedOverException ex) {
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
		Redelivery.End end = decide(recovery.record(), recovery.failure(), recovery, () -> {
			delivery.beginAttempt();
			return this.calls.callAndWait(recovery.record(), delivery.attempt(), EndOfCall.INSTANCE);
		});
		if (end == Redelivery.End.HANDED_OVER) {
			throw new Redelivery.HandedOverException();
		}
		recovery.ended((end == Redelivery.End.SUCCEEDED) ? Recovery.SUCCEEDED : Recovery.SKIPPED);
	}

	@Override
	public void retried(Delivery<ConsumerRecord<K, V>> delivery, Duration after, Throwable failure) {
		this.recoverer.retried(delivery, after, failure);
	}

	@Override
	public void recoveryFailed(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		this.recoverer.recoveryFailed(delivery, failure);
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
		holder.rest();
		try {
			return handled(record, Redelivery.exception(record, failure), holder);
		}
		catch (Redelivery.HandedOverException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			throw new Redelivery.HandlerFailedException(ex);
		}
	}

	void calledAgain(ConsumerRecord<K, V> record) {
		this.listener.retried(record.topic());
	}

	/** Whatever the handler does here, the record has ended as it has. */
	void clear() {
		EndOfCalls.tell(this.context.id(), "error handler", this.handler::clearThreadState);
	}

	private Redelivery.End decide(ConsumerRecord<K, V> record, Throwable failure, SlotHolder holder,
			Supplier<@Nullable Throwable> call) {
		try {
			return Redelivery.run(holder, failure,
					(last) -> handled(record, Redelivery.exception(record, last), holder), () -> calledAgain(record),
					call);
		}
		finally {
			clear();
		}
	}

	private boolean handled(ConsumerRecord<K, V> record, Exception failure, SlotHolder holder) {
		// True of our calls only, not of those that a dead letter may get.
		CallHeaders.removeAttempt(record);
		MessageListenerContainer view = ContainerView.of(this.context.container(), holder::isStopping);
		SeekRecordingConsumer<K, V> consumer = new SeekRecordingConsumer<>(this.calls.consumer(), record);
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
			throw new Redelivery.HandedOverException();
		}
		return false;
	}

}
