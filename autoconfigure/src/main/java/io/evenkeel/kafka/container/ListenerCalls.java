package io.evenkeel.kafka.container;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Consumer;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.kafka.support.KafkaUtils;
import org.springframework.kafka.support.micrometer.KafkaListenerObservation;
import org.springframework.kafka.support.micrometer.KafkaListenerObservation.DefaultKafkaListenerObservationConvention;
import org.springframework.kafka.support.micrometer.KafkaListenerObservationConvention;
import org.springframework.kafka.support.micrometer.KafkaRecordReceiverContext;
import org.springframework.kafka.support.serializer.DeserializationException;
import org.springframework.kafka.support.serializer.SerializationUtils;

/**
 * Calls a listener with one record, with all that spring-kafka does around it: headers,
 * interceptor, observation, timer. The end of the call is reported once, when the
 * listener's work is really over: when it returns, or when its future does.
 *
 * <h2>Threading</h2> Called on worker threads; the end may be reported from any.
 */
final class ListenerCalls<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(ListenerCalls.class);

	private static final LogAccessor accessor = new LogAccessor(LogFactory.getLog(ListenerCalls.class));

	@SuppressWarnings("rawtypes")
	private static final AtomicIntegerFieldUpdater<ListenerCalls.InProgress> MET = AtomicIntegerFieldUpdater
		.newUpdater(ListenerCalls.InProgress.class, "met");

	private final ListenerTarget target;

	private final ListenerTarget.Invocation<K, V> invocation;

	private final @Nullable RecordInterceptor<K, V> interceptor;

	private final CallObservationRegistry calls;

	private final ObservationRegistry observations;

	private final @Nullable KafkaListenerObservationConvention convention;

	private final CallTimer timer;

	private final @Nullable String groupId;

	private final String listenerId;

	private final @Nullable String clientId;

	private final byte @Nullable [] info;

	/** Nearly all calls are first ones: one header serves them all. */
	private final Header firstAttempt = attemptHeader(1);

	private final boolean interceptBeforeTx;

	private final @Nullable AssignmentBeanScope beanScope;

	private org.apache.kafka.clients.consumer.@Nullable Consumer<K, V> consumer;

	ListenerCalls(EvenkeelContainer<K, V> container, ListenerTarget target, ObservationRegistry observations,
			CallTimer timer, @Nullable AssignmentBeanScope beanScope) {
		this.beanScope = beanScope;
		this.interceptBeforeTx = container.interceptsBeforeTransaction();
		this.target = target;
		this.invocation = target.isBatch() ? (record, acknowledgment, ignored) -> {
			throw new IllegalStateException("A batch listener takes no single records");
		} : target.records();
		this.interceptor = container.getRecordInterceptor();
		this.observations = observations;
		this.calls = new CallObservationRegistry(observations);
		this.convention = container.getContainerProperties().getObservationConvention();
		this.timer = timer;
		this.groupId = container.getGroupId();
		this.listenerId = container.getListenerId();
		this.clientId = container.getContainerProperties().getClientId();
		this.info = container.getListenerInfo();
		target.observe(this.calls);
		target.hearAsyncFailures(this.calls);
	}

	/** The consumer that listeners and interceptors see. */
	void consumer(org.apache.kafka.clients.consumer.Consumer<K, V> consumer) {
		this.consumer = consumer;
	}

	org.apache.kafka.clients.consumer.Consumer<K, V> consumer() {
		org.apache.kafka.clients.consumer.Consumer<K, V> current = this.consumer;
		if (current == null) {
			throw new IllegalStateException("The container has not started");
		}
		return current;
	}

	/** An observation that only tells when an adapter says that a call is over. */
	CallObservation observed(Consumer<CallObservation> over) {
		return new CallObservation(Observation.NOOP, this.calls) {

			@Override
			void stopped() {
				over.accept(this);
			}

		};
	}

	/**
	 * Call the listener and wait until its work is over.
	 * @param record the record
	 * @param attempt the number of the call
	 * @param acknowledgment null when the listener does not acknowledge
	 * @return null after a success, otherwise why it failed
	 */
	@Nullable Throwable callAndWait(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment) {
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
	@Nullable Throwable callAndWait(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment,
			@Nullable Consumer<Runnable> around) {
		CompletableFuture<@Nullable Throwable> over = new CompletableFuture<>();
		call(record, attempt, acknowledgment, over::complete, around);
		return over.join();
	}

	/**
	 * Call the listener.
	 * @param record the record
	 * @param attempt the number of the call, for the header
	 * @param acknowledgment null when the listener does not acknowledge
	 * @param over told once, with null after a success, otherwise with why it failed
	 */
	void call(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment,
			Consumer<@Nullable Throwable> over) {
		call(record, attempt, acknowledgment, over, null);
	}

	private void call(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment,
			Consumer<@Nullable Throwable> over, @Nullable Consumer<Runnable> around) {
		internalHeaders(record, attempt);
		Object sample = this.timer.start();
		InProgress call = new InProgress(observation(record), over);
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
			setupThread();
			invoke(record, acknowledgment, call, (around != null && this.target.isAsync())
					? (work) -> around.accept(() -> call.runToTheEnd(work)) : around);
			this.timer.success(sample, record);
			after(record, null);
		}
		catch (Throwable ex) {
			failure = ex;
			this.timer.failure(sample, record, ex);
			after(record, ex);
			if (!this.target.tellsWhenOver() || !call.isStopped()) {
				call.error(ex);
			}
		}
		finally {
			clearThread();
			current.set(previous);
			if (scope != null) {
				scope.close();
			}
		}
		call.returned(failure);
	}

	private void invoke(ConsumerRecord<K, V> original, @Nullable Acknowledgment acknowledgment, InProgress call,
			@Nullable Consumer<Runnable> around) {
		checkDeserialized(original);
		if (around == null) {
			intercepted(original, acknowledgment, call);
		}
		else if (!this.interceptBeforeTx) {
			around.accept(() -> intercepted(original, acknowledgment, call));
		}
		else {
			ConsumerRecord<K, V> record = intercept(original, acknowledgment, call);
			around.accept(() -> {
				if (record != null) {
					invoke(record, acknowledgment);
				}
			});
		}
	}

	private void intercepted(ConsumerRecord<K, V> original, @Nullable Acknowledgment acknowledgment, InProgress call) {
		ConsumerRecord<K, V> record = intercept(original, acknowledgment, call);
		if (record != null) {
			invoke(record, acknowledgment);
		}
	}

	/** Null when the interceptor wants the record skipped. */
	private @Nullable ConsumerRecord<K, V> intercept(ConsumerRecord<K, V> original,
			@Nullable Acknowledgment acknowledgment, InProgress call) {
		if (this.interceptor == null) {
			return original;
		}
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
			throw new ListenerExecutionFailedException(String.valueOf(ex.getMessage()), this.groupId,
					(ex.getCause() != null) ? ex.getCause() : ex);
		}
		catch (Exception ex) {
			throw new ListenerExecutionFailedException("Listener failed", this.groupId, ex);
		}
	}

	private static void checkDeserialized(ConsumerRecord<?, ?> record) {
		DeserializationException failure = undeserialized(record);
		if (failure != null) {
			throw failure;
		}
	}

	/** What an error handling deserializer says of a record; null for a good one. */
	static @Nullable DeserializationException undeserialized(ConsumerRecord<?, ?> record) {
		if (record.value() instanceof DeserializationException failure) {
			return failure;
		}
		if (record.key() instanceof DeserializationException failure) {
			return failure;
		}
		DeserializationException failure = null;
		if (record.value() == null) {
			failure = fromHeader(record, KafkaUtils.VALUE_DESERIALIZER_EXCEPTION_HEADER);
		}
		if (failure == null && record.key() == null) {
			failure = fromHeader(record, KafkaUtils.KEY_DESERIALIZER_EXCEPTION_HEADER);
		}
		return failure;
	}

	private static @Nullable DeserializationException fromHeader(ConsumerRecord<?, ?> record, String header) {
		return (record.headers().lastHeader(header) != null)
				? SerializationUtils.getExceptionFromHeader(record, header, accessor) : null;
	}

	void internalHeaders(ConsumerRecord<K, V> record, int attempt) {
		Headers headers = record.headers();
		if (attempt > 1 || headers.lastHeader(KafkaHeaders.DELIVERY_ATTEMPT) != null) {
			headers.remove(KafkaHeaders.DELIVERY_ATTEMPT);
		}
		headers.add((attempt == 1) ? this.firstAttempt : attemptHeader(attempt));
		if (this.info != null && headers.lastHeader(KafkaHeaders.LISTENER_INFO) == null) {
			headers.add(new RecordHeader(KafkaHeaders.LISTENER_INFO, this.info));
		}
	}

	private static Header attemptHeader(int attempt) {
		return new RecordHeader(KafkaHeaders.DELIVERY_ATTEMPT, ByteBuffer.allocate(4).putInt(attempt).array());
	}

	private Observation observation(ConsumerRecord<K, V> record) {
		if (this.observations.isNoop()) {
			return Observation.NOOP;
		}
		return KafkaListenerObservation.LISTENER_OBSERVATION.observation(this.convention,
				DefaultKafkaListenerObservationConvention.INSTANCE,
				() -> new KafkaRecordReceiverContext(record, this.listenerId, this.clientId, this.groupId, () -> null),
				this.observations);
	}

	private void setupThread() {
		if (this.interceptor != null) {
			this.interceptor.setupThreadState(consumer());
		}
	}

	private void clearThread() {
		if (this.interceptor != null) {
			this.interceptor.clearThreadState(consumer());
		}
	}

	private void after(ConsumerRecord<K, V> record, @Nullable Throwable failure) {
		if (this.interceptor == null) {
			return;
		}
		try {
			if (failure == null) {
				this.interceptor.success(record, consumer());
			}
			else if (failure instanceof Exception exception) {
				this.interceptor.failure(record, exception, consumer());
			}
			this.interceptor.afterRecord(record, consumer());
		}
		catch (Exception ex) {
			logger.error("{}: the record interceptor failed after the call: {}", this.listenerId, Failures.types(ex));
		}
	}

	/**
	 * One call between its begin and its end. The adapter's stop and the listener's
	 * return come in any order and from two threads; whoever comes second reports, which
	 * the compare-and-set decides. Call and observation are one object because each
	 * record needs both.
	 */
	private final class InProgress extends CallObservation {

		private final Consumer<@Nullable Throwable> over;

		@SuppressWarnings("unused") // through its updater
		volatile int met;

		private volatile boolean stopped;

		private boolean skipped;

		private volatile @Nullable Throwable thrown;

		/** Only where somebody waits. */
		private @Nullable CountDownLatch end;

		InProgress(Observation delegate, Consumer<@Nullable Throwable> over) {
			super(delegate, ListenerCalls.this.calls);
			this.over = over;
		}

		void skipped() {
			this.skipped = true;
		}

		boolean isStopped() {
			return this.stopped;
		}

		@Override
		void stopped() {
			if (this.stopped) {
				return;
			}
			this.stopped = true;
			if (this.end != null) {
				this.end.countDown();
			}
			meet();
		}

		/**
		 * What is around an asynchronous call ends when its work does, and fails when
		 * that fails.
		 */
		void runToTheEnd(Runnable call) {
			CountDownLatch latch = new CountDownLatch(1);
			this.end = latch;
			call.run();
			if (this.skipped) {
				return;
			}
			try {
				latch.await();
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw new ListenerExecutionFailedException("Interrupted while the listener's future was awaited",
						ListenerCalls.this.groupId, ex);
			}
			Throwable failure = outcome();
			if (failure != null) {
				throw new ListenerExecutionFailedException("The listener's future failed", ListenerCalls.this.groupId,
						failure);
			}
		}

		void returned(@Nullable Throwable failure) {
			if (failure != null) {
				this.thrown = failure;
			}
			if (!this.stopped && (failure != null || this.skipped || !ListenerCalls.this.target.tellsWhenOver())) {
				stop();
			}
			meet();
		}

		private void meet() {
			if (MET.getAndSet(this, 1) != 0) {
				this.over.accept(outcome());
			}
		}

		private @Nullable Throwable outcome() {
			if (this.thrown != null) {
				return this.thrown;
			}
			if (unrecovered() != null) {
				return unrecovered();
			}
			// An error without a throw was recovered if somebody is there to recover it.
			return ListenerCalls.this.target.recovers() ? null : error();
		}

	}

}
