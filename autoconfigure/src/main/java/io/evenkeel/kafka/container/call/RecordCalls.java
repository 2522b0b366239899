package io.evenkeel.kafka.container.call;

import java.time.Duration;

import io.evenkeel.kafka.container.listener.ListenerFailures;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecordHandler;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Handles the records of a listener of single records: calls it, and tells the engine how
 * the call ended. Worker threads.
 */
public final class RecordCalls<K, V> implements RecordHandler<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(RecordCalls.class);

	private final String id;

	private final ListenerCalls<K, V> calls;

	private final AcknowledgmentMode mode;

	private final FailurePolicy<K, V> policy;

	public RecordCalls(String id, ListenerCalls<K, V> calls, AcknowledgmentMode mode, FailurePolicy<K, V> policy) {
		this.id = id;
		this.calls = calls;
		this.mode = mode;
		this.policy = policy;
	}

	@Override
	public void handle(Attempt<K, V> attempt) {
		if (this.policy.isTransactional()) {
			this.policy.call(attempt, (acknowledgment, around) -> this.calls.callAndWait(attempt.record(),
					attempt.number(), acknowledgment, around));
			return;
		}
		Acknowledgment acknowledgment = this.mode.acknowledgment(attempt);
		Thread worker = Thread.currentThread();
		this.calls.call(attempt.record(), attempt.number(), acknowledgment,
				(failure, call) -> over(attempt, acknowledgment, failure, call, worker));
	}

	private void over(Attempt<K, V> attempt, @Nullable Acknowledgment acknowledgment, @Nullable Throwable failure,
			CallObservation call, Thread worker) {
		if (failure != null) {
			if (call.isObserved()) {
				attempt.keep(call);
			}
			failed(attempt, acknowledgment, failure, worker);
		}
		else {
			this.mode.succeeded(attempt, acknowledgment);
		}
	}

	private void failed(Attempt<K, V> attempt, @Nullable Acknowledgment acknowledgment, Throwable failure,
			Thread worker) {
		Duration early = RetryTopicDelay.remaining(failure);
		if (early != null) {
			attempt.again(early);
		}
		else if (this.policy.isUsers()) {
			// A thread that completes a future is not ours to sleep on.
			if (Thread.currentThread() != worker) {
				attempt.exhausted(failure);
			}
			else if (this.policy.retried(attempt, failure,
					(from) -> this.calls.callAndWait(attempt.record(), attempt.number(), acknowledgment))) {
				this.mode.succeeded(attempt, acknowledgment);
			}
		}
		else if (this.mode.isManual() && attempt.isDone()) {
			logger.warn("{}: the listener acknowledged {}-{}@{} and failed after that; it counts as done: {}", this.id,
					attempt.record().topic(), attempt.record().partition(), attempt.record().offset(),
					ListenerFailures.types(failure));
			attempt.failed(failure);
		}
		else {
			logger.debug("{}: call {} for {}-{}@{} failed ({})", this.id, attempt.number(), attempt.record().topic(),
					attempt.record().partition(), attempt.record().offset(), ListenerFailures.types(failure));
			attempt.failed(failure);
		}
	}

	@Override
	public void recover(RecoveryAttempt<K, V> recovery) {
		this.policy.recover(recovery);
	}

	@Override
	public void retried(Delivery<ConsumerRecord<K, V>> delivery, Duration after, Throwable failure) {
		this.policy.retried(delivery, after, failure);
	}

	@Override
	public void recoveryFailed(Delivery<ConsumerRecord<K, V>> delivery, int failures, Throwable failure) {
		this.policy.recoveryFailed(delivery, failure);
	}

	@Override
	public ConsumerRecord<K, V> undeserializable(RecordDeserializationException failure) {
		return Undeserializable.record(failure);
	}

}
