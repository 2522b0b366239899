package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls and recoveries inside transactions: a call's transaction carries the offset after
 * its last record, and the records are done once it is committed. Worker threads.
 */
final class TransactionalCalls<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(TransactionalCalls.class);

	/** The group or the coordinator is changing: soon enough and not too often. */
	private static final Duration AFTER_ABORT = Duration.ofMillis(200);

	private final String id;

	private final Transactions transactions;

	private final Recoverer<K, V> recoverer;

	private final @Nullable Rollbacks<K, V> rollbacks;

	TransactionalCalls(String id, Transactions transactions, Recoverer<K, V> recoverer,
			@Nullable Rollbacks<K, V> rollbacks) {
		this.id = id;
		this.transactions = transactions;
		this.recoverer = recoverer;
		this.rollbacks = rollbacks;
	}

	/**
	 * Call the listener in a transaction.
	 * @param attempt to be answered
	 * @param call calls the listener with what is to be put around it: null after a
	 * success, otherwise why it failed
	 */
	void handle(Attempt<K, V> attempt, Function<Consumer<Runnable>, @Nullable Throwable> call) {
		List<ConsumerRecord<K, V>> records = attempt.records();
		ConsumerRecord<K, V> last = records.get(records.size() - 1);
		Consumer<Runnable> around = (listener) -> this.transactions.run(attempt.assignment(), last, listener);
		Throwable failure = call.apply(around);
		if (failure == null) {
			attempt.succeeded();
		}
		else if (failure instanceof Transactions.NotCommittedException) {
			// Nobody's fault: neither an attempt of the record nor a reason to give it
			// up.
			logger.warn("{}: the transaction of {}-{}@{} was aborted and is tried again: {}", this.id, last.topic(),
					last.partition(), last.offset(), Failures.types(failure));
			attempt.again(AFTER_ABORT);
		}
		else if (this.rollbacks != null) {
			this.rollbacks.after(attempt, failure, () -> {
				attempt.nextNumber();
				return call.apply(around);
			});
		}
		else {
			attempt.failed(failure);
		}
	}

	/**
	 * Recover a record, with the offset after it in a transaction. Our own dead letters
	 * are sent before it, without a transaction: should the offset not be stored they are
	 * sent again, but none can be lost. A recoverer of the application runs inside.
	 */
	Recovery recover(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		if (this.recoverer.stops()) {
			return this.recoverer.recover(delivery, failure);
		}
		AtomicReference<@Nullable Recovery> recovery = new AtomicReference<>();
		if (this.recoverer.isOwn()) {
			recovery.set(this.recoverer.recover(delivery, failure));
		}
		this.transactions.run(delivery.assignment(), delivery.record(), () -> {
			if (recovery.get() == null) {
				recovery.set(this.recoverer.recover(delivery, failure));
			}
		});
		Recovery known = recovery.get();
		return (known != null) ? known : Recovery.SKIPPED;
	}

}
