package io.evenkeel.kafka.container;

import java.util.ArrayList;
import java.util.List;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.micrometer.observation.ObservationRegistry;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.mockito.Mockito;

import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListener;

/**
 * A container that is never started, and the calls of its listener: for tests of what is
 * around a call.
 */
final class WithoutBroker {

	static final ConsumerRecord<Object, Object> RECORD = record(7);

	/** What the listener, the interceptor and the error handler of a test were told. */
	final List<String> told = new ArrayList<>();

	final Consumer<Object, Object> consumer = mock();

	final EngineObserver engineObserver = Mockito.mock(EngineObserver.class);

	final EvenkeelContainer<Object, Object> container;

	private final MessageListener<Object, Object> listener;

	WithoutBroker(MessageListener<Object, Object> listener) {
		this.listener = listener;
		ContainerProperties properties = new ContainerProperties("t");
		properties.setMessageListener(listener);
		this.container = container(properties);
	}

	static EvenkeelContainer<Object, Object> container(ContainerProperties properties) {
		EvenkeelContainer<Object, Object> made = new EvenkeelContainer<>(mock(), properties,
				new ContainerSupport((id) -> ContainerSettings.defaults(), ListenerMeters.NONE, (suffix) -> {
					throw new IllegalStateException("no dead letters here");
				}));
		made.setBeanName("listener");
		return made;
	}

	ListenerContext context() {
		return this.container.context;
	}

	ListenerTarget target() {
		return new ListenerTarget(this.listener);
	}

	ListenerCalls<Object, Object> calls(ObservationRegistry observations) {
		ListenerCalls<Object, Object> calls = new ListenerCalls<>(context(), target(),
				this.container.getRecordInterceptor(), this.container.interceptsBeforeTransaction(), observations,
				CallTimer.NONE, null, () -> null, () -> "client");
		calls.consumer(this.consumer);
		return calls;
	}

	ListenerCalls<Object, Object> calls() {
		return calls(ObservationRegistry.NOOP);
	}

	/** An attempt of one record, which may go on after each wait. */
	static Attempt<Object, Object> attempt() {
		Attempt<Object, Object> attempt = mock();
		Assignment<ConsumerRecord<Object, Object>> assignment = mock();
		Mockito.when(attempt.record()).thenReturn(RECORD);
		Mockito.when(attempt.records()).thenReturn(List.of(RECORD));
		Mockito.when(attempt.size()).thenReturn(1);
		Mockito.when(attempt.assignment()).thenReturn(assignment);
		Mockito.when(attempt.number()).thenReturn(1);
		Mockito.when(attempt.nextNumber()).thenReturn(2);
		Mockito.when(attempt.resume()).thenReturn(true);
		return attempt;
	}

	static RecoveryAttempt<Object, Object> recovery(Delivery<ConsumerRecord<Object, Object>> delivery) {
		RecoveryAttempt<Object, Object> recovery = mock();
		Assignment<ConsumerRecord<Object, Object>> assignment = delivery.assignment();
		Mockito.when(recovery.record()).thenReturn(RECORD);
		Mockito.when(recovery.failure()).thenReturn(new IllegalStateException("simulated"));
		Mockito.when(recovery.delivery()).thenReturn(delivery);
		Mockito.when(recovery.assignment()).thenReturn(assignment);
		Mockito.when(recovery.resume()).thenReturn(true);
		return recovery;
	}

	static Delivery<ConsumerRecord<Object, Object>> delivery() {
		Delivery<ConsumerRecord<Object, Object>> delivery = mock();
		Assignment<ConsumerRecord<Object, Object>> assignment = mock();
		Mockito.when(delivery.record()).thenReturn(RECORD);
		Mockito.when(delivery.assignment()).thenReturn(assignment);
		return delivery;
	}

	static ConsumerRecord<Object, Object> record(long offset) {
		return new ConsumerRecord<>("t", 0, offset, "key", "value");
	}

	@SuppressWarnings("unchecked")
	static <T> T mock(T... type) {
		return Mockito.mock((Class<T>) type.getClass().getComponentType());
	}

}
