package io.evenkeel.kafka.container.failure;

import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;

import io.evenkeel.kafka.container.call.AcknowledgmentMode;
import io.evenkeel.kafka.container.call.FailurePolicy;
import io.evenkeel.kafka.container.call.RetryTopicDelay;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.container.listener.ListenerFailures;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls and recoveries inside transactions: a call's transaction carries the offset after
 * its last record, and the records are done once it is committed. Worker threads.
 */
public final class TransactionalCalls<K, V> implements FailurePolicy<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(TransactionalCalls.class);

	/** The group or the coordinator is changing: soon enough and not too often. */
	private static final Duration AFTER_ABORT = Duration.ofMillis(200);

	private final ListenerContext context;

	private final Transactions transactions;

	private final Recoverer<K, V> recoverer;

	private final @Nullable Rollbacks<K, V> rollbacks;

	private final @Nullable UserErrorHandling<K, V> errors;

	private final AcknowledgmentMode mode;

	public TransactionalCalls(ListenerContext context, Transactions transactions, Recoverer<K, V> recoverer,
			@Nullable Rollbacks<K, V> rollbacks, @Nullable UserErrorHandling<K, V> errors, AcknowledgmentMode mode) {
		this.context = context;
		this.transactions = transactions;
		this.recoverer = recoverer;
		this.rollbacks = rollbacks;
		this.errors = errors;
		this.mode = mode;
	}

	@Override
	public boolean isTransactional() {
		return true;
	}

	/**
	 * Error handlers and processors of the user's keep what they know of a record by
	 * thread, so with them all its calls are made in one loop.
	 */
	@Override
	public void call(Attempt<K, V> attempt, Listener listener) {
		Calls made = new Calls(attempt, listener);
		try {
			Throwable failure = made.next();
			if (failure == null) {
				return;
			}
			if (this.rollbacks != null) {
				this.rollbacks.after(attempt, failure, made::again);
			}
			else if (this.errors == null) {
				attempt.failed(failure);
			}
			else if (Redelivery.run(attempt, failure, made::isDone, () -> this.errors.calledAgain(attempt.record()),
					made::again) == Redelivery.End.HANDED_OVER) {
				attempt.again(Duration.ZERO);
			}
		}
		finally {
			if (this.errors != null) {
				this.errors.clear();
			}
		}
	}

	/**
	 * Where the application wants it, another producer's transactions end the listener.
	 */
	private boolean isFenced(Throwable failure) {
		return failure instanceof Transactions.NotCommittedException aborted && aborted.isFenced()
				&& this.context.properties().isStopContainerWhenFenced();
	}

	/**
	 * Failures of nobody's: neither an attempt of the record nor a reason to give it up.
	 */
	private boolean isAnswered(Attempt<K, V> attempt, Throwable failure) {
		ConsumerRecord<K, V> record = attempt.record();
		Duration early = RetryTopicDelay.remaining(failure);
		if (early != null) {
			attempt.again(early);
			return true;
		}
		if (isFenced(failure)) {
			attempt.exhausted(failure);
			return true;
		}
		if (failure instanceof Transactions.NotCommittedException) {
			logger.warn("{}: the transaction of {}-{}@{} was aborted and is tried again: {}", this.context.id(),
					record.topic(), record.partition(), record.offset(), ListenerFailures.types(failure));
			attempt.again(AFTER_ABORT);
			return true;
		}
		if (failure instanceof Redelivery.HandlerFailedException) {
			this.recoverer.failed(attempt, failure);
			return true;
		}
		boolean stopped = attempt.isStopping() && this.errors != null && this.rollbacks == null;
		if (stopped || failure instanceof Redelivery.HandedOverException) {
			attempt.again(Duration.ZERO);
			return true;
		}
		return false;
	}

	/**
	 * Recover a record, with the offset after it in a transaction. Our own dead letters
	 * are sent before it, without a transaction: should the offset not be stored they are
	 * sent again, but none can be lost. A recoverer of the application runs inside. All
	 * of it waits for brokers, without a slot.
	 */
	@Override
	public void recover(RecoveryAttempt<K, V> recovery) {
		if (isFenced(recovery.failure())) {
			recovery.ended(Recovery.STOP);
			return;
		}
		recovery.rest();
		if (this.errors != null) {
			recover(this.errors, recovery);
			return;
		}
		if (this.recoverer.stops()) {
			this.recoverer.recover(recovery);
			return;
		}
		AtomicReference<@Nullable Recovery> how = new AtomicReference<>();
		if (this.recoverer.isOwn()) {
			how.set(recovered(recovery));
		}
		this.transactions.run(recovery.assignment(), recovery.record(), () -> {
			if (how.get() == null) {
				how.set(recovered(recovery));
			}
		});
		Recovery known = how.get();
		recovery.ended((known != null) ? known : Recovery.SKIPPED);
	}

	private Recovery recovered(RecoveryAttempt<K, V> recovery) {
		try {
			return this.recoverer.begin(recovery).join();
		}
		catch (CompletionException ex) {
			Throwable cause = Recoverer.cause(ex);
			if (cause instanceof RuntimeException unchecked) {
				throw unchecked;
			}
			if (cause instanceof Error error) {
				throw error;
			}
			throw ex;
		}
	}

	/** A record that could not be deserialized: there is nothing to call again. */
	private void recover(UserErrorHandling<K, V> handler, RecoveryAttempt<K, V> recovery) {
		try {
			this.transactions.run(recovery.assignment(), recovery.record(), () -> {
				if (!handler.isHandled(recovery.record(), recovery.failure(), recovery)) {
					throw new Redelivery.HandedOverException();
				}
			});
			recovery.ended(Recovery.SKIPPED);
		}
		finally {
			handler.clear();
		}
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
	 * The calls of one attempt. One worker.
	 */
	private final class Calls {

		private final Attempt<K, V> attempt;

		private final Listener listener;

		private @Nullable TransactionalCall<K, V> last;

		Calls(Attempt<K, V> attempt, Listener listener) {
			this.attempt = attempt;
			this.listener = listener;
		}

		/** Null when the attempt was answered, otherwise why the call failed. */
		@Nullable Throwable next() {
			TransactionalCall<K, V> call = new TransactionalCall<>(this.attempt, TransactionalCalls.this.transactions,
					TransactionalCalls.this.errors, TransactionalCalls.this.mode);
			this.last = call;
			Throwable failure = call.make(this.listener);
			return (failure != null && isAnswered(this.attempt, failure)) ? null : failure;
		}

		@Nullable Throwable again() {
			this.attempt.nextNumber();
			return next();
		}

		/** Whether the error handler has answered for what it could not see inside. */
		boolean isDone(Throwable failure) {
			TransactionalCall<K, V> call = this.last;
			if (call == null || !call.isUnasked()) {
				return false;
			}
			Throwable left = call.ask(failure);
			return left == null || isAnswered(this.attempt, left);
		}

	}

}
