package io.evenkeel.kafka.container.rebalance;

import java.util.Collection;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Publishes spring-kafka's idle events of a container: it is idle when nothing has come
 * and nothing was pending for the interval. Owner thread.
 */
final class IdleWatch<K, V> {

	private final ListenerContext context;

	private final Supplier<ConsumerEngine<K, V>> engine;

	private final ContainerEvents events;

	private final java.util.function.Consumer<Collection<TopicPartition>> onIdle;

	private final NanoClock clock;

	private long lastRecord;

	private long lastEvent;

	private boolean idle;

	private boolean seenData;

	IdleWatch(ListenerContext context, Supplier<ConsumerEngine<K, V>> engine, ContainerEvents events,
			java.util.function.Consumer<Collection<TopicPartition>> onIdle, NanoClock clock) {
		this.context = context;
		this.engine = engine;
		this.events = events;
		this.onIdle = onIdle;
		this.clock = clock;
		this.lastRecord = clock.millis();
		this.lastEvent = this.lastRecord;
	}

	void polled(Consumer<K, V> consumer, int records) {
		@Nullable Long interval = this.context.properties().getIdleEventInterval();
		if (interval == null) {
			return;
		}
		long now = this.clock.millis();
		if (records > 0 || isPending()) {
			if (this.idle) {
				this.idle = false;
				this.events.noLongerIdle(now - this.lastRecord, consumer);
			}
			this.lastRecord = now;
			this.lastEvent = now;
			this.seenData = true;
		}
		else if (now - this.lastEvent >= (this.seenData ? interval : (long) (interval * beforeData()))) {
			this.idle = true;
			this.lastEvent = now;
			this.events.idle(now - this.lastRecord, consumer, this.context.container().isContainerPaused());
			this.onIdle.accept(this.context.assigned());
		}
	}

	/** Whether a record is queued, in hand, parked or not acknowledged. */
	private boolean isPending() {
		return this.engine.get().view().partitions().values().stream().anyMatch((partition) -> partition.pending() > 0);
	}

	private double beforeData() {
		return this.context.properties().getIdleBeforeDataMultiplier();
	}

}
