package io.evenkeel.kafka.container.rebalance;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

import io.evenkeel.kafka.container.PartitionsLostEvent;
import io.evenkeel.kafka.container.life.OwnerReport;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.AssignedPartition;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;
import org.springframework.kafka.listener.ContainerProperties;

import static org.assertj.core.api.Assertions.assertThat;

class ContainerCallbacksTests {

	private static final TopicPartition P0 = new TopicPartition("t", 0);

	private final List<String> told = new ArrayList<>();

	/** Red when a listener that cleans up after a revocation keeps what was lost. */
	@Test
	void aLossIsARevocationToo() {
		ContainerProperties properties = new ContainerProperties("t");
		properties.setConsumerRebalanceListener(new Listener());
		AbstractMessageListenerContainer<?, ?> container = Mockito.mock();
		Mockito.when(container.getContainerProperties()).thenReturn(properties);
		Mockito.when(container.getListenerId()).thenReturn("orders");
		ListenerContext context = new ListenerContext(container, () -> container, () -> null);
		PartitionEvents.Maker maker = PartitionsLostEvent::new;
		ContainerCallbacks.Surroundings<Object, Object> around = new ContainerCallbacks.Surroundings<>(() -> mock(),
				() -> mock(), null, (consumer) -> {
				}, false, () -> false, () -> {
				}, NanoClock.SYSTEM);
		new ContainerCallbacks<Object, Object>(context, new ContainerEvents(context),
				new PartitionEvents(maker, maker, maker), new OwnerReport(), Duration.ofSeconds(5), null, mock(),
				around)
			.lost(mock(), List.of(new AssignedPartition(P0, 1)));
		assertThat(this.told).containsExactly("lost", "revoked before commit", "revoked after commit");
	}

	@SuppressWarnings("unchecked")
	private static <T> T mock(T... type) {
		return Mockito.mock((Class<T>) type.getClass().getComponentType());
	}

	private final class Listener implements ConsumerAwareRebalanceListener {

		@Override
		public void onPartitionsLost(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
			ContainerCallbacksTests.this.told.add("lost");
		}

		@Override
		public void onPartitionsRevokedBeforeCommit(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
			ContainerCallbacksTests.this.told.add("revoked before commit");
		}

		@Override
		public void onPartitionsRevokedAfterCommit(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
			ContainerCallbacksTests.this.told.add("revoked after commit");
		}

	}

}
