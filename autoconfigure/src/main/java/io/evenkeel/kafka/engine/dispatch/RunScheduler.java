package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;

import org.jspecify.annotations.Nullable;

/**
 * The runs that hold a slot: what a worker takes, and what becomes of a run's lane, slot
 * and records when it is given back.
 *
 * <h2>Threading</h2> Under the dispatcher's lock.
 *
 * <h2>Invariants</h2>
 * <ol>
 * <li>A lane is held by at most one run: records of a lane never overlap.</li>
 * <li>{@code used} is the number of runs that hold a slot, which are all but the resting
 * ones; it never exceeds {@code limit} except after the limit was lowered.</li>
 * <li>{@code away} is the number of resting runs whose worker is inside the call: so many
 * threads are missing where the slots are.</li>
 * <li>A record of a stopping assignment is either in hand or dropped; none is in hand any
 * more only after the end of its last call is in the completion queue.</li>
 * </ol>
 *
 * @param <R> the type of the record
 */
final class RunScheduler<R> {

	/**
	 * The most workers that may be inside calls without a slot: each is a thread. Beyond
	 * it a call that waits keeps its slot.
	 */
	static final int MOST_AWAY = 256;

	/** The most records of a lane that one run takes. */
	static final int RUN_LENGTH = 64;

	private final Ledger<R> ledger;

	private final ReadyRing<R> ready;

	private final ParkedLanes<R> parked;

	private final WorkerPool workers;

	private final CompletionQueue<R> completions;

	private final Condition returned;

	private final int runLength;

	private final boolean batch;

	private int limit;

	private int used;

	private int away;

	RunScheduler(Ledger<R> ledger, ReadyRing<R> ready, ParkedLanes<R> parked, WorkerPool workers,
			CompletionQueue<R> completions, Condition returned, int limit, int batchSize) {
		this.ledger = ledger;
		this.ready = ready;
		this.parked = parked;
		this.workers = workers;
		this.completions = completions;
		this.returned = returned;
		this.limit = limit;
		this.batch = batchSize > 0;
		this.runLength = this.batch ? batchSize : RUN_LENGTH;
	}

	int limit() {
		return this.limit;
	}

	void limit(int limit) {
		this.limit = limit;
	}

	int used() {
		return this.used;
	}

	/** How many runs could begin now; 0 or less when there is nothing or no slot. */
	int runnable() {
		return Math.min(this.ready.lanes(), this.limit - this.used);
	}

	/** The next run; null when there is none or no slot for it. */
	@Nullable Run<R> take() {
		this.parked.release(this.ready);
		Lane<R> lane = next();
		Run<R> run = (lane != null) ? run(lane) : null;
		while (lane != null && run == null) {
			// All that was left of it had ended.
			lane.state(Lane.State.IDLE);
			lane = next();
			run = (lane != null) ? run(lane) : null;
		}
		if (lane == null || run == null) {
			return null;
		}
		run.worker = Thread.currentThread();
		Assignment<R> assignment = lane.assignment();
		this.ledger.taken(run);
		assignment.runs.add(run);
		lane.state(Lane.State.RUNNING);
		this.used++;
		return run;
	}

	/** The lane whose turn it is; resting runs whose turn it is get their slots. */
	private @Nullable Lane<R> next() {
		while (this.used < this.limit && !this.workers.isClosed()) {
			Lane<R> lane = this.ready.poll();
			if (lane == null) {
				return null;
			}
			Run<R> resuming = lane.resuming;
			if (resuming == null) {
				return lane;
			}
			lane.resuming = null;
			lane.state(Lane.State.RUNNING);
			resume(resuming);
			this.returned.signalAll();
		}
		return null;
	}

	/** The worker inside this run needs no slot for a while. */
	void rest(Run<R> run) {
		if (!run.resting && run.worker != null && this.away < MOST_AWAY) {
			run.resting = true;
			this.used--;
			this.away++;
		}
	}

	/** The worker inside this resting run wants a slot again. */
	void ask(Run<R> run) {
		Assignment<R> assignment = run.assignment();
		if (!run.resting || assignment.isStopping()) {
			return;
		}
		if (this.used < this.limit && this.ready.lanes() == 0 && !assignment.isHeld()) {
			resume(run);
			return;
		}
		Lane<R> lane = run.lane();
		lane.resuming = run;
		this.ready.add(lane);
	}

