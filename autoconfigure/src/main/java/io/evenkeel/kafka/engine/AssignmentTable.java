package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The live assignments: at most one for each partition. Owner thread only. Nothing in
 * here outlives its assignment except the counter of epochs.
 */
final class AssignmentTable<K, V> {

	private final Map<TopicPartition, PartitionState<K, V>> states = new LinkedHashMap<>();

	private long epoch;

	/** How often an assignment has come or gone. */
	private long changes;

	/**
	 * Make the state of a partition, with a new epoch.
	 * @return the new state; what was there before is the caller's to close first
	 */
	PartitionState<K, V> open(TopicPartition partition) {
		Assignment<ConsumerRecord<K, V>> assignment = new Assignment<>(partition.topic(), partition.partition(),
				++this.epoch);
		PartitionState<K, V> state = new PartitionState<>(partition, assignment);
		this.states.put(partition, state);
		this.changes++;
		return state;
	}

	/**
	 * Begin anew where nothing was seen of an assignment, as when the application moves
	 * what it is just being given: for everybody else that is one assignment, and keeps
	 * its epoch. Its object is another one: it is what fences.
	 * @return the new state; the old one is closed
	 */
	PartitionState<K, V> reopen(PartitionState<K, V> state) {
		close(state);
		TopicPartition partition = state.partition();
		PartitionState<K, V> reopened = new PartitionState<>(partition,
				new Assignment<>(partition.topic(), partition.partition(), state.assignment().epoch()));
		this.states.put(partition, reopened);
		this.changes++;
		return reopened;
	}

	void close(PartitionState<K, V> state) {
		state.assignment().close();
		this.states.remove(state.partition(), state);
		this.changes++;
	}

	@Nullable PartitionState<K, V> get(TopicPartition partition) {
		return this.states.get(partition);
	}

	List<PartitionState<K, V>> of(Collection<TopicPartition> partitions) {
		List<PartitionState<K, V>> found = new ArrayList<>(partitions.size());
		for (TopicPartition partition : partitions) {
			PartitionState<K, V> state = this.states.get(partition);
			if (state != null) {
				found.add(state);
			}
		}
		return found;
	}

	List<PartitionState<K, V>> all() {
		return new ArrayList<>(this.states.values());
	}

	Collection<PartitionState<K, V>> view() {
		return this.states.values();
	}

	/** Rises with each assignment that comes or goes. */
	long changes() {
		return this.changes;
	}

	int size() {
		return this.states.size();
	}

	static <K, V> List<Assignment<ConsumerRecord<K, V>>> assignments(Collection<PartitionState<K, V>> states) {
		List<Assignment<ConsumerRecord<K, V>>> assignments = new ArrayList<>(states.size());
		for (PartitionState<K, V> state : states) {
			assignments.add(state.assignment());
		}
		return assignments;
	}

	static <K, V> List<AssignedPartition> assigned(Collection<PartitionState<K, V>> states) {
		List<AssignedPartition> assigned = new ArrayList<>(states.size());
		for (PartitionState<K, V> state : states) {
			assigned.add(state.assigned());
		}
		return assigned;
	}

}
