package io.evenkeel.kafka.engine;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

import io.evenkeel.kafka.engine.EngineObserver.RebalanceEvent;
import org.apache.kafka.common.TopicPartition;

/**
 * The last rebalances of a listener, for people who ask what happened. Written by the
 * owner thread, read by any.
 */
public final class RebalanceLog {

	private static final int KEPT = 50;

	private final ArrayDeque<Entry> entries = new ArrayDeque<>();

	private final Supplier<Instant> wallClock;

	RebalanceLog(Supplier<Instant> wallClock) {
		this.wallClock = wallClock;
	}

	synchronized void add(RebalanceEvent event, Collection<TopicPartition> partitions, long nanos, int drained,
			int dropped, int abandoned) {
		if (this.entries.size() == KEPT) {
			this.entries.removeFirst();
		}
		this.entries.addLast(new Entry(this.wallClock.get(), event, List.copyOf(partitions), nanos / 1_000_000, drained,
				dropped, abandoned));
	}

	/**
	 * The last rebalances, oldest first.
	 * @return at most 50
	 */
	public synchronized List<Entry> entries() {
		return List.copyOf(this.entries);
	}

	/**
	 * One rebalance callback.
	 *
	 * @param at when it ended
	 * @param event what happened
	 * @param partitions to which partitions
	 * @param durationMillis how long it took
	 * @param drained records that ended while it waited
	 * @param dropped records that had not begun
	 * @param abandoned records still in hand
	 */
	public record Entry(Instant at, RebalanceEvent event, List<TopicPartition> partitions, long durationMillis,
			int drained, int dropped, int abandoned) {
	}

}
