package io.evenkeel.kafka.container;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Publishes spring-kafka's pause and resume events when a pause that the user asked for
 * has become true. Owner thread.
 */
final class PauseWatch<K, V> {

	private final EvenkeelContainer<K, V> container;

	private final ContainerEvents events;

	private final RunState state;

	private final Set<TopicPartition> pausedPartitions = new HashSet<>();

	private boolean paused;

	PauseWatch(EvenkeelContainer<K, V> container, ContainerEvents events, RunState state) {
		this.container = container;
		this.events = events;
		this.state = state;
	}

	void polled(Consumer<K, V> consumer) {
		boolean wanted = this.container.isPauseRequested();
		Collection<TopicPartition> assigned = this.container.getAssignedPartitions();
		if (wanted != this.paused) {
			this.paused = wanted;
			this.state.paused(wanted);
			if (wanted) {
				this.events.paused(assigned);
			}
			else {
				this.events.resumed(assigned);
			}
		}
		if (this.pausedPartitions.isEmpty() && !this.container.hasPartitionPauses()) {
			return;
		}
		for (TopicPartition partition : assigned) {
			if (this.container.isPartitionPauseRequested(partition)) {
				if (this.pausedPartitions.add(partition)) {
					this.events.partitionPaused(partition);
				}
			}
			else if (this.pausedPartitions.remove(partition)) {
				this.events.partitionResumed(partition);
			}
		}
		this.pausedPartitions.retainAll(assigned);
	}

}
