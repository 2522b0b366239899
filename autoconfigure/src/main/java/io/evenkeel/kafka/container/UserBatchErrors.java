package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.SlotHolder;
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
final class UserBatchErrors<K, V> implements RecoveryWay<K, V> {

	private final CommonErrorHandler handler;

	private final ListenerCalls<K, V> calls;

	private final EvenkeelContainer<K, V> container;

	private final EngineObserver listener;

	private final AcknowledgmentMode mode;

	private final Recoverer<K, V> recoverer;

	UserBatchErrors(CommonErrorHandler handler, ListenerCalls<K, V> calls, EvenkeelContainer<K, V> container,
			EngineObserver listener, AcknowledgmentMode mode, Recoverer<K, V> recoverer) {
		this.recoverer = recoverer;
		this.listener = listener;
		this.mode = mode;
		this.handler = handler;
		this.calls = calls;
		this.container = container;
	}

	/**
	 * Let the user's handler decide until it is done with the batch.
	 * @param attempt the call that failed
	 * @param failure why
	 * @param call calls the listener again with the records from an index on: null after
	 * a success, otherwise why it failed
	 * @return true when a later call succeeded, otherwise the attempt was answered
	 */
	boolean retried(Attempt<K, V> attempt, Throwable failure, IntFunction<@Nullable Throwable> call) {
		MessageListenerContainer view = ContainerView.of(this.container, attempt::isStopping);
		List<ConsumerRecord<K, V>> all = attempt.records();
		IntFunction<@Nullable Throwable> again = (from) -> {
			attempt.nextNumber(from);
			all.subList(from, all.size()).forEach((record) -> this.listener.retried(record.topic()));
			return call.apply(from);
		};
		int done = 0;
		Throwable last = failure;
		try {
			while (last != null) {
				List<ConsumerRecord<K, V>> rest = all.subList(done, all.size());
				int from = done;
				Decision decision = decide(rest, UserErrorHandling.exception(rest.get(0), last), view, attempt,
						() -> again.apply(from));
				if (decision.succeeded) {
					return true;
				}
				done += decision.done;
				if (done >= all.size()) {
					this.mode.handled(attempt);
					return false;
				}
				if (done > 0) {
					attempt.acknowledge(done - 1);
				}
				if (!attempt.resume()) {
					attempt.again(Duration.ZERO);
					return false;
				}
				last = again.apply(done);
			}
			return true;
		}
		catch (UserErrorHandling.HandedOverException ex) {
			attempt.again(Duration.ZERO);
			return false;
		}
		catch (RuntimeException ex) {
			this.recoverer.failed(attempt, ex);
			return false;
		}
		finally {
			clear();
		}
	}

	/**
	 * Let the user's handler decide on a record that cannot be handed to the listener.
	 */
	@Override
	public void recover(RecoveryAttempt<K, V> recovery) {
		ConsumerRecord<K, V> record = recovery.record();
		MessageListenerContainer view = ContainerView.of(this.container, recovery::isStopping);
		Exception cause = UserErrorHandling.exception(record, recovery.failure());
		try {
			Exception failed = new BatchListenerFailedException("The record cannot be deserialized", cause, record);
			while (decide(List.of(record), failed, view, recovery, () -> cause).done == 0) {
				if (recovery.isStopping()) {
					throw new UserErrorHandling.HandedOverException();
				}
			}
			recovery.ended(Recovery.SKIPPED);
		}
		finally {
			clear();
		}
	}

	private void clear() {
		UserErrorHandling.clear(this.handler, this.container.getListenerId());
	}

	/**
	 * The handler may wait, so it has no slot; only while it calls the listener itself.
	 */
	private Decision decide(List<ConsumerRecord<K, V>> rest, Exception failure, MessageListenerContainer view,
			SlotHolder holder, Supplier<@Nullable Throwable> call) {
		holder.rest();
		// True of our calls only, not of those that a dead letter may get.
		rest.forEach(CallHeaders::removeAttempt);
		ConsumerRecords<K, V> data = BatchCalls.records(rest);
		HandlerConsumer<K, V> consumer = new HandlerConsumer<>(this.calls.consumer(), rest.get(0));
		boolean[] succeeded = new boolean[1];
		Runnable again = () -> {
			if (!holder.resume()) {
				throw new UserErrorHandling.HandedOverException();
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

}
