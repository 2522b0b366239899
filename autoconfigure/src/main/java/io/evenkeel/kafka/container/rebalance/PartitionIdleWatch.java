package io.evenkeel.kafka.container.rebalance;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.PartitionView;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Publishes spring-kafka's idle events of single partitions: one is idle of which nothing
 * is pending and whose position stands still. Owner thread.
 */
final class PartitionIdleWatch<K, V> {

	private final ListenerContext context;

	private final Supplier<ConsumerEngine<K, V>> engine;

	private final ContainerEvents events;

	private final Map<TopicPartition, Seen> seen = new HashMap<>();

	private final java.util.function.Consumer<Collection<TopicPartition>> onIdle;

	private final NanoClock clock;

	PartitionIdleWatch(ListenerContext context, Supplier<ConsumerEngine<K, V>> engine, ContainerEvents events,
			java.util.function.Consumer<Collection<TopicPartition>> onIdle, NanoClock clock) {
		this.clock = clock;
		this.onIdle = onIdle;
		this.context = context;
		this.engine = engine;
		this.events = events;
	}

	void polled(Consumer<K, V> consumer) {
		@Nullable Long interval = this.context.properties().getIdlePartitionEventInterval();
		if (interval == null) {
			return;
		}
		long now = this.clock.millis();
		Map<TopicPartition, PartitionView> assigned = this.engine.get().view().partitions();
		assigned.forEach((partition, view) -> look(partition, view, now, interval, consumer));
		this.seen.keySet().retainAll(assigned.keySet());
	}

	private void look(TopicPartition partition, PartitionView view, long now, long interval, Consumer<K, V> consumer) {
		Seen known = this.seen.computeIfAbsent(partition, (key) -> new Seen(view.position(), now));
		if (view.pending() > 0 || view.position() != known.position) {
			// A position that has become known is no record.
			if (known.idle && (view.pending() > 0 || known.position >= 0)) {
				this.events.partitionNoLongerIdle(now - known.since, partition, consumer);
			}
			this.seen.put(partition, new Seen(view.position(), now));
		}
		else if (now - known.lastEvent >= interval) {
			known.idle = true;
			known.lastEvent = now;
			this.events.partitionIdle(now - known.since, partition, consumer,
					this.context.container().isPartitionPaused(partition));
			this.onIdle.accept(Set.of(partition));
		}
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