	private void resume(Run<R> run) {
		run.resting = false;
		this.used++;
		this.away--;
	}

	/** Told when resting runs have slots again, or never will. */
	Condition returned() {
		return this.returned;
	}

	/** How many workers are inside calls that hold no slot. */
	int away() {
		return this.away;
	}

	/**
	 * The next records of a lane. What was acknowledged from outside while it waited for
	 * another call is not called again.
	 * @return null when there are none: the lane is empty then
	 */
	private @Nullable Run<R> run(Lane<R> lane) {
		int repeat = lane.takeRepeat();
		while (lane.size() > 0) {
			int most = Math.min(lane.size(), (repeat > 0) ? repeat : this.runLength);
			@SuppressWarnings({ "unchecked", "rawtypes" })
			Delivery<R>[] deliveries = new Delivery[most];
			int size = 0;
			for (int taken = 0; taken < most; taken++) {
				Delivery<R> delivery = lane.remove();
				if (delivery.isEnded()) {
					this.ledger.gone(delivery);
				}
				else if (this.batch && size > 0 && delivery.failure() != null) {
					// Not part of anybody's batch: it is recovered by itself.
					lane.prepend(List.of(delivery));
					break;
				}
				else {
					deliveries[size++] = delivery;
				}
			}
			if (size > 0) {
				return new Run<>(lane, deliveries, size, this.batch);
			}
		}
		return null;
	}

	/** The worker leaves the run, its call may still be open. */
	void giveBack(Run<R> run) {
		run.worker = null;
		if (run.resting) {
			this.away--;
		}
		// An interrupt aimed at this run must not reach the next one.
		Thread.interrupted();
		Assignment<R> assignment = run.assignment();
		int rest = run.rest();
		if (rest > 0) {
			if (assignment.isStopping()) {
				this.ledger.dropped(run, rest);
			}
			else {
				run.returnRest();
				this.ledger.putBack(run, rest);
			}
		}
		Call<R> call = run.call();
		if (call != null && !call.isClosed()) {
			run.detached = true;
		}
		else {
			free(run);
		}
	}

	/** The open call that a worker has left was closed. */
	void release(Run<R> run) {
		// Else its worker has yet to give it back, and will find the call closed.
		if (run.detached) {
			run.detached = false;
			free(run);
		}
	}

	/** The call of this run is closed and its worker has left: lane and slot are free. */
	private void free(Run<R> run) {
		Assignment<R> assignment = run.assignment();
		Lane<R> lane = run.lane();
		assignment.runs.remove(run);
		this.ledger.freed(run);
		if (!run.resting) {
			this.used--;
		}
		Call<R> call = run.call();
		List<Delivery<R>> again = (call != null && call.parkNanos() >= 0) ? open(call) : List.of();
		if (assignment.isStopping()) {
			this.ledger.notAgain(assignment, again.size());
			drop(lane);
			lane.state(Lane.State.IDLE);
			this.completions.signal();
		}
		else if (!again.isEmpty()) {
			lane.prepend(again);
			this.ledger.again(assignment, again);
			this.parked.add(lane, (call != null) ? call.parkNanos() : 0, run.isBatch() ? again.size() : 0);
			this.workers.due();
		}
		else if (lane.size() > 0) {
			this.ready.add(lane);
		}
		else {
			lane.state(Lane.State.IDLE);
		}
	}

	private static <R> List<Delivery<R>> open(Call<R> call) {
		List<Delivery<R>> open = new ArrayList<>(call.deliveries().size());
		for (Delivery<R> delivery : call.deliveries()) {
			if (!delivery.isEnded()) {
				open.add(delivery);
			}
		}
		return open;
	}

	/** Give up what is queued in a ready lane of a stopping assignment. */
	void dropReady(Lane<R> lane) {
		lane.state((lane.resuming != null) ? Lane.State.RUNNING : Lane.State.IDLE);
		lane.resuming = null;
		drop(lane);
	}

	/** Give up what is queued in a lane of a stopping assignment. */
	void drop(Lane<R> lane) {
		this.ledger.dropped(lane);
	}

}
