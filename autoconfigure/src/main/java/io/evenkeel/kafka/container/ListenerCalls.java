package io.evenkeel.kafka.container;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
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
 * Calls a listener with one record, with all that spring-kafka does around it:
 * thread-bound group id, headers, interceptor, observation, timer. The end of the call is
 * reported once, when the listener's work is really over: when it returns, or when its
 * future does.
 *
 * <h2>Threading</h2> Called on worker threads; the end may be reported from any.
 */
final class ListenerCalls<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(ListenerCalls.class);

	private static final LogAccessor accessor = new LogAccessor(LogFactory.getLog(ListenerCalls.class));

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
		return new CallObservation(Observation.NOOP, this.calls, over);
	}

	/**
	 * Call the listener and wait until its work is over.
	 * @param record the record
	 * @param attempt the number of the call
	 * @param acknowledgment null when the listener does not acknowledge
	 * @return null after a success, otherwise why it failed
	 */
	@Nullable Throwable callAndWait(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment) {
		return callAndWait(record, attempt, acknowledgment, Runnable::run);
	}

	@Nullable Throwable callAndWait(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment,
			Consumer<Runnable> around) {
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
		call(record, attempt, acknowledgment, over, Runnable::run);
	}

	private void call(ConsumerRecord<K, V> record, int attempt, @Nullable Acknowledgment acknowledgment,
			Consumer<@Nullable Throwable> over, Consumer<Runnable> around) {
		internalHeaders(record, attempt);
		Object sample = this.timer.start();
		InProgress progress = new InProgress(over);
		CallObservation observation = new CallObservation(observation(record), this.calls, progress::stopped);
		AssignmentBeans beans = (this.beanScope != null) ? this.beanScope.current() : null;
		if (this.beanScope != null && beans != null) {
			observation.carry(this.beanScope, beans);
		}
		observation.start();
		Observation.Scope scope = observation.openScope();
		KafkaUtils.setConsumerGroupId(this.groupId);
		Throwable failure = null;
		try {
			setupThread();
			invoke(record, acknowledgment, progress, around);
			this.timer.success(sample, record);
			after(record, null);
		}
		catch (Throwable ex) {
			failure = ex;
			this.timer.failure(sample, record, ex);
			after(record, ex);
			if (!this.target.tellsWhenOver() || !progress.isStopped()) {
				observation.error(ex);
			}
		}
		finally {
			KafkaUtils.clearConsumerGroupId();
			clearThread();
			scope.close();
		}
		progress.returned(observation, failure);
	}

	private void invoke(ConsumerRecord<K, V> original, @Nullable Acknowledgment acknowledgment, InProgress progress,
			Consumer<Runnable> around) {
		checkDeserialized(original);
		if (!this.interceptBeforeTx) {
			around.accept(() -> {
				ConsumerRecord<K, V> record = intercepted(original, acknowledgment, progress);
				if (record != null) {
					invoke(record, acknowledgment);
				}
			});
			return;
		}
		ConsumerRecord<K, V> record = intercepted(original, acknowledgment, progress);
		around.accept(() -> {
			if (record != null) {
				invoke(record, acknowledgment);
			}
		});
	}

	/** Null when the interceptor wants the record skipped. */
	private @Nullable ConsumerRecord<K, V> intercepted(ConsumerRecord<K, V> original,
			@Nullable Acknowledgment acknowledgment, InProgress progress) {
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
			progress.skipped();
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
		record.headers().remove(KafkaHeaders.DELIVERY_ATTEMPT);
		record.headers()
			.add(new RecordHeader(KafkaHeaders.DELIVERY_ATTEMPT, ByteBuffer.allocate(4).putInt(attempt).array()));
		if (this.info != null && record.headers().lastHeader(KafkaHeaders.LISTENER_INFO) == null) {
			record.headers().add(new RecordHeader(KafkaHeaders.LISTENER_INFO, this.info));
		}
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
	 * return come in any order and from two threads; whoever comes second reports.
	 */
	private final class InProgress {

		private final Consumer<@Nullable Throwable> over;

		private final AtomicBoolean first = new AtomicBoolean();

		private volatile boolean stopped;

		private boolean skipped;

		private volatile @Nullable Throwable thrown;

		InProgress(Consumer<@Nullable Throwable> over) {
			this.over = over;
		}

		void skipped() {
			this.skipped = true;
		}

		boolean isStopped() {
			return this.stopped;
		}

		void stopped(CallObservation observation) {
			if (this.stopped) {
				return;
			}
			this.stopped = true;
			meet(observation);
		}

		void returned(CallObservation observation, @Nullable Throwable failure) {
			this.thrown = failure;
			if (!this.stopped && (failure != null || this.skipped || !ListenerCalls.this.target.tellsWhenOver())) {
				observation.stop();
			}
			meet(observation);
		}

		private void meet(CallObservation observation) {
			if (!this.first.compareAndSet(false, true)) {
				this.over.accept(outcome(observation));
			}
		}

		private @Nullable Throwable outcome(CallObservation observation) {
			if (this.thrown != null) {
				return this.thrown;
			}
			if (observation.unrecovered() != null) {
				return observation.unrecovered();
			}
			// An error without a throw was recovered if somebody is there to recover it.
			return ListenerCalls.this.target.recovers() ? null : observation.error();
		}

	}

}
