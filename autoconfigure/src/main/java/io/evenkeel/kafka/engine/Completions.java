package io.evenkeel.kafka.engine;

import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.ChangedStates.Reader;
import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Applies ended records to the offsets of their assignments; what belongs to a closed
 * assignment only counts as stale. Owner thread only, but for the queue behind it.
 */
final class Completions<K, V> {

	private final CompletionQueue<ConsumerRecord<K, V>> queue;

	private final AssignmentTable<K, V> table;

	private final EngineObserver listener;

	private final LongSupplier clock;

	private long now;

	Completions(CompletionQueue<ConsumerRecord<K, V>> queue, AssignmentTable<K, V> table, EngineObserver listener,
			LongSupplier clock) {
		this.table = table;
		this.queue = queue;
		this.listener = listener;
		this.clock = clock;
	}

	/**
	 * Apply what has ended since the last call.
	 * @return how many records
	 */
	int apply() {
		this.now = this.clock.getAsLong();
		return this.queue.drain(this::apply);
	}

	private void apply(Delivery<ConsumerRecord<K, V>> delivery) {
		Assignment<ConsumerRecord<K, V>> assignment = delivery.assignment();
		if (assignment.isClosed()) {
			this.listener.stale(assignment.topic());
			return;
		}
		assignment.completed(delivery);
		this.table.touch(assignment);
		this.listener.ended(assignment.topic(), delivery.outcome(), this.now - delivery.arrivedNanos());
	}

	/** The owner ends: all assignments are closed, what ends from now on is stale. */
	void close() {
		this.queue.close((delivery) -> this.listener.stale(delivery.assignment().topic()));
	}

	/** Forget the lanes that have nothing left. */
	void retireLanes() {
		for (PartitionState<K, V> state : this.table.changed().take(Reader.LANES)) {
			state.assignment().retireLanes();
			if (state.assignment().isRetiring()) {
				this.table.changed().touch(Reader.LANES, state);
			}
		}
	}

}
