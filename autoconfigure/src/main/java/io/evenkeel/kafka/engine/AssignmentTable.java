package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

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

	/** The same by what a completion brings along. */
	private final Map<Assignment<ConsumerRecord<K, V>>, PartitionState<K, V>> byAssignment = new HashMap<>();

	private final ChangedStates<K, V> changed = new ChangedStates<>();

	/** Those whose committed offset was not read yet. */
	private final Set<PartitionState<K, V>> unrestored = new LinkedHashSet<>();

	private List<PartitionState<K, V>> round = List.of();

	private long roundChanges;

	/** How often all partitions were gone through, counted by partition. */
	private long walked;

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
		return put(new PartitionState<>(partition, assignment, this.changed));
	}

	private PartitionState<K, V> put(PartitionState<K, V> state) {
		this.states.put(state.partition(), state);
		this.byAssignment.put(state.assignment(), state);
		this.unrestored.add(state);
		this.changes++;
		state.touch();
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
		return put(new PartitionState<>(partition,
				new Assignment<>(partition.topic(), partition.partition(), state.assignment().epoch()), this.changed));
	}

	void close(PartitionState<K, V> state) {
		state.assignment().close();
		this.states.remove(state.partition(), state);
		this.byAssignment.remove(state.assignment());
		this.unrestored.remove(state);
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

	/**
	 * Something has happened to an assignment: the turn looks at its partition again.
	 * What is closed has none any more.
	 */
	void touch(Assignment<ConsumerRecord<K, V>> assignment) {
		// Asked for each record that ends.
		if (assignment.note()) {
			PartitionState<K, V> state = this.byAssignment.get(assignment);
			if (state != null) {
				state.touch();
			}
		}
	}

	/** What has changed, and since when. */
	ChangedStates<K, V> changed() {
		return this.changed;
	}

	/**
	 * The partitions whose committed offset was not read yet.
	 * @return a copy; mostly empty
	 */
	List<PartitionState<K, V>> unrestored() {
		if (this.unrestored.isEmpty()) {
			return List.of();
		}
		this.unrestored.removeIf(PartitionState::isRestored);
		return List.copyOf(this.unrestored);
	}

	/** How many partitions were looked at, for tests. */
	long looks() {
		return this.walked + this.changed.looks();
	}

	List<PartitionState<K, V>> all() {
		this.walked += this.states.size();
		return new ArrayList<>(this.states.values());
	}

	/**
	 * All of them, for those who look at some in each turn. What has gone since is in
	 * there still.
	 */
	List<PartitionState<K, V>> round() {
		if (this.roundChanges != this.changes) {
			this.roundChanges = this.changes;
			this.round = List.copyOf(this.states.values());
		}
		return this.round;
	}

	/** All of them: for what is rare, a turn goes by {@link #changed}. */
	Collection<PartitionState<K, V>> view() {
		this.walked += this.states.size();
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
