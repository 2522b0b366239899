package io.evenkeel.kafka.container;

import java.time.Duration;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecordHandler;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.KafkaBackoffException;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Handles the records of a listener of single records: calls it, and tells the engine how
 * the call ended. Worker threads.
 */
final class RecordCalls<K, V> implements RecordHandler<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(RecordCalls.class);

	private final String id;

	private final ListenerCalls<K, V> calls;

	private final AcknowledgmentMode mode;

	private final Recoverer<K, V> recoverer;

	private final @Nullable UserErrorHandling<K, V> userErrors;

	private final @Nullable TransactionalCalls<K, V> transactional;

	RecordCalls(String id, ListenerCalls<K, V> calls, AcknowledgmentMode mode, Recoverer<K, V> recoverer,
			@Nullable UserErrorHandling<K, V> userErrors, @Nullable TransactionalCalls<K, V> transactional) {
		this.id = id;
		this.calls = calls;
		this.mode = mode;
		this.recoverer = recoverer;
		this.userErrors = userErrors;
		this.transactional = transactional;
	}

	@Override
	public void handle(Attempt<K, V> attempt) {
		if (this.transactional != null) {
			this.transactional.handle(attempt, (acknowledgment, around) -> this.calls.callAndWait(attempt.record(),
					attempt.number(), acknowledgment, around));
			return;
		}
		Acknowledgment acknowledgment = this.mode.acknowledgment(attempt);
		Thread worker = Thread.currentThread();
		this.calls.call(attempt.record(), attempt.number(), acknowledgment,
				(failure) -> over(attempt, acknowledgment, failure, worker));
	}

	private void over(Attempt<K, V> attempt, @Nullable Acknowledgment acknowledgment, @Nullable Throwable failure,
			Thread worker) {
		if (failure != null) {
			failed(attempt, acknowledgment, failure, worker);
		}
		else {
			succeeded(attempt, acknowledgment);
		}
	}

	private void succeeded(Attempt<K, V> attempt, @Nullable Acknowledgment acknowledgment) {
		ManualAcknowledgment.Nack nack = (acknowledgment instanceof ManualAcknowledgment manual) ? manual.nacked()
				: null;
		if (nack != null) {
			attempt.again(nack.sleep());
		}
		else if (this.mode.isManual()) {
			attempt.returned();
		}
		else {
			attempt.succeeded();
		}
	}

	private void failed(Attempt<K, V> attempt, @Nullable Acknowledgment acknowledgment, Throwable failure,
			Thread worker) {
		KafkaBackoffException early = Failures.find(failure, KafkaBackoffException.class);
		if (early != null) {
			// A retry topic's record whose time has not come: nothing failed.
			attempt.again(Duration.ofMillis(Math.max(1, early.getDueTimestamp() - System.currentTimeMillis())));
		}
		else if (this.userErrors != null) {
			// A thread that completes a future is not ours to sleep on.
			if (Thread.currentThread() != worker) {
				attempt.exhausted(failure);
			}
			else if (this.userErrors.retried(attempt, acknowledgment, failure)) {
				succeeded(attempt, acknowledgment);
			}
		}
		else if (this.mode.isManual() && attempt.isDone()) {
			logger.warn("{}: the listener acknowledged {}-{}@{} and failed after that; it counts as done: {}", this.id,
					attempt.record().topic(), attempt.record().partition(), attempt.record().offset(),
					Failures.types(failure));
			attempt.failed(failure);
		}
		else {
			logger.debug("{}: call {} for {}-{}@{} failed ({})", this.id, attempt.number(), attempt.record().topic(),
					attempt.record().partition(), attempt.record().offset(), Failures.types(failure));
			attempt.failed(failure);
		}
	}

	@Override
	public Recovery recover(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		Recovery recovery;
		if (this.transactional != null) {
			recovery = this.transactional.recover(delivery, failure);
		}
		else {
			recovery = (this.userErrors != null) ? this.userErrors.recover(delivery, failure)
					: this.recoverer.recover(delivery, failure);
		}
		this.recoverer.over(delivery);
		return recovery;
	}

	@Override
	public void recoveryFailed(Delivery<ConsumerRecord<K, V>> delivery, int failures, Throwable failure) {
		if (!(failure instanceof UserErrorHandling.HandedOverException)) {
			this.recoverer.failed(delivery, failures, failure);
		}
	}

	@Override
	public ConsumerRecord<K, V> undeserializable(RecordDeserializationException failure) {
		return Poison.record(failure);
	}

}
