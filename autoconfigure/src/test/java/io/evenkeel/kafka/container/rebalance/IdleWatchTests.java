package io.evenkeel.kafka.container.rebalance;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

import io.evenkeel.kafka.container.WithoutBroker;
import io.evenkeel.kafka.container.life.OwnerReport;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.ConsumerView;
import io.evenkeel.kafka.engine.PartitionView;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;

/**
 * When a listener or a partition is said to be idle, silent, or paused: only while it is
 * true, and by a clock that nobody sets back.
 */
class IdleWatchTests {

	private static final TopicPartition P0 = new TopicPartition("t", 0);

	private final AtomicLong nanos = new AtomicLong();

	private final NanoClock clock = this.nanos::get;

	private final ContainerProperties properties = new ContainerProperties("t");

	private final AbstractMessageListenerContainer<?, ?> container = Mockito
		.mock(AbstractMessageListenerContainer.class);

	private final ListenerContext context = new ListenerContext(this.container, () -> this.container, () -> null);

	private final ContainerEvents events = Mockito.mock(ContainerEvents.class);

	private final ConsumerEngine<Object, Object> engine = WithoutBroker.mock();

	private final Consumer<Object, Object> consumer = WithoutBroker.mock();

	private final Map<TopicPartition, PartitionView> partitions = new HashMap<>();

	@BeforeEach
	void container() {
		this.properties.setIdleEventInterval(1000L);
		this.properties.setIdlePartitionEventInterval(1000L);
		this.properties.setIdleBeforeDataMultiplier(5);
		Mockito.when(this.container.getContainerProperties()).thenReturn(this.properties);
		Mockito.when(this.container.getListenerId()).thenReturn("listener");
		Mockito.when(this.container.getAssignedPartitions()).thenReturn(List.of(P0));
		Mockito.when(this.engine.view()).thenReturn(new ConsumerView(this.partitions, null, Set.of(), Map.of()));
	}

	@Test
	void aListenerIsIdleWhenNothingComesAndNothingIsPending() {
		IdleWatch<Object, Object> watch = new IdleWatch<>(this.context, () -> this.engine, this.events, this::ignored,
				this.clock);
		watch.polled(this.consumer, 1);
		pass(1500);
		view(7, 1);
		watch.polled(this.consumer, 0);
		Mockito.verifyNoInteractions(this.events);
		view(7, 0);
		pass(999);
		watch.polled(this.consumer, 0);
		Mockito.verifyNoInteractions(this.events);
		pass(1);
		watch.polled(this.consumer, 0);
		Mockito.verify(this.events).idle(1000, this.consumer, false);
		pass(500);
		watch.polled(this.consumer, 1);
		Mockito.verify(this.events).noLongerIdle(1500, this.consumer);
	}

	@Test
	void beforeTheFirstRecordIdlenessTakesLonger() {
		IdleWatch<Object, Object> watch = new IdleWatch<>(this.context, () -> this.engine, this.events, this::ignored,
				this.clock);
		pass(4999);
		watch.polled(this.consumer, 0);
		Mockito.verifyNoInteractions(this.events);
		pass(1);
		watch.polled(this.consumer, 0);
		Mockito.verify(this.events).idle(5000, this.consumer, false);
	}

	@Test
	void aPartitionIsIdleWhenItsPositionStandsStillAndNothingIsPending() {
		PartitionIdleWatch<Object, Object> watch = new PartitionIdleWatch<>(this.context, () -> this.engine,
				this.events, this::ignored, this.clock);
		view(7, 0);
		watch.polled(this.consumer);
		pass(600);
		view(8, 0);
		watch.polled(this.consumer);
		pass(600);
		view(8, 1);
		watch.polled(this.consumer);
		pass(600);
		view(8, 0);
		watch.polled(this.consumer);
		Mockito.verifyNoInteractions(this.events);
		pass(400);
		watch.polled(this.consumer);
		Mockito.verify(this.events).partitionIdle(1000, P0, this.consumer, false);
		view(9, 0);
		watch.polled(this.consumer);
		Mockito.verify(this.events).partitionNoLongerIdle(1000, P0, this.consumer);
	}

	@Test
	void aPauseIsToldWhenNothingRunsAnyMore() {
		OwnerReport state = new OwnerReport();
		PauseWatch<Object, Object> watch = new PauseWatch<>(this.context, () -> this.engine, this.events, state,
				() -> false);
		Mockito.when(this.container.isPauseRequested()).thenReturn(true);
		Mockito.when(this.engine.isRunning(P0)).thenReturn(true);
		watch.polled(this.consumer);
		Mockito.verifyNoInteractions(this.events);
		Mockito.when(this.engine.isRunning(P0)).thenReturn(false);
		watch.polled(this.consumer);
		watch.polled(this.consumer);
		Mockito.verify(this.events).paused(List.of(P0));
		Mockito.when(this.container.isPauseRequested()).thenReturn(false);
		watch.polled(this.consumer);
		Mockito.verify(this.events).resumed(List.of(P0));
	}

	@Test
	void aPauseOfAPartitionIsToldWhenNothingOfItRuns() {
		PauseWatch<Object, Object> watch = new PauseWatch<>(this.context, () -> this.engine, this.events,
				new OwnerReport(), () -> true);
		Mockito.when(this.container.isPartitionPauseRequested(P0)).thenReturn(true);
		Mockito.when(this.engine.isRunning(P0)).thenReturn(true);
		watch.polled(this.consumer);
		Mockito.verifyNoInteractions(this.events);
		Mockito.when(this.engine.isRunning(P0)).thenReturn(false);
		watch.polled(this.consumer);
		watch.polled(this.consumer);
		Mockito.verify(this.events).partitionPaused(P0);
	}

	private void ignored(Collection<TopicPartition> idle) {
	}

	private void pass(long millis) {
		this.nanos.addAndGet(Duration.ofMillis(millis).toNanos());
	}

	private void view(long position, int pending) {
		PartitionView view = Mockito.mock(PartitionView.class);
		Mockito.when(view.position()).thenReturn(position);
		Mockito.when(view.pending()).thenReturn(pending);
		this.partitions.put(P0, view);
	}

}
