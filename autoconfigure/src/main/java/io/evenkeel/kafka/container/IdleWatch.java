package io.evenkeel.kafka.container;

import java.util.Collection;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Publishes spring-kafka's idle events of a container: it is idle when nothing has come
 * and nothing was pending for the interval. Owner thread.
 */
final class IdleWatch<K, V> {

	private final EvenkeelContainer<K, V> container;

	private final ContainerEvents events;

	private final java.util.function.Consumer<Collection<TopicPartition>> onIdle;

	private long lastRecord = System.currentTimeMillis();

	private long lastEvent = this.lastRecord;

	private boolean idle;

	private boolean seenData;

	IdleWatch(EvenkeelContainer<K, V> container, ContainerEvents events,
			java.util.function.Consumer<Collection<TopicPartition>> onIdle) {
		this.container = container;
		this.events = events;
		this.onIdle = onIdle;
	}

	void polled(Consumer<K, V> consumer, int records) {
		@Nullable Long interval = this.container.getContainerProperties().getIdleEventInterval();
		if (interval == null) {
			return;
		}
		long now = System.currentTimeMillis();
		if (records > 0 || this.container.isPending()) {
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
			this.events.idle(now - this.lastRecord, consumer, this.container.isContainerPaused());
			this.onIdle.accept(this.container.getAssignedPartitions());
		}
	}

	private double beforeData() {
		return this.container.getContainerProperties().getIdleBeforeDataMultiplier();
	}

}
