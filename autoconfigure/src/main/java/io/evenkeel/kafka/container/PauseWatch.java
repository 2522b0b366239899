package io.evenkeel.kafka.container;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Publishes spring-kafka's pause and resume events when a pause that the user asked for
 * has become true: nothing of what is paused runs any more. Owner thread.
 */
final class PauseWatch<K, V> {

	private final EvenkeelContainer<K, V> container;

	private final ContainerEvents events;

	private final RunState state;

	private final Set<TopicPartition> toldPartitions = new HashSet<>();

	private boolean told;

	PauseWatch(EvenkeelContainer<K, V> container, ContainerEvents events, RunState state) {
		this.container = container;
		this.events = events;
		this.state = state;
	}

	void polled(Consumer<K, V> consumer) {
		boolean wanted = this.container.isPauseRequested();
		Collection<TopicPartition> assigned = this.container.getAssignedPartitions();
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
		if (this.toldPartitions.isEmpty() && !this.container.hasPartitionPauses()) {
			return;
		}
		for (TopicPartition partition : assigned) {
			if (!this.container.isPartitionPauseRequested(partition)) {
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
		return partitions.stream().noneMatch(this.container.current::isRunning);
	}

}
