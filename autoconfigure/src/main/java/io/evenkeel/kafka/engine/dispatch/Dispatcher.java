package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Gives runnable lanes to workers, within the listener's concurrency.
 *
 * <h2>Threading</h2> One lock guards all lanes, queues and counts. The owner submits
 * whole polls and stops assignments; workers exchange a finished run for the next one,
 * which is one visit to the lock for a run of records; any thread may close an
 * asynchronous call. No user code and no client code runs under the lock: keys are hashed
 * by the owner before.
 *
 * <h2>Invariants</h2>
 * <ol>
 * <li>A lane is held by at most one run: records of a lane never overlap.</li>
 * <li>{@code used} is the number of runs that hold a slot; it never exceeds {@code limit}
 * except after the limit was lowered.</li>
 * <li>An assignment is in the ring exactly when it has ready lanes and is neither held
 * nor stopping; {@code readyLanes} counts the ready lanes of those in the ring. The ring
 * goes round by assignment, so a partition with ten thousand ready keys waits as long as
 * one with a single key.</li>
 * <li>Nothing of a stopping assignment starts: the worker looks once more before each
 * call of a run.</li>
 * <li>A record of a stopping assignment is either in hand or dropped; {@code inHand}
 * reaches zero only after the end of its last call is in the completion queue.</li>
 * </ol>
 *
 * <h2>Why workers pull</h2> A hand-off through the owner would cost two thread switches
 * for a record and would stop whenever the owner is inside a rebalance; this way the
 * partitions that a rebalance leaves in place go on being served while the owner waits.
 *
 * @param <R> the type of the record
 */
public final class Dispatcher<R> {

	/** The most records of a lane that one run takes. */
	static final int RUN_LENGTH = 64;

	private static final long KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(10);

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition work = this.lock.newCondition();

	private final ArrayDeque<Assignment<R>> ring = new ArrayDeque<>();

	private final PriorityQueue<Lane<R>> parked = new PriorityQueue<>(
			(a, b) -> Long.compare(a.dueNanos() - b.dueNanos(), 0));

	private final CompletionQueue<R> completions;

	private final LongSupplier clock;

	private final int runLength;

	private final boolean batch;

	private @Nullable Consumer<Runnable> spawner;

	private @Nullable Worker<R> worker;

	private Consumer<Throwable> refusals = (ex) -> {
	};

	private int limit;

	private int used;

	private int workers;

	private int idle;

	private int readyLanes;

	private boolean closed;

	/**
	 * Make a dispatcher.
	 * @param completions where ended records go
	 * @param clock nanoseconds
	 * @param limit the most calls at once, at least 1
	 * @param batchSize the most records of one call; 0 when the handler takes single
	 * records
	 */
	public Dispatcher(CompletionQueue<R> completions, LongSupplier clock, int limit, int batchSize) {
		this.completions = completions;
		this.clock = clock;
		this.limit = limit;
		this.batch = batchSize > 0;
		this.runLength = this.batch ? batchSize : RUN_LENGTH;
	}

	/**
	 * Let this dispatcher make its own workers, as many as there is work for.
	 * @param worker what each of them does
	 * @param spawner runs a worker on a thread of its own
	 * @param refusals told when the spawner throws; the owner's turns try again
	 */
	public void attach(Worker<R> worker, Consumer<Runnable> spawner, Consumer<Throwable> refusals) {
		this.worker = worker;
		this.spawner = spawner;
		this.refusals = refusals;
	}

	/**
	 * Queue what a poll brought. Owner thread.
	 * @param deliveries in offset order within each assignment
	 */
	public void submit(List<Delivery<R>> deliveries) {
		int spawn;
		this.lock.lock();
		try {
			for (int i = 0; i < deliveries.size(); i++) {
				Delivery<R> delivery = deliveries.get(i);
				Lane<R> lane = delivery.lane();
				lane.append(delivery);
				lane.assignment().queued++;
				if (lane.state() == Lane.State.IDLE) {
					ready(lane);
				}
			}
			spawn = summon();
		}
		finally {
			this.lock.unlock();
		}
		spawn(spawn);
	}

