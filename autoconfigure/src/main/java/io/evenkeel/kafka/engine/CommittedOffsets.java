package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

import io.evenkeel.kafka.engine.offset.CompletedOffsets;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives new assignments what their previous owners committed. A partition whose committed
 * offset cannot be had yet stays paused and is asked for again, because handling records
 * whose completion is only recorded in the metadata would make duplicates. Owner thread
 * only.
 */
final class CommittedOffsets<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(CommittedOffsets.class);

	private final String id;

	private final Consumer<K, V> consumer;

	private final AssignmentTable<K, V> table;

	private final EngineSettings settings;

	private final EngineObserver listener;

	CommittedOffsets(String id, Consumer<K, V> consumer, AssignmentTable<K, V> table, EngineSettings settings,
			EngineObserver listener) {
		this.id = id;
		this.consumer = consumer;
		this.table = table;
		this.settings = settings;
		this.listener = listener;
	}

	/**
	 * Read committed offsets for assignments that do not have theirs yet.
	 * @param timeout the longest wait
	 */
	void restore(Duration timeout) {
		Set<TopicPartition> missing = new HashSet<>();
		for (PartitionState<K, V> state : this.table.unrestored()) {
			// Nothing of one that stops will start, so there is nothing to wait for.
			if (!state.assignment().isStopping()) {
				missing.add(state.partition());
			}
		}
		if (missing.isEmpty()) {
			return;
		}
		if (!this.settings.hasGroup()) {
			restoredEmpty(missing);
			return;
		}
		try {
			Map<TopicPartition, OffsetAndMetadata> committed = this.consumer.committed(missing, timeout);
			this.table.of(missing).forEach((state) -> restore(state, committed));
		}
		catch (WakeupException | RetriableException ex) {
			if (!this.settings.saveCompleted() && !this.settings.commitInitialPosition()) {
				// Good to know, but nothing depends on it.
				restoredEmpty(missing);
				return;
			}
			logger.warn("{}: the committed offsets of {} could not be read yet; the partitions wait", this.id, missing,
					ex);
		}
	}

	private void restoredEmpty(Set<TopicPartition> partitions) {
		for (PartitionState<K, V> state : this.table.of(partitions)) {
			state.restoredEmpty(false);
		}
	}

	private void restore(PartitionState<K, V> state, Map<TopicPartition, OffsetAndMetadata> all) {
		OffsetAndMetadata committed = all.get(state.partition());
		if (committed == null) {
			state.restoredEmpty(this.settings.commitInitialPosition());
			return;
		}
		CompletedOffsets completed = CompletedOffsets
			.decode(this.settings.saveCompleted() ? committed.metadata() : null, committed.offset());
		switch (completed.status()) {
			case ABSENT, OK -> logger.debug("{}: {} continues at {}", this.id, state.assignment(), committed.offset());
			case FOREIGN, DAMAGED, HUGE -> {
				logger.warn(
						"{}: the metadata of the committed offset of {} is not used ({}): records that its "
								+ "previous owner completed out of order may be handled again",
						this.id, state.partition(), completed.status());
				this.listener.metadataIgnored();
			}
		}
		state.restore(committed.offset(), this.settings.saveCompleted() ? committed.metadata() : "", completed);
		state.view().committed(committed);
	}

}
