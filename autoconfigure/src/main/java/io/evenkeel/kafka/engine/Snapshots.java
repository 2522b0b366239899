package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.offset.OffsetTracker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Takes the picture of an engine that other threads may look at. Owner thread only.
 */
final class Snapshots {

	private Snapshots() {
	}

	static <K, V> EngineSnapshot take(Consumer<K, V> consumer, Dispatcher<ConsumerRecord<K, V>> dispatcher,
			Collection<PartitionState<K, V>> states, long now, long committedNanos) {
		List<EngineSnapshot.Partition> partitions = new ArrayList<>(states.size());
		int keys = 0;
		for (PartitionState<K, V> state : states) {
			partitions.add(partition(state, dispatcher.load(state.assignment()), now));
			keys += state.assignment().keys();
		}
		return new EngineSnapshot(now, memberId(consumer), dispatcher.limit(), dispatcher.used(), keys,
				List.copyOf(partitions), committedNanos);
	}

	private static <K, V> EngineSnapshot.Partition partition(PartitionState<K, V> state, Dispatcher.Load load,
			long now) {
		OffsetTracker tracker = state.assignment().tracker();
		int unacknowledged = Math.max(0, tracker.unfinished() - load.queued() - load.inFlight() - load.parked());
		return new EngineSnapshot.Partition(state.partition(), state.assignment().epoch(), tracker.position(),
				state.atBroker(), tracker.completedAbove(), load.queued(), load.inFlight() + unacknowledged,
				load.parked(), (tracker.unfinished() > 0) ? tracker.oldestUnfinishedNanos() : -1, state.isUserPaused(),
				state.isBackPressure(), state.lag().lag(tracker, now));
	}

	private static String memberId(Consumer<?, ?> consumer) {
		try {
			return consumer.groupMetadata().memberId();
		}
		catch (RuntimeException ex) {
			// Without a group there is no member.
			return "";
		}
	}

}