	/**
	 * Make parked lanes runnable whose time has come and see to it that somebody works on
	 * what is ready. Idle workers do it by themselves; the owner's turn is the safety
	 * net.
	 */
	public void tick() {
		int spawn;
		this.lock.lock();
		try {
			unpark();
			spawn = summon();
		}
		finally {
			this.lock.unlock();
		}
		spawn(spawn);
	}

	/**
	 * Give back a finished run and take the next.
	 * @param finished null when there is none
	 * @param wait whether to wait for work
	 * @return null when there is nothing to do
	 */
	@Nullable Run<R> exchange(@Nullable Run<R> finished, boolean wait) {
		this.lock.lock();
		try {
			if (finished != null) {
				giveBack(finished);
			}
			Run<R> next = take();
			boolean stay = wait;
			while (next == null && stay && !this.closed) {
				stay = stayIdle();
				// Once more even when the time is up: a submit may have counted on this
				// worker.
				next = take();
			}
			if (wait && next == null) {
				this.workers--;
			}
			return next;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** A worker dies: give back what it holds, and let another one take its place. */
	void desert(@Nullable Run<R> held) {
		int spawn;
		this.lock.lock();
		try {
			if (held != null) {
				giveBack(held);
			}
			this.workers--;
			spawn = summon();
		}
		finally {
			this.lock.unlock();
		}
		spawn(spawn);
	}

	void give(Run<R> finished) {
		int spawn;
		this.lock.lock();
		try {
			giveBack(finished);
			spawn = summon();
		}
		finally {
			this.lock.unlock();
		}
		spawn(spawn);
	}

	/**
	 * Close the open call of a run whose worker has left.
	 * @param run the run
	 */
	void release(Run<R> run) {
		int spawn;
		this.lock.lock();
		try {
			// Else its worker has yet to give it back, and will find the call closed.
			if (run.detached) {
				run.detached = false;
				free(run);
			}
			spawn = summon();
		}
		finally {
			this.lock.unlock();
		}
		spawn(spawn);
	}

	void ended(Delivery<R> delivery) {
		this.completions.push(delivery);
	}

	/**
	 * Stop starting records of some assignments and drop those that are queued or parked.
	 * Owner thread.
	 * @param assignments what is being revoked or lost
	 */
	public void stop(Collection<Assignment<R>> assignments) {
		this.lock.lock();
		try {
			for (Assignment<R> assignment : assignments) {
				assignment.stopStarting();
				for (Lane<R> lane : assignment.ready) {
					lane.state(Lane.State.IDLE);
					drop(lane);
				}
				this.readyLanes -= assignment.listed ? assignment.ready.size() : 0;
				assignment.ready.clear();
				for (Run<R> run : assignment.runs) {
					drop(run.lane());
				}
				unlist(assignment);
			}
			this.parked.removeIf((lane) -> {
				boolean stopped = lane.assignment().isStopping();
				if (stopped) {
					lane.assignment().parked--;
					lane.state(Lane.State.IDLE);
					drop(lane);
				}
				return stopped;
			});
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Keep the queued records of an assignment from starting, or let them start again:
	 * the user's pause. Owner thread.
	 * @param assignment the assignment
	 * @param hold whether nothing of it may start
	 */
	public void hold(Assignment<R> assignment, boolean hold) {
		int spawn = 0;
		this.lock.lock();
		try {
			assignment.hold(hold);
			if (hold) {
				this.readyLanes -= assignment.listed ? assignment.ready.size() : 0;
				unlist(assignment);
			}
			else if (!assignment.listed && !assignment.ready.isEmpty()) {
				this.readyLanes += assignment.ready.size();
				list(assignment);
				spawn = summon();
			}
		}
		finally {
			this.lock.unlock();
		}
		spawn(spawn);
	}

	/**
	 * Interrupt the workers that are inside a call of an assignment.
	 * @param assignment a stopping assignment
	 */
	public void interrupt(Assignment<R> assignment) {
		this.lock.lock();
		try {
			// Under the lock a run still belongs to its worker: nobody else is hit.
			for (Run<R> run : assignment.runs) {
				if (run.worker != null) {
					run.worker.interrupt();
				}
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * The load of an assignment at this moment.
	 * @param assignment the assignment
	 * @return its counts, taken together
	 */
	public Load load(Assignment<R> assignment) {
		this.lock.lock();
		try {
			int inFlight = 0;
			for (Run<R> run : assignment.runs) {
				inFlight += run.inFlight();
			}
			int waiting = assignment.queued + assignment.inHand - inFlight;
			return new Load(Math.max(0, waiting - assignment.parked), assignment.inHand, inFlight, assignment.parked,
					assignment.dropped);
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Change the most calls at once; calls already begun are left alone.
	 * @param limit at least 1
	 */
	public void limit(int limit) {
		int spawn;
		this.lock.lock();
		try {
			this.limit = limit;
			spawn = summon();
		}
		finally {
			this.lock.unlock();
		}
		spawn(spawn);
	}

	public int limit() {
		this.lock.lock();
		try {
			return this.limit;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * The calls not finished, asynchronous ones included.
	 * @return 0 or more
	 */
	public int used() {
		this.lock.lock();
		try {
			return this.used;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Whether a slot is free and no lane could use it.
	 * @return true when only more records could give the workers something to do
	 */
	public boolean isStarving() {
		this.lock.lock();
		try {
			unpark();
			return this.used < this.limit && this.readyLanes == 0;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Let the workers go once their calls are over. What is still in a call ends on its
	 * own.
	 */
	public void close() {
		this.lock.lock();
		try {
			this.closed = true;
			this.work.signalAll();
		}
		finally {
			this.lock.unlock();
		}
	}

	private @Nullable Run<R> take() {
		unpark();
		if (this.used >= this.limit || this.closed) {
			return null;
		}
		Assignment<R> assignment = this.ring.poll();
		if (assignment == null) {
			return null;
		}
		Lane<R> lane = assignment.ready.remove();
		this.readyLanes--;
		assignment.listed = false;
		if (!assignment.ready.isEmpty()) {
			list(assignment);
		}
		int repeat = lane.takeRepeat();
		int size = Math.min(lane.size(), (repeat > 0) ? repeat : this.runLength);
		List<Delivery<R>> deliveries = new ArrayList<>(size);
		for (int i = 0; i < size; i++) {
			Delivery<R> delivery = lane.remove();
			if (this.batch && i > 0 && delivery.failure() != null) {
				// Not part of anybody's batch: it is recovered by itself.
				lane.prepend(List.of(delivery));
				break;
			}
			deliveries.add(delivery);
		}
		size = deliveries.size();
		assignment.queued -= size;
		assignment.inHand += size;
		lane.state(Lane.State.RUNNING);
		Run<R> run = new Run<>(lane, deliveries, this.batch);
		run.worker = Thread.currentThread();
		assignment.runs.add(run);
		this.used++;
		return run;
	}

	/** Wait for work; false when this worker has been idle for long enough to go. */
	@SuppressWarnings("WaitNotInLoop") // its caller is the loop
	private boolean stayIdle() {
		Lane<R> due = this.parked.peek();
		long nanos = (due != null) ? Math.max(1, due.dueNanos() - this.clock.getAsLong()) : KEEP_ALIVE_NANOS;
		this.idle++;
		try {
			boolean inTime = this.work.awaitNanos(Math.min(nanos, KEEP_ALIVE_NANOS)) > 0;
			return inTime || due != null;
		}
		catch (InterruptedException ex) {
			// The interrupt of an abandoned call that came late: the next call is not
			// meant.
			return true;
		}
		finally {
			this.idle--;
		}
	}

	private void giveBack(Run<R> run) {
		run.worker = null;
		// An interrupt aimed at this run must not reach the next one.
		Thread.interrupted();
		Assignment<R> assignment = run.assignment();
		List<Delivery<R>> rest = run.rest();
		if (!rest.isEmpty()) {
			assignment.inHand -= rest.size();
			if (assignment.isStopping()) {
				assignment.dropped += rest.size();
			}
			else {
				run.lane().prepend(rest);
				assignment.queued += rest.size();
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

	/** The call of this run is closed and its worker has left: lane and slot are free. */
	private void free(Run<R> run) {
		Assignment<R> assignment = run.assignment();
		Lane<R> lane = run.lane();
		assignment.runs.remove(run);
		assignment.inHand -= run.size() - run.rest().size();
		this.used--;
		Call<R> call = run.call();
		List<Delivery<R>> again = (call != null && call.parkNanos() >= 0) ? open(call) : List.of();
		if (assignment.isStopping()) {
			assignment.dropped += again.size();
			drop(lane);
			lane.state(Lane.State.IDLE);
			this.completions.signal();
		}
		else if (!again.isEmpty()) {
			lane.prepend(again);
			assignment.queued += again.size();
			assignment.parked++;
			lane.park(this.clock.getAsLong() + ((call != null) ? call.parkNanos() : 0),
					run.isBatch() ? again.size() : 0);
			this.parked.add(lane);
			if (this.idle > 0) {
				// Somebody must wait for this time from now on.
				this.work.signal();
			}
		}
		else if (lane.size() > 0) {
			ready(lane);
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

	private void unpark() {
		Lane<R> due = this.parked.peek();
		while (due != null && due.dueNanos() - this.clock.getAsLong() <= 0) {
			this.parked.remove();
			due.assignment().parked--;
			ready(due);
			due = this.parked.peek();
		}
	}

	private void ready(Lane<R> lane) {
		Assignment<R> assignment = lane.assignment();
		lane.state(Lane.State.READY);
		assignment.ready.add(lane);
		if (!assignment.isHeld()) {
			this.readyLanes++;
			if (!assignment.listed) {
				list(assignment);
			}
		}
	}

	private void list(Assignment<R> assignment) {
		assignment.listed = true;
		this.ring.add(assignment);
	}

	private void unlist(Assignment<R> assignment) {
		if (assignment.listed) {
			assignment.listed = false;
			this.ring.remove(assignment);
		}
	}

	private void drop(Lane<R> lane) {
		int size = lane.clear();
		lane.assignment().queued -= size;
		lane.assignment().dropped += size;
	}

	/** Wake idle workers for what is ready; the number of workers to make beside them. */
	private int summon() {
		int runnable = Math.min(this.readyLanes, this.limit - this.used);
		int woken = Math.max(0, Math.min(runnable, this.idle));
		for (int i = 0; i < woken; i++) {
			this.work.signal();
		}
		if (this.closed || this.spawner == null) {
			return 0;
		}
		int spawn = Math.max(0, Math.min(runnable - this.idle, this.limit - this.workers));
		this.workers += spawn;
		return spawn;
	}

	private void spawn(int count) {
		Consumer<Runnable> threads = this.spawner;
		Worker<R> task = this.worker;
		if (threads == null || task == null) {
			return;
		}
		for (int i = 0; i < count; i++) {
			try {
				threads.accept(task::work);
			}
			catch (Throwable ex) {
				// An executor without room. Whoever is here (the owner, a thread that has
				// just completed a future) cannot mend that; the owner's next turn tries
				// again.
				notStarted(count - i);
				this.refusals.accept(ex);
				return;
			}
		}
	}

	private void notStarted(int workers) {
		this.lock.lock();
		try {
			this.workers -= workers;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * The load of an assignment.
	 *
	 * @param queued records waiting for a worker
	 * @param inHand records taken by workers whose calls are not over
	 * @param inFlight records inside a handler call
	 * @param parked records waiting for their next attempt
	 * @param dropped records that a revoke gave up before they were begun
	 */
	public record Load(int queued, int inHand, int inFlight, int parked, int dropped) {
	}

}
