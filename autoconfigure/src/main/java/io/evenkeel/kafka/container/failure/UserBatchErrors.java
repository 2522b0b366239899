package io.evenkeel.kafka.container.failure;

import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.call.AcknowledgmentMode;
import io.evenkeel.kafka.container.call.BatchCalls;
import io.evenkeel.kafka.container.call.CallHeaders;
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
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Failures of batches under an error handler of the user's own: all calls for one batch
 * are made in one loop on one worker, because such handlers keep what they know by
 * thread. What the handler wants (which records are done, which come again) is read from
 * the seeks that it makes or from what it returns.
 */
public final class UserBatchErrors<K, V> implements FailurePolicy<K, V> {

	private final CommonErrorHandler handler;

	private final ListenerCalls<K, V> calls;

	private final ListenerContext context;

	private final EngineObserver listener;

	private final AcknowledgmentMode mode;

	private final Recoverer<K, V> recoverer;

	public UserBatchErrors(CommonErrorHandler handler, ListenerCalls<K, V> calls, ListenerContext context,
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
		Batch batch = new Batch(attempt, call);
		try {
			Redelivery.End end = Redelivery.run(attempt, failure, batch::isDone, () -> {
				// A call that the handler makes counts, too: each does it for itself.
			}, () -> batch.call(batch.done));
			if (end == Redelivery.End.SUCCEEDED || batch.succeeded) {
				return true;
			}
			if (end == Redelivery.End.DONE) {
				this.mode.handled(attempt);
			}
			else {
				attempt.again(Duration.ZERO);
			}
		}
		catch (Redelivery.HandedOverException ex) {
			attempt.again(Duration.ZERO);
		}
		catch (RuntimeException ex) {
			this.recoverer.failed(attempt, ex);
		}
		finally {
			clear();
		}
		return false;
	}

	/**
	 * Let the user's handler decide on a record that cannot be handed to the listener.
	 */
	@Override
	public void recover(RecoveryAttempt<K, V> recovery) {
		ConsumerRecord<K, V> record = recovery.record();
		MessageListenerContainer view = ContainerView.of(this.context.container(), recovery::isStopping);
		Exception cause = Redelivery.exception(record, recovery.failure());
		try {
			// Who is asked may wait: not with a slot.
			recovery.rest();
			Exception failed = new BatchListenerFailedException("The record cannot be deserialized", cause, record);
			while (decide(List.of(record), failed, view, recovery, () -> cause).done == 0) {
				if (recovery.isStopping()) {
					throw new Redelivery.HandedOverException();
				}
			}
			recovery.ended(Recovery.SKIPPED);
		}
		finally {
			clear();
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

	private void clear() {
		EndOfCalls.tell(this.context.id(), "error handler", this.handler::clearThreadState);
	}

	/**
	 * The handler may wait, so it has no slot; only while it calls the listener itself.
	 */
	private Decision decide(List<ConsumerRecord<K, V>> rest, Exception failure, MessageListenerContainer view,
			SlotHolder holder, Supplier<@Nullable Throwable> call) {
		// True of our calls only, not of those that a dead letter may get.
		rest.forEach(CallHeaders::removeAttempt);
		ConsumerRecords<K, V> data = BatchCalls.records(rest);
		SeekRecordingConsumer<K, V> consumer = new SeekRecordingConsumer<>(this.calls.consumer(), rest.get(0));
		boolean[] succeeded = new boolean[1];
		Runnable again = () -> {
			if (!holder.resume()) {
				throw new Redelivery.HandedOverException();
			}
			Throwable next = call.get();
			holder.rest();
			if (next != null) {
				throw (next instanceof RuntimeException unchecked) ? unchecked : new IllegalStateException(next);
			}
			succeeded[0] = true;
		};
		Long target;
		if (this.handler.seeksAfterHandling()) {
			consumer.ask(() -> this.handler.handleBatch(failure, data, consumer.proxy(), view, again));
			target = consumer.target();
		}
		else {
			ConsumerRecords<K, V> remaining = this.handler.handleBatchAndReturnRemaining(failure, data,
					consumer.proxy(), view, again);
			target = remaining.isEmpty() ? consumer.target() : Long.valueOf(remaining.iterator().next().offset());
		}
		return new Decision(succeeded[0], (target != null) ? before(rest, target) : rest.size());
	}

	private int before(List<ConsumerRecord<K, V>> records, long offset) {
		int index = 0;
		while (index < records.size() && records.get(index).offset() < offset) {
			index++;
		}
		return index;
	}

	private record Decision(boolean succeeded, int done) {
	}

	/**
	 * The calls for one batch. One worker.
	 */
	private final class Batch {

		private final Attempt<K, V> attempt;

		private final IntFunction<@Nullable Throwable> call;

		private final List<ConsumerRecord<K, V>> all;

		private final MessageListenerContainer view;

		/** How many of its first records are done. */
		private int done;

		/** The handler has called the listener itself, with success. */
		private boolean succeeded;

		Batch(Attempt<K, V> attempt, IntFunction<@Nullable Throwable> call) {
			this.attempt = attempt;
			this.call = call;
			this.all = attempt.records();
			this.view = ContainerView.of(UserBatchErrors.this.context.container(), attempt::isStopping);
		}

		@Nullable Throwable call(int from) {
			this.attempt.nextNumber(from);
			this.all.subList(from, this.all.size())
				.forEach((record) -> UserBatchErrors.this.listener.retried(record.topic()));
			return this.call.apply(from);
		}

		boolean isDone(Throwable failure) {
			List<ConsumerRecord<K, V>> rest = this.all.subList(this.done, this.all.size());
			int from = this.done;
			Decision decision = decide(rest, Redelivery.exception(rest.get(0), failure), this.view, this.attempt,
					() -> call(from));
			if (decision.succeeded) {
				this.succeeded = true;
				return true;
			}
			this.done += decision.done;
			if (this.done >= this.all.size()) {
				return true;
			}
			if (this.done > 0) {
				this.attempt.acknowledge(this.done - 1);
			}
			return false;
		}

	}

}
