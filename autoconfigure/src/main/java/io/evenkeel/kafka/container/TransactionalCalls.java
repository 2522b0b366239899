package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Calls and recoveries inside transactions: a call's transaction carries the offset after
 * its last record, and the records are done once it is committed. Worker threads.
 */
final class TransactionalCalls<K, V> implements RecoveryWay<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(TransactionalCalls.class);

	/** The group or the coordinator is changing: soon enough and not too often. */
	private static final Duration AFTER_ABORT = Duration.ofMillis(200);

	private final EvenkeelContainer<K, V> container;

	private final Transactions transactions;

	private final Recoverer<K, V> recoverer;

	private final @Nullable Rollbacks<K, V> rollbacks;

	private final @Nullable UserErrorHandling<K, V> errors;

	private final AcknowledgmentMode mode;

	TransactionalCalls(EvenkeelContainer<K, V> container, Transactions transactions, Recoverer<K, V> recoverer,
			@Nullable Rollbacks<K, V> rollbacks, @Nullable UserErrorHandling<K, V> errors, AcknowledgmentMode mode) {
		this.container = container;
		this.transactions = transactions;
		this.recoverer = recoverer;
		this.rollbacks = rollbacks;
		this.errors = errors;
		this.mode = mode;
	}

	/**
	 * Call the listener in a transaction. Error handlers and processors of the user's
	 * keep what they know of a record by thread, so with them all its calls are made in
	 * one loop.
	 * @param attempt to be answered
	 * @param listener calls the listener
	 */
	void handle(Attempt<K, V> attempt, Listener listener) {
		try {
			TransactionalCall<K, V> call = call(attempt);
			Throwable failure = call.make(listener);
			while (failure != null && !isAnswered(attempt, failure)) {
				if (this.rollbacks != null) {
					this.rollbacks.after(attempt, failure, () -> {
						attempt.nextNumber();
						Throwable again = call(attempt).make(listener);
						return (again != null && isAnswered(attempt, again)) ? null : again;
					});
					return;
				}
				if (this.errors == null) {
					attempt.failed(failure);
					return;
				}
				if (call.isUnasked()) {
					failure = call.ask(failure);
					if (failure == null || isAnswered(attempt, failure)) {
						return;
					}
				}
				if (!attempt.resume()) {
					attempt.again(Duration.ZERO);
					return;
				}
				this.errors.calledAgain(attempt.record());
				attempt.nextNumber();
				call = call(attempt);
				failure = call.make(listener);
			}
		}
		finally {
			if (this.errors != null) {
				this.errors.clear();
			}
		}
	}

	private TransactionalCall<K, V> call(Attempt<K, V> attempt) {
		return new TransactionalCall<>(attempt, this.transactions, this.errors, this.mode);
	}

	/**
	 * Failures of nobody's: neither an attempt of the record nor a reason to give it up.
	 */
	private boolean isAnswered(Attempt<K, V> attempt, Throwable failure) {
		ConsumerRecord<K, V> record = attempt.record();
		Duration early = NotYet.remaining(failure);
		if (early != null) {
			attempt.again(early);
			return true;
		}
		if (failure instanceof Transactions.NotCommittedException) {
			logger.warn("{}: the transaction of {}-{}@{} was aborted and is tried again: {}",
					this.container.getListenerId(), record.topic(), record.partition(), record.offset(),
					Failures.types(failure));
			attempt.again(AFTER_ABORT);
			return true;
		}
		if (failure instanceof UserErrorHandling.HandlerFailedException) {
			this.recoverer.failed(attempt, failure);
			return true;
		}
		boolean stopped = attempt.isStopping() && this.errors != null && this.rollbacks == null;
		if (stopped || failure instanceof UserErrorHandling.HandedOverException) {
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
					throw new UserErrorHandling.HandedOverException();
				}
			});
			recovery.ended(Recovery.SKIPPED);
		}
		finally {
			handler.clear();
		}
	}

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
