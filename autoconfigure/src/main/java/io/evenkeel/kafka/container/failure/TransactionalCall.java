package io.evenkeel.kafka.container.failure;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import io.evenkeel.kafka.container.call.AcknowledgmentMode;
import io.evenkeel.kafka.container.call.FailurePolicy;
import io.evenkeel.kafka.container.call.RetryTopicDelay;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.Acknowledgment;

/**
 * One call of a listener in a transaction of its own. A user's error handler is asked
 * inside that transaction, as spring-kafka does: when it has handled the failure the
 * transaction is committed, with what the handler sent and the offset after the record. A
 * send that the listener has started and that failed without its saying so is found when
 * the transaction is to be committed: the call has failed then. Worker thread.
 */
final class TransactionalCall<K, V> {

	private final Attempt<K, V> attempt;

	private final Transactions transactions;

	private final @Nullable UserErrorHandling<K, V> errors;

	private final @Nullable TransactionalAcknowledgment<K, V> manual;

	private final @Nullable Acknowledgment acknowledgment;

	private @Nullable Throwable handled;

	private boolean failedInside;

	/** The failure that the handler is done with. */
	private @Nullable Throwable decided;

	TransactionalCall(Attempt<K, V> attempt, Transactions transactions, @Nullable UserErrorHandling<K, V> errors,
			AcknowledgmentMode mode) {
		this.attempt = attempt;
		this.transactions = transactions;
		this.errors = errors;
		this.manual = mode.isManual() ? new TransactionalAcknowledgment<>(attempt, transactions.carryOffsets()) : null;
		this.acknowledgment = (this.manual != null) ? this.manual : mode.acknowledgment(attempt);
	}

	/**
	 * Make the call and answer its attempt, unless it failed.
	 * @param listener calls the listener
	 * @return why it failed and was rolled back, null when the attempt was answered
	 */
	@Nullable Throwable make(FailurePolicy.Listener listener) {
		Throwable failure = listener.call(this.acknowledgment, this::run);
		if (failure == null) {
			if (this.manual != null) {
				this.manual.committed();
			}
			else {
				this.attempt.succeeded();
			}
			return null;
		}
		if (this.handled != null) {
			this.attempt.recovered(Outcome.SKIPPED);
			return null;
		}
		if (!isOfASend(failure)) {
			return failure;
		}
		if (this.decided != null) {
			// A send of the listener's, or of the handler's: without the former it may
			// do.
			this.failedInside = false;
			return this.decided;
		}
		return cause(failure);
	}

	private static boolean isOfASend(Throwable failure) {
		return failure instanceof Transactions.NotCommittedException aborted && aborted.isOfASend();
	}

	private static Throwable cause(Throwable failure) {
		Throwable cause = failure.getCause();
		return (cause != null) ? cause : failure;
	}

	/** Whether the user's error handler does not know yet that the call failed. */
	boolean isUnasked() {
		return this.errors != null && !this.failedInside;
	}

	/**
	 * Ask the user's error handler about a failure that was found after the listener had
	 * returned, in a transaction of its own.
	 * @param failure why the call failed
	 * @return null when the handler is done with the record and the attempt was answered,
	 * otherwise why not
	 */
	@Nullable Throwable ask(Throwable failure) {
		Throwable result;
		do {
			result = askOnce(failure);
		}
		while (result == failure && this.decided != null && !this.attempt.isStopping());
		if (result == null) {
			this.attempt.recovered(Outcome.SKIPPED);
		}
		else if (isOfASend(result)) {
			return new Redelivery.HandlerFailedException(cause(result));
		}
		return result;
	}

	private @Nullable Throwable askOnce(Throwable failure) {
		AtomicBoolean unhandled = new AtomicBoolean();
		List<ConsumerRecord<K, V>> records = this.attempt.records();
		try {
			this.transactions.run(this.attempt.assignment(), records.get(records.size() - 1), () -> {
				if (!isHandled(failure)) {
					unhandled.set(true);
					throw new Redelivery.HandedOverException();
				}
			});
		}
		catch (RuntimeException | Error ex) {
			return unhandled.get() ? failure : ex;
		}
		return null;
	}

	private void run(Runnable listener) {
		Handled asked = new Handled();
		this.transactions.run(this.attempt.assignment(), () -> done(asked), () -> {
			try {
				listener.run();
			}
			catch (RuntimeException | Error ex) {
				this.failedInside = true;
				if (!isHandled(ex)) {
					throw ex;
				}
				asked.failure = ex;
				this.decided = ex;
			}
		});
		// Only now: a transaction that is not committed has handled nothing. Interceptors
		// and timers are still to know that the call has failed.
		this.handled = asked.failure;
		if (asked.failure instanceof RuntimeException unchecked) {
			throw unchecked;
		}
		if (asked.failure instanceof Error error) {
			throw error;
		}
	}

	private boolean isHandled(Throwable failure) {
		return this.errors != null && RetryTopicDelay.remaining(failure) == null
				&& this.errors.isHandled(this.attempt.record(), failure, this.attempt);
	}

	private @Nullable ConsumerRecord<K, V> done(Handled asked) {
		ConsumerRecord<K, V> acknowledged = (this.manual != null) ? this.manual.end() : null;
		if (this.manual != null && asked.failure == null) {
			return acknowledged;
		}
		List<ConsumerRecord<K, V>> records = this.attempt.records();
		return records.get(records.size() - 1);
	}

	/** What the error handler has dealt with inside the transaction. */
	private static final class Handled {

		private @Nullable Throwable failure;

	}

}
