package io.evenkeel.kafka.engine.dispatch;

import org.jspecify.annotations.Nullable;

/**
 * The lanes that may run, by assignment. It goes round by assignment, so a partition with
 * ten thousand ready keys waits as long as one with a single key.
 *
 * <h2>Threading</h2> Under the dispatcher's lock.
 *
 * <h2>Invariants</h2>
 * <ol>
 * <li>An assignment is in the ring exactly when it has ready lanes and is neither held
 * nor stopping; it is there once.</li>
 * <li>{@link #lanes} counts the ready lanes of the assignments in the ring.</li>
 * </ol>
 *
 * @param <R> the type of the record
 */
final class ReadyRing<R> {

	/** Whose turn it is; the assignments are linked through themselves. */
	private @Nullable Assignment<R> first;

	private @Nullable Assignment<R> last;

	private int lanes;

	/** How many lanes may run. */
	int lanes() {
		return this.lanes;
	}

	/** A lane has something to run. */
	void add(Lane<R> lane) {
		Assignment<R> assignment = lane.assignment();
		lane.state(Lane.State.READY);
		assignment.ready.add(lane);
		if (!assignment.isHeld()) {
			this.lanes++;
			if (!assignment.listed) {
				list(assignment);
			}
		}
	}

	/**
	 * The lane whose turn it is; the others of its assignment wait for the next round.
	 */
	@Nullable Lane<R> poll() {
		Assignment<R> assignment = this.first;
		if (assignment == null) {
			return null;
		}
		Lane<R> lane = assignment.ready.remove();
		this.lanes--;
		unlist(assignment);
		if (!assignment.ready.isEmpty()) {
			list(assignment);
		}
		return lane;
	}

	/** Leave out an assignment; its ready lanes stay its own. */
	void remove(Assignment<R> assignment) {
		if (assignment.listed) {
			this.lanes -= assignment.ready.size();
			unlist(assignment);
		}
	}

	/** Take an assignment in again with the lanes that it has. */
	void restore(Assignment<R> assignment) {
		if (!assignment.listed && !assignment.ready.isEmpty()) {
			this.lanes += assignment.ready.size();
			list(assignment);
		}
	}

	private void list(Assignment<R> assignment) {
		assignment.listed = true;
		Assignment<R> before = this.last;
		assignment.previousReady = before;
		if (before != null) {
			before.nextReady = assignment;
		}
		else {
			this.first = assignment;
		}
		this.last = assignment;
	}

	/** In constant time: a rebalance takes away thousands at once. */
	private void unlist(Assignment<R> assignment) {
		assignment.listed = false;
		Assignment<R> before = assignment.previousReady;
		Assignment<R> after = assignment.nextReady;
		if (before != null) {
			before.nextReady = after;
		}
		else {
			this.first = after;
		}
		if (after != null) {
			after.previousReady = before;
		}
		else {
			this.last = before;
		}
		assignment.previousReady = null;
		assignment.nextReady = null;
	}

}
