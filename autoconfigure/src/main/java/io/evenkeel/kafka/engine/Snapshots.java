package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

import io.evenkeel.kafka.engine.ChangedStates.Reader;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.offset.OffsetTracker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Takes the picture of an engine that other threads may look at. What has not changed
 * since the last one is in the next one as it was. Owner thread only; what it returns is
 * immutable.
 */
final class Snapshots<K, V> {

	private final Consumer<K, V> consumer;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final AssignmentTable<K, V> table;

	/** The pictures of the live assignments, each at the index of its state. */
	private EngineSnapshot.Partition[] pictures = new EngineSnapshot.Partition[0];

	private List<PartitionState<K, V>> states = List.of();

	private long tableChanges = -1;

	private int keys;

	Snapshots(Consumer<K, V> consumer, Dispatcher<ConsumerRecord<K, V>> dispatcher, AssignmentTable<K, V> table) {
		this.consumer = consumer;
		this.dispatcher = dispatcher;
		this.table = table;
	}

	EngineSnapshot take(long now, long committedNanos) {
		if (this.tableChanges != this.table.changes()) {
			this.tableChanges = this.table.changes();
			this.states = this.table.all();
			this.pictures = new EngineSnapshot.Partition[this.states.size()];
			this.keys = 0;
			for (int i = 0; i < this.pictures.length; i++) {
				this.states.get(i).pictureAt(i);
			}
			this.table.changed().take(Reader.SNAPSHOT);
			draw(this.states, now);
		}
		else {
			List<PartitionState<K, V>> changed = this.table.changed().take(Reader.SNAPSHOT);
			if (!changed.isEmpty()) {
				this.pictures = this.pictures.clone();
				draw(changed, now);
			}
		}
		return new EngineSnapshot(now, memberId(), this.dispatcher.limit(), this.dispatcher.used(), this.keys,
				Collections.unmodifiableList(Arrays.asList(this.pictures)), committedNanos);
	}

	private void draw(List<PartitionState<K, V>> changed, long now) {
		List<Dispatcher.Load> loads = new ArrayList<>(changed.size());
		this.dispatcher.loads(changed, PartitionState::assignment, (state, load) -> loads.add(load));
		for (int i = 0; i < changed.size(); i++) {
			PartitionState<K, V> state = changed.get(i);
			this.keys += state.moreKeys();
			this.pictures[state.pictureAt()] = partition(state, loads.get(i), now);
		}
	}

	private EngineSnapshot.Partition partition(PartitionState<K, V> state, Dispatcher.Load load, long now) {
		OffsetTracker tracker = state.assignment().tracker();
		int unacknowledged = Math.max(0, tracker.unfinished() - load.queued() - load.inFlight() - load.parked());
		return new EngineSnapshot.Partition(state.partition(), state.assignment().epoch(), tracker.position(),
				state.atBroker(), tracker.completedAbove(), load.queued(), load.inFlight() + unacknowledged,
				load.parked(), (tracker.unfinished() > 0) ? tracker.oldestUnfinishedNanos() : -1, state.isUserPaused(),
				state.isBackPressure(), state.lag().lag(tracker, now));
	}

	private String memberId() {
		try {
			return this.consumer.groupMetadata().memberId();
		}
		catch (RuntimeException ex) {
			// Without a group there is no member.
			return "";
		}
	}

}
