package io.evenkeel.kafka.container.call;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import io.evenkeel.kafka.container.listener.EndOfCalls;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.container.listener.ListenerFailures;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecordHandler;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.micrometer.observation.Observation;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.BatchAcknowledgingConsumerAwareMessageListener;
import org.springframework.kafka.listener.BatchAcknowledgingMessageListener;
import org.springframework.kafka.listener.BatchConsumerAwareMessageListener;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.ListenerType;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Handles the records of a batch listener: those of one partition, in order, in one call.
 * A failed batch is called again from the record that failed, when the listener says
 * which, or whole. Worker threads.
 */
public final class BatchCalls<K, V> implements RecordHandler<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(BatchCalls.class);

	private final String id;

	private final ListenerCalls<K, V> calls;

	private final BatchMessageListener<K, V> listener;

	private final ListenerType type;

	private final boolean recoversPoison;

	private final boolean mayEndLater;

	private final AcknowledgmentMode mode;

	private final FailurePolicy<K, V> policy;

	private final BatchInterceptor<K, V> interceptor;

	private final CallTimer timer;

	private final @Nullable String groupId;

	/** The transaction around each call under a user's error handler. */
	private final java.util.function.@Nullable Consumer<Runnable> around;

	public BatchCalls(ListenerContext context, ListenerCalls<K, V> calls, ListenerTarget target,
			@Nullable BatchInterceptor<K, V> interceptor, AcknowledgmentMode mode, FailurePolicy<K, V> policy,
			CallTimer timer, java.util.function.@Nullable Consumer<Runnable> around) {
		this.around = around;
		this.id = context.id();
		this.calls = calls;
		this.listener = target.batches();
		this.type = target.type();
		this.recoversPoison = target.isMethod();
		this.mayEndLater = target.isAwaited();
		this.mode = mode;
		this.policy = policy;
		this.interceptor = (interceptor != null) ? interceptor : (records, ignored) -> records;
		this.timer = timer;
		this.groupId = context.groupId();
	}

	@Override
	public void handle(Attempt<K, V> attempt) {
		if (this.policy.isTransactional()) {
			this.policy.call(attempt, (acknowledgment, around) -> callAndWait(attempt, 0, acknowledgment, around));
			return;
		}
		Acknowledgment acknowledgment = this.mode.acknowledgment(attempt);
		if (this.policy.isUsers()) {
			Throwable failure = callAndWait(attempt, 0, acknowledgment, this.around);
			if (failure == null || this.policy.retried(attempt, failure,
					(from) -> callAndWait(attempt, from, acknowledgment, this.around))) {
				this.mode.succeeded(attempt, acknowledgment);
			}
			return;
		}
		List<ConsumerRecord<K, V>> handed = handed(attempt, 0);
		call(attempt, handed, acknowledgment, this.around, (failure) -> {
			if (failure == null) {
				this.mode.succeeded(attempt, acknowledgment);
			}
			else {
				failed(attempt, handed, failure);
			}
		});
	}

	/** A list for the listener, which may take out of it or sort it as it likes. */
	private List<ConsumerRecord<K, V>> handed(Attempt<K, V> attempt, int from) {
		List<ConsumerRecord<K, V>> batch = attempt.records();
		for (int i = from; i < batch.size(); i++) {
			this.calls.headers().add(batch.get(i), attempt.number(i));
		}
		return new ArrayList<>(batch.subList(from, batch.size()));
	}

	/**
	 * Call the listener. Where it may return a future the batch is done when that is: the
	 * adapter says so with the observation. A transaction ends with it.
	 */
	private void call(Attempt<K, V> attempt, List<ConsumerRecord<K, V>> handed, @Nullable Acknowledgment acknowledgment,
			java.util.function.@Nullable Consumer<Runnable> around,
			java.util.function.Consumer<@Nullable Throwable> over) {
		if (!this.mayEndLater) {
			over.accept(made(attempt, handed, acknowledgment, around));
			return;
		}
		CallInProgress call = this.calls.begin(acknowledgment, over);
		Throwable failure;
		try (Observation.Scope scope = call.openScope()) {
			failure = made(attempt, handed, acknowledgment, (around != null)
					? (work) -> around.accept(() -> call.runToTheEnd(() -> taken(call, work), this.groupId)) : null);
		}
		if (!call.isTaken()) {
			// An interceptor or a filter has kept all records back.
			call.skipped();
		}
		call.returned(failure);
	}

	/** What was kept from the adapter is not waited for. */
	private static void taken(CallInProgress call, Runnable work) {
		work.run();
		if (!call.isTaken()) {
			call.skipped();
		}
	}

	/**
	 * Call the listener and wait until its work is over. A user's error handler sleeps on
	 * the thread that calls it, which cannot be one that completes a future.
	 */
	private @Nullable Throwable callAndWait(Attempt<K, V> attempt, int from, @Nullable Acknowledgment acknowledgment,
			java.util.function.@Nullable Consumer<Runnable> around) {
		CompletableFuture<@Nullable Throwable> over = new CompletableFuture<>();
		call(attempt, handed(attempt, from), acknowledgment, around, over::complete);
		return over.join();
	}

	/** Call the listener: null after a success, otherwise why it failed. */
	private @Nullable Throwable made(Attempt<K, V> attempt, List<ConsumerRecord<K, V>> handed,
			@Nullable Acknowledgment acknowledgment, java.util.function.@Nullable Consumer<Runnable> around) {
		ConsumerRecord<K, V> first = attempt.record();
		Object sample = this.timer.start();
		try {
			this.interceptor.setupThreadState(this.calls.consumer());
			if (around != null) {
				around.accept(() -> invoke(handed, acknowledgment));
			}
			else {
				invoke(handed, acknowledgment);
			}
			told(() -> this.timer.success(sample, first));
			return null;
		}
		catch (Throwable ex) {
			told(() -> this.timer.failure(sample, first, ex));
			return ex;
		}
		finally {
			told(() -> this.interceptor.clearThreadState(this.calls.consumer()));
		}
	}

	private void invoke(List<ConsumerRecord<K, V>> handed, @Nullable Acknowledgment acknowledgment) {
		Consumer<K, V> consumer = this.calls.consumer();
		ConsumerRecords<K, V> all = records(handed);
		ConsumerRecords<K, V> records = this.interceptor.intercept(all, consumer);
		if (records == null) {
			if (acknowledgment != null) {
				acknowledgment.acknowledge();
			}
			return;
		}
		if (records != all) {
			handed.clear();
			records.forEach(handed::add);
		}
		this.calls.observeEach(records);
		try {
			call(records, handed, acknowledgment, consumer);
		}
		catch (RuntimeException ex) {
			told(() -> this.interceptor.failure(records, ex, consumer));
			throw ex;
		}
		told(() -> this.interceptor.success(records, consumer));
	}

	/** What hears of the end of a call changes nothing of it. */
	private void told(Runnable end) {
		EndOfCalls.tell(this.id, "batch interceptor", end);
	}

	private void call(ConsumerRecords<K, V> records, List<ConsumerRecord<K, V>> list,
			@Nullable Acknowledgment acknowledgment, Consumer<K, V> consumer) {
		if (this.listener.wantsPollResult()) {
			this.listener.onMessage(records, acknowledgment, consumer);
			return;
		}
		try {
			switch (this.type) {
				case ACKNOWLEDGING_CONSUMER_AWARE ->
					((BatchAcknowledgingConsumerAwareMessageListener<K, V>) this.listener).onMessage(list,
							acknowledgment, consumer);
				case ACKNOWLEDGING ->
					((BatchAcknowledgingMessageListener<K, V>) this.listener).onMessage(list, acknowledgment);
				case CONSUMER_AWARE ->
					((BatchConsumerAwareMessageListener<K, V>) this.listener).onMessage(list, consumer);
				case SIMPLE -> this.listener.onMessage(list);
			}
		}
		catch (ListenerExecutionFailedException ex) {
			throw ListenerFailures.ofGroup(this.groupId, ex);
		}
		catch (Exception ex) {
			throw new ListenerExecutionFailedException("Listener failed", this.groupId, ex);
		}
	}

	private void failed(Attempt<K, V> attempt, List<ConsumerRecord<K, V>> handed, Throwable failure) {
		if (this.mode.isManual() && attempt.isDone()) {
			logger.warn(
					"{}: the listener acknowledged {}-{}@{} and the rest of its batch, and failed after that; they "
							+ "count as done: {}",
					this.id, attempt.record().topic(), attempt.record().partition(), attempt.record().offset(),
					ListenerFailures.types(failure));
		}
		int index = index(attempt.records(), handed, failure);
		if (index >= 0) {
			attempt.failedAt(index, failure);
		}
		else {
			attempt.failed(failure);
		}
	}

	/** Which record failed: -1 when the listener does not say. */
	private int index(List<ConsumerRecord<K, V>> batch, List<ConsumerRecord<K, V>> handed, Throwable failure) {
		Throwable current = failure;
		for (int i = 0; current != null && i < 16; i++) {
			if (current instanceof BatchListenerFailedException known) {
				ConsumerRecord<?, ?> record = known.getRecord();
				if (record == null && known.getIndex() >= 0 && known.getIndex() < handed.size()) {
					// Counted in what a filter or an interceptor has left.
					record = handed.get(known.getIndex());
				}
				return (record != null) ? index(batch, record) : -1;
			}
			current = current.getCause();
		}
		return -1;
	}

	/** A record is its coordinates: interceptors and listeners may have made copies. */
	private static int index(List<? extends ConsumerRecord<?, ?>> batch, ConsumerRecord<?, ?> record) {
		for (int i = 0; i < batch.size(); i++) {
			ConsumerRecord<?, ?> candidate = batch.get(i);
			if (candidate.offset() == record.offset() && candidate.partition() == record.partition()
					&& candidate.topic().equals(record.topic())) {
				return i;
			}
		}
		return -1;
	}

	public static <K, V> ConsumerRecords<K, V> records(List<ConsumerRecord<K, V>> batch) {
		ConsumerRecord<K, V> first = batch.get(0);
		return new ConsumerRecords<>(
				Map.of(new TopicPartition(first.topic(), first.partition()), new ArrayList<>(batch)), Map.of());
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
	public @Nullable Throwable poison(ConsumerRecord<K, V> record) {
		if (!this.recoversPoison) {
			return null;
		}
		try {
			return Undeserializable.in(record);
		}
		catch (RuntimeException ex) {
			// A header that cannot be read either.
			return ex;
		}
	}

	@Override
	public ConsumerRecord<K, V> undeserializable(RecordDeserializationException failure) {
		return Undeserializable.record(failure);
	}

}
