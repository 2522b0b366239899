package io.evenkeel.kafka.engine;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

import io.evenkeel.kafka.engine.ChangedStates.Reader;
import io.evenkeel.kafka.engine.offset.OffsetTracker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidGroupIdException;
import org.jspecify.annotations.Nullable;

/**
 * Publishes what other threads may know of the consumer: in each turn, before the records
 * of its poll are handed to workers, and in each callback, before the application is told
 * of it. Owner thread only, but for {@link #current}.
 */
final class Views<K, V> {

	private final Consumer<K, V> consumer;

	private final AssignmentTable<K, V> table;

	private volatile ConsumerView current = ConsumerView.EMPTY;

	/** Without a group each question for it would be an exception. */
	private boolean noGroup;

	/** The change of the table that was published last. */
	private long published = -1;

	Views(Consumer<K, V> consumer, AssignmentTable<K, V> table) {
		this.consumer = consumer;
		this.table = table;
	}

	/** What was published last. Any thread. */
	ConsumerView current() {
		return this.current;
	}

	/** Publish how things are now. */
	void publish() {
		for (PartitionState<K, V> state : this.table.changed().take(Reader.VIEWS)) {
			OffsetTracker tracker = state.assignment().tracker();
			// What it replaces is still being handled: nobody should take it for idle.
			int pending = tracker.unfinished() + (state.hasPredecessor() ? 1 : 0);
			state.view().update(tracker.committable(), pending, state.isBackPressure());
		}
		ConsumerView before = this.current;
		ConsumerGroupMetadata group = group();
		if (this.published != this.table.changes() || !Objects.equals(group, before.group())) {
			this.published = this.table.changes();
			Map<TopicPartition, PartitionView> partitions = new HashMap<>();
			for (PartitionState<K, V> state : this.table.view()) {
				partitions.put(state.partition(), state.view());
			}
			this.current = new ConsumerView(Map.copyOf(partitions), group, Set.copyOf(this.consumer.subscription()),
					this.consumer.metrics());
		}
	}

	private @Nullable ConsumerGroupMetadata group() {
		if (this.noGroup) {
			return null;
		}
		try {
			return this.consumer.groupMetadata();
		}
		catch (InvalidGroupIdException ex) {
			this.noGroup = true;
			return null;
		}
		catch (RuntimeException ex) {
			// The consumer is being closed.
			return this.current.group();
		}
	}

}
