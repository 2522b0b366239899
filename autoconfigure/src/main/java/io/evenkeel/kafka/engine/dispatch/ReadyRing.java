package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayDeque;

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

	private final ArrayDeque<Assignment<R>> ring = new ArrayDeque<>();

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
		Assignment<R> assignment = this.ring.poll();
		if (assignment == null) {
			return null;
		}
		Lane<R> lane = assignment.ready.remove();
		this.lanes--;
		assignment.listed = false;
		if (!assignment.ready.isEmpty()) {
			list(assignment);
		}
		return lane;
	}

	/** Leave out an assignment; its ready lanes stay its own. */
	void remove(Assignment<R> assignment) {
		if (assignment.listed) {
			this.lanes -= assignment.ready.size();
			assignment.listed = false;
			this.ring.remove(assignment);
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
		this.ring.add(assignment);
	}

}
