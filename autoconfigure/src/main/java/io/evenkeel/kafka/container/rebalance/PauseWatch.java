package io.evenkeel.kafka.container.rebalance;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.life.OwnerReport;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.ConsumerEngine;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Publishes spring-kafka's pause and resume events when a pause that the user asked for
 * has become true: nothing of what is paused runs any more. Owner thread.
 */
final class PauseWatch<K, V> {

	private final ListenerContext context;

	private final Supplier<ConsumerEngine<K, V>> engine;

	private final ContainerEvents events;

	private final OwnerReport state;

	/** Whether the user wants any single partition paused. */
	private final BooleanSupplier anyPartition;

	private final Set<TopicPartition> toldPartitions = new HashSet<>();

	private boolean told;

	PauseWatch(ListenerContext context, Supplier<ConsumerEngine<K, V>> engine, ContainerEvents events,
			OwnerReport state, BooleanSupplier anyPartition) {
		this.anyPartition = anyPartition;
		this.context = context;
		this.engine = engine;
		this.events = events;
		this.state = state;
	}

	void polled(Consumer<K, V> consumer) {
		MessageListenerContainer container = this.context.container();
		boolean wanted = container.isPauseRequested();
		Collection<TopicPartition> assigned = this.context.assigned();
		// Nothing is fetched or begun any more; that is told when nothing runs.
		this.state.paused(wanted);
		if (wanted != this.told && (!wanted || standsStill(assigned))) {
			this.told = wanted;
			if (wanted) {
				this.events.paused(assigned);
			}
			else {
				this.events.resumed(assigned);
			}
		}
		if (this.toldPartitions.isEmpty() && !this.anyPartition.getAsBoolean()) {
			return;
		}
		for (TopicPartition partition : assigned) {
			if (!container.isPartitionPauseRequested(partition)) {
				if (this.toldPartitions.remove(partition)) {
					this.events.partitionResumed(partition);
				}
			}
			else if (!this.toldPartitions.contains(partition) && standsStill(Set.of(partition))) {
				this.toldPartitions.add(partition);
				this.events.partitionPaused(partition);
			}
		}
		this.toldPartitions.retainAll(assigned);
	}

	private boolean standsStill(Collection<TopicPartition> partitions) {
		return partitions.stream().noneMatch(this.engine.get()::isRunning);
	}

}
