package io.evenkeel.kafka.container;

import java.util.ArrayList;
import java.util.List;

import io.evenkeel.kafka.container.call.CallTimer;
import io.evenkeel.kafka.container.call.ListenerCalls;
import io.evenkeel.kafka.container.call.ListenerTarget;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
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
public final class WithoutBroker {

	public static final ConsumerRecord<Object, Object> RECORD = record(7);

	/** What the listener, the interceptor and the error handler of a test were told. */
	public final List<String> told = new ArrayList<>();

	public final Consumer<Object, Object> consumer = mock();

	public final EngineObserver engineObserver = Mockito.mock(EngineObserver.class);

	public final EvenkeelContainer<Object, Object> container;

	private final MessageListener<Object, Object> listener;

	public WithoutBroker(MessageListener<Object, Object> listener) {
		this.listener = listener;
		ContainerProperties properties = new ContainerProperties("t");
		properties.setMessageListener(listener);
		this.container = container(properties);
	}

	public static EvenkeelContainer<Object, Object> container(ContainerProperties properties) {
		EvenkeelContainer<Object, Object> made = new EvenkeelContainer<>(mock(), properties,
				new ContainerDependencies((id) -> ContainerSettings.defaults(), ListenerMeters.NONE, (suffix) -> {
					throw new IllegalStateException("no dead letters here");
				}));
		made.setBeanName("listener");
		return made;
	}

	public ListenerContext context() {
		return this.container.context;
	}

	public ListenerTarget target() {
		return new ListenerTarget(this.listener);
	}

	public ListenerCalls<Object, Object> calls(ObservationRegistry observations) {
		ListenerCalls<Object, Object> calls = new ListenerCalls<>(context(), target(),
				this.container.getRecordInterceptor(), this.container.interceptsBeforeTransaction(), observations,
				CallTimer.NONE, null, () -> null, () -> "client");
		calls.consumer(this.consumer);
		return calls;
	}

	public ListenerCalls<Object, Object> calls() {
		return calls(ObservationRegistry.NOOP);
	}

	/** An attempt of one record, which may go on after each wait. */
	public static Attempt<Object, Object> attempt() {
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

	public static RecoveryAttempt<Object, Object> recovery(Delivery<ConsumerRecord<Object, Object>> delivery) {
		RecoveryAttempt<Object, Object> recovery = mock();
		Assignment<ConsumerRecord<Object, Object>> assignment = delivery.assignment();
		Mockito.when(recovery.record()).thenReturn(RECORD);
		Mockito.when(recovery.failure()).thenReturn(new IllegalStateException("simulated"));
		Mockito.when(recovery.delivery()).thenReturn(delivery);
		Mockito.when(recovery.assignment()).thenReturn(assignment);
		Mockito.when(recovery.resume()).thenReturn(true);
		return recovery;
	}

	public static Delivery<ConsumerRecord<Object, Object>> delivery() {
		Delivery<ConsumerRecord<Object, Object>> delivery = mock();
		Assignment<ConsumerRecord<Object, Object>> assignment = mock();
		Mockito.when(delivery.record()).thenReturn(RECORD);
		Mockito.when(delivery.assignment()).thenReturn(assignment);
		return delivery;
	}

	public static ConsumerRecord<Object, Object> record(long offset) {
		return new ConsumerRecord<>("t", 0, offset, "key", "value");
	}

	@SuppressWarnings("unchecked")
	public static <T> T mock(T... type) {
		return Mockito.mock((Class<T>) type.getClass().getComponentType());
	}

}
