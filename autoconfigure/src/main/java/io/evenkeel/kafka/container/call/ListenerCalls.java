package io.evenkeel.kafka.container.call;

import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.listener.EndOfCalls;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.container.listener.ListenerFailures;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.micrometer.KafkaListenerObservation;
import org.springframework.kafka.support.micrometer.KafkaListenerObservation.DefaultKafkaListenerObservationConvention;
import org.springframework.kafka.support.micrometer.KafkaListenerObservationConvention;
import org.springframework.kafka.support.micrometer.KafkaRecordReceiverContext;
import org.springframework.kafka.support.serializer.DeserializationException;

/**
 * Calls a listener with one record, with all that spring-kafka does around it: headers,
 * interceptor, observation, timer. The end of the call is reported once, when the
 * listener's work is really over: when it returns, or when its future does.
 *
 * <h2>Threading</h2> Called on worker threads; the end may be reported from any.
 */
public final class ListenerCalls<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(ListenerCalls.class);

	private final ListenerTarget target;

	private final ListenerTarget.Invocation<K, V> invocation;

	private final RecordInterceptor<K, V> interceptor;

	private final CallObservationRegistry calls;

	private final ObservationRegistry observations;

	private final @Nullable KafkaListenerObservationConvention convention;

	private final CallTimer timer;

	private final @Nullable String groupId;

	private final String listenerId;

	/** What an observation says of the consumer; spring-kafka numbers its consumers. */
	private final String memberId;

	private final Supplier<String> clientId;

	private final Supplier<@Nullable String> clusterId;

	private final CallHeaders headers;

	private final boolean interceptBeforeTx;

	private final boolean observesBatches;

	private final boolean mayEndLater;

	private final @Nullable AssignmentBeanScope beanScope;

	private org.apache.kafka.clients.consumer.@Nullable Consumer<K, V> consumer;

	public ListenerCalls(ListenerContext context, ListenerTarget target, @Nullable RecordInterceptor<K, V> interceptor,
			boolean interceptBeforeTx, ObservationRegistry observations, CallTimer timer,
			@Nullable AssignmentBeanScope beanScope, Supplier<@Nullable String> clusterId, Supplier<String> clientId) {
		this.beanScope = beanScope;
		this.clusterId = clusterId;
		this.interceptBeforeTx = interceptBeforeTx;
		this.observesBatches = context.properties().isRecordObservationsInBatch();
		this.target = target;
		this.mayEndLater = target.isAwaited();
		this.invocation = target.isBatch() ? (record, acknowledgment, ignored) -> {
			throw new IllegalStateException("A batch listener takes no single records");
		} : target.records();
		this.interceptor = (interceptor != null) ? interceptor : (record, ignored) -> record;
		this.observations = observations;
		this.calls = new CallObservationRegistry(observations);
		this.convention = context.properties().getObservationConvention();
		this.timer = timer;
		this.groupId = context.groupId();
		this.listenerId = context.id();
		this.memberId = context.memberId();
		this.clientId = clientId;
		this.headers = new CallHeaders(context.info(),
				!target.isReplyTemplate() || context.properties().isDeliveryAttemptHeader());
		target.observe(this.calls);
		target.hearAsyncFailures(this.calls);
	}

	/** The consumer that listeners and interceptors see. */
	public void consumer(org.apache.kafka.clients.consumer.Consumer<K, V> consumer) {
		this.consumer = consumer;
	}

	public org.apache.kafka.clients.consumer.Consumer<K, V> consumer() {
		org.apache.kafka.clients.consumer.Consumer<K, V> current = this.consumer;
		if (current == null) {
			throw new IllegalStateException("The container has not started");
		}
		return current;
	}

	/**
	 * Begin a call that is made by somebody else.
	 * @param acknowledgment the one that the listener gets
	 * @param over told once, with null after a success, otherwise with why it failed
	 * @return to be the current observation during the call
	 */
	CallInProgress begin(@Nullable Acknowledgment acknowledgment, Consumer<@Nullable Throwable> over) {
		return new CallInProgress(Observation.NOOP, this.calls, this.target, true, acknowledgment,
				(failure, call) -> over.accept(failure));
	}

	/**
	 * Call the listener and wait until its work is over.
	 * @param record the record
	 * @param attempt the number of the call
	 * @param acknowledgment null when the listener does not acknowledge
	 * @return null after a success, otherwise why it failed
	 */
	public @Nullable Throwable callAndWait(ConsumerRecord<K, V> record, int attempt,
			@Nullable Acknowledgment acknowledgment) {
		return callAndWait(record, attempt, acknowledgment, null);
	}

	/**
	 * Call the listener and wait until its work is over.
	 * @param record the record
	 * @param attempt the number of the call
	 * @param acknowledgment null when the listener does not acknowledge
	 * @param around runs the call in a transaction; null without one
	 * @return null after a success, otherwise why it failed
	 */
	public @Nullable Throwable callAndWait(ConsumerRecord<K, V> record, int attempt,
			@Nullable Acknowledgment acknowledgment, @Nullable Consumer<Runnable> around) {
		CompletableFuture<@Nullable Throwable> over = new CompletableFuture<>();
		call(record, attempt, acknowledgment, (failure, call) -> over.complete(failure), around);
		return over.join();
	}

	/**
	 * Call the listener.
	 * @param record the record
	 * @param attempt the number of the call, for the header
	 * @param acknowledgment null when the listener does not acknowledge
	 * @param over told once, with null after a success, otherwise with why it failed, and
	 * with the observation of the call
	 */
	void call(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment,
			BiConsumer<@Nullable Throwable, CallObservation> over) {
		call(record, attempt, acknowledgment, over, null);
	}

	private void call(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment,
			BiConsumer<@Nullable Throwable, CallObservation> over, @Nullable Consumer<Runnable> around) {
		this.headers.add(record, attempt);
		Object sample = this.timer.start();
		CallInProgress call = new CallInProgress(observation(record), this.calls, this.target,
				this.target.tellsWhenOver(), acknowledgment, over);
		AssignmentBeans beans = (this.beanScope != null) ? this.beanScope.current() : null;
		if (this.beanScope != null && beans != null) {
			call.carry(this.beanScope, beans);
		}
		Observation.Scope scope = null;
		if (call.isObserved()) {
			call.start();
			scope = call.openScope();
		}
		CallObservationRegistry.Current current = this.calls.current();
		CallObservation previous = current.set(call);
		Throwable failure = null;
		try {
			this.interceptor.setupThreadState(consumer());
			invoke(record, acknowledgment, call, (around != null && this.mayEndLater)
					? (work) -> around.accept(() -> call.runToTheEnd(work, this.groupId)) : around);
			told(() -> this.timer.success(sample, record));
			after(record, null);
		}
		catch (Throwable ex) {
			failure = ex;
			told(() -> this.timer.failure(sample, record, ex));
			after(record, ex);
			if (!this.target.tellsWhenOver() || !call.isStopped()) {
				call.error(ex);
			}
		}
		finally {
			told(() -> this.interceptor.clearThreadState(consumer()));
			current.set(previous);
			if (scope != null) {
				told(scope::close);
			}
		}
		call.returned(failure);
	}

	private void invoke(ConsumerRecord<K, V> original, @Nullable Acknowledgment acknowledgment, CallInProgress call,
			@Nullable Consumer<Runnable> around) {
		DeserializationException poison = Undeserializable.in(original);
		if (poison != null) {
			// What spring-kafka makes of it, too: error handlers look for the cause.
			throw new ListenerExecutionFailedException("Listener failed", this.groupId, poison);
		}
		if (around == null) {
			intercepted(original, acknowledgment, call);
		}
		else if (!this.interceptBeforeTx) {
			around.accept(() -> intercepted(original, acknowledgment, call));
		}
		else {
			ConsumerRecord<K, V> record = intercept(original, acknowledgment, call);
			if (record != null) {
				// What is skipped needs no transaction: the next offset covers it.
				around.accept(() -> invoke(record, acknowledgment));
			}
		}
	}

	private void intercepted(ConsumerRecord<K, V> original, @Nullable Acknowledgment acknowledgment,
			CallInProgress call) {
		ConsumerRecord<K, V> record = intercept(original, acknowledgment, call);
		if (record != null) {
			invoke(record, acknowledgment);
		}
	}

	/** Null when the interceptor wants the record skipped. */
	private @Nullable ConsumerRecord<K, V> intercept(ConsumerRecord<K, V> original,
			@Nullable Acknowledgment acknowledgment, CallInProgress call) {
		ConsumerRecord<K, V> record = this.interceptor.intercept(original, consumer());
		if (record == null) {
			logger.debug("{}: the record interceptor skips {}-{}@{}", this.listenerId, original.topic(),
					original.partition(), original.offset());
			if (acknowledgment != null) {
				acknowledgment.acknowledge();
			}
			call.skipped();
		}
		return record;
	}

	private void invoke(ConsumerRecord<K, V> record, @Nullable Acknowledgment acknowledgment) {
		try {
			this.invocation.invoke(record, acknowledgment, consumer());
		}
		catch (ListenerExecutionFailedException ex) {
			throw ListenerFailures.ofGroup(this.groupId, ex);
		}
		catch (Exception ex) {
			throw new ListenerExecutionFailedException("Listener failed", this.groupId, ex);
		}
	}

	/** For those who call the listener themselves. */
	CallHeaders headers() {
		return this.headers;
	}

	/** An observation for each record of a batch, where the application wants them. */
	void observeEach(Iterable<ConsumerRecord<K, V>> batch) {
		if (!this.observesBatches || this.observations.isNoop()) {
			return;
		}
		for (ConsumerRecord<K, V> record : batch) {
			Observation observation = observation(record);
			observation.start();
			observation.stop();
		}
	}

	private Observation observation(ConsumerRecord<K, V> record) {
		if (this.observations.isNoop()) {
			return Observation.NOOP;
		}
		try {
			return created(record);
		}
		catch (RuntimeException | Error ex) {
			logger.error("{}: the observation of a call could not be made: {}", this.listenerId,
					ListenerFailures.types(ex));
			return Observation.NOOP;
		}
	}

	private Observation created(ConsumerRecord<K, V> record) {
		return KafkaListenerObservation.LISTENER_OBSERVATION.observation(this.convention,
				DefaultKafkaListenerObservationConvention.INSTANCE, () -> new KafkaRecordReceiverContext(record,
						this.memberId, this.clientId.get(), this.groupId, this.clusterId),
				this.observations);
	}

	private void after(ConsumerRecord<K, V> record, @Nullable Throwable failure) {
		told(() -> {
			if (failure == null) {
				this.interceptor.success(record, consumer());
			}
			else if (failure instanceof Exception exception) {
				this.interceptor.failure(record, exception, consumer());
			}
		});
		told(() -> this.interceptor.afterRecord(record, consumer()));
	}

	/** What hears of the end of a call changes nothing of it. */
	private void told(Runnable end) {
		EndOfCalls.tell(this.listenerId, "record interceptor or timer", end);
	}

}
