package io.evenkeel.kafka.engine.dispatch;

import java.util.PriorityQueue;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * The lanes whose heads wait for their next attempt, by due time.
 *
 * <h2>Threading</h2> Under the dispatcher's lock.
 *
 * <h2>Invariant</h2> A lane is in here exactly while its state is PARKED, and its
 * assignment's account counts it as parked.
 *
 * @param <R> the type of the record
 */
final class ParkedLanes<R> {

	private final PriorityQueue<Lane<R>> lanes = new PriorityQueue<>(
			(a, b) -> Long.compare(a.dueNanos() - b.dueNanos(), 0));

	private final LongSupplier clock;

	private final Ledger<R> ledger;

	ParkedLanes(LongSupplier clock, Ledger<R> ledger) {
		this.clock = clock;
		this.ledger = ledger;
	}

	/**
	 * Let a lane wait.
	 * @param lane a lane that nobody holds
	 * @param nanos how long
	 * @param repeat how many records its next call must consist of; 0 = as many as there
	 * are
	 */
	void add(Lane<R> lane, long nanos, int repeat) {
		this.ledger.parked(lane.assignment());
		lane.park(this.clock.getAsLong() + nanos, repeat);
		this.lanes.add(lane);
	}

	/** Make those runnable whose time has come. */
	void release(ReadyRing<R> ready) {
		Lane<R> due = this.lanes.peek();
		while (due != null && due.dueNanos() - this.clock.getAsLong() <= 0) {
			this.lanes.remove();
			this.ledger.released(due.assignment());
			ready.add(due);
			due = this.lanes.peek();
		}
	}

	/**
	 * Let go of the lanes of stopping assignments.
	 * @param dropped told of each, idle now
	 */
	void dropStopping(Consumer<Lane<R>> dropped) {
		this.lanes.removeIf((lane) -> {
			boolean stopped = lane.assignment().isStopping();
			if (stopped) {
				this.ledger.released(lane.assignment());
				lane.state(Lane.State.IDLE);
				dropped.accept(lane);
			}
			return stopped;
		});
	}

	/**
	 * How long until the next one is due.
	 * @return nanoseconds, at least 1; null when none is parked
	 */
	@Nullable Long untilDue() {
		Lane<R> due = this.lanes.peek();
		return (due != null) ? Math.max(1, due.dueNanos() - this.clock.getAsLong()) : null;
	}

}
