package io.evenkeel.kafka.container.failure;

import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.call.BatchCalls;
import io.evenkeel.kafka.container.call.CallHeaders;
import io.evenkeel.kafka.container.call.ListenerCalls;
import io.evenkeel.kafka.container.listener.EndOfCalls;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.ContainerProperties.EOSMode;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * What follows a rollback under an {@link AfterRollbackProcessor} of the user's own: it
 * takes the place of our retries and recovery. It keeps what it knows by thread, so all
 * calls are made in one loop on one worker; what it wants is read from its seeks.
 */
public final class Rollbacks<K, V> {

	private final AfterRollbackProcessor<K, V> processor;

	private final Transactions transactions;

	private final ListenerCalls<K, V> calls;

	private final ListenerContext context;

	private final EngineObserver listener;

	private final Recoverer<K, V> recoverer;

	private final boolean batch;

	public Rollbacks(AfterRollbackProcessor<K, V> processor, Transactions transactions, ListenerCalls<K, V> calls,
			ListenerContext context, EngineObserver listener, Recoverer<K, V> recoverer, boolean batch) {
		this.listener = listener;
		this.recoverer = recoverer;
		this.processor = processor;
		this.transactions = transactions;
		this.calls = calls;
		this.context = context;
		this.batch = batch;
	}

	/**
	 * Let the processor decide until it is done.
	 * @param attempt the call that was rolled back
	 * @param failure why
	 * @param call calls the listener again, in a transaction: null when that has answered
	 * the attempt
	 */
	void after(Attempt<K, V> attempt, Throwable failure, Supplier<@Nullable Throwable> call) {
		MessageListenerContainer view = ContainerView.of(this.context.container(), attempt::isStopping);
		try {
			Redelivery.End end = Redelivery.run(attempt, failure,
					(last) -> recovered(attempt, Redelivery.exception(attempt.record(), last), view),
					() -> attempt.records().forEach((record) -> this.listener.retried(record.topic())), call);
			if (end == Redelivery.End.DONE) {
				attempt.recovered(Outcome.SKIPPED);
			}
			else if (end == Redelivery.End.HANDED_OVER) {
				attempt.again(Duration.ZERO);
			}
		}
		catch (RuntimeException ex) {
			// The processor itself, or a send of its that it does not look at.
			this.recoverer.failed(attempt, ex);
		}
		finally {
			EndOfCalls.tell(this.context.id(), "after-rollback processor", this.processor::clearThreadState);
		}
	}

	private boolean recovered(Attempt<K, V> attempt, Exception failure, MessageListenerContainer view) {
		List<ConsumerRecord<K, V>> records = attempt.records();
		// True of our calls only, not of those that a dead letter may get.
		records.forEach(CallHeaders::removeAttempt);
		SeekRecordingConsumer<K, V> consumer = new SeekRecordingConsumer<>(this.calls.consumer(), records.get(0));
		Runnable process = () -> {
			if (this.batch) {
				this.processor.processBatch(BatchCalls.records(records), records, consumer.proxy(), view, failure,
						this.context.properties().isBatchRecoverAfterRollback(), EOSMode.V2);
			}
			else {
				this.processor.process(records, consumer.proxy(), view, failure, true, EOSMode.V2);
			}
		};
		if (!this.processor.isProcessInTransaction()) {
			process.run();
			if (consumer.target() != null) {
				return false;
			}
			this.transactions.run(attempt.assignment(), records.get(records.size() - 1), () -> {
			});
			return true;
		}
		try {
			this.transactions.run(attempt.assignment(), records.get(records.size() - 1), () -> {
				process.run();
				if (consumer.target() != null) {
					throw new Redelivery.HandedOverException();
				}
			});
			return true;
		}
		catch (Redelivery.HandedOverException ex) {
			return false;
		}
	}

}
