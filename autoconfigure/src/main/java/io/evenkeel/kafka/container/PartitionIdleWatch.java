package io.evenkeel.kafka.container;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

import io.evenkeel.kafka.engine.EngineSnapshot;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Publishes spring-kafka's idle events of single partitions: one whose position stands
 * still is idle. Owner thread.
 */
final class PartitionIdleWatch<K, V> {

	private final EvenkeelContainer<K, V> container;

	private final ContainerEvents events;

	private final Map<TopicPartition, Seen> seen = new HashMap<>();

	PartitionIdleWatch(EvenkeelContainer<K, V> container, ContainerEvents events) {
		this.container = container;
		this.events = events;
	}

	void polled(Consumer<K, V> consumer) {
		@Nullable Long interval = this.container.getContainerProperties().getIdlePartitionEventInterval();
		if (interval == null) {
			return;
		}
		long now = System.currentTimeMillis();
		Set<TopicPartition> assigned = new HashSet<>();
		for (EngineSnapshot.Partition partition : this.container.snapshot().partitions()) {
			assigned.add(partition.partition());
			Seen state = this.seen.computeIfAbsent(partition.partition(), (key) -> new Seen(partition.position(), now));
			if (state.position != partition.position()) {
				if (state.idle) {
					this.events.partitionNoLongerIdle(now - state.since, partition.partition(), consumer);
				}
				this.seen.put(partition.partition(), new Seen(partition.position(), now));
			}
			else if (now - state.lastEvent >= interval) {
				state.idle = true;
				state.lastEvent = now;
				this.events.partitionIdle(now - state.since, partition.partition(), consumer,
						this.container.isPartitionPaused(partition.partition()));
			}
		}
		this.seen.keySet().retainAll(assigned);
	}

	/** What was last seen of a partition. */
	private static final class Seen {

		private final long position;

		private final long since;

		private long lastEvent;

		private boolean idle;

		Seen(long position, long since) {
			this.position = position;
			this.since = since;
			this.lastEvent = since;
		}

	}

}
