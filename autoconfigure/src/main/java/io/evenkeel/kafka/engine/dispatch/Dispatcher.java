package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
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
 * <li>Nothing of a stopping assignment starts: its queued lanes are emptied under the
 * lock, and a worker looks once more before each call of a run.</li>
 * <li>While a lane may run and a slot is free, a worker is on its way, or a method that
 * is about to return makes one.</li>
 * </ol>
 * Those of the lanes, the slots and the workers are with {@link ReadyRing},
 * {@link ParkedLanes}, {@link RunScheduler} and {@link WorkerPool}, which share the lock.
 *
 * <h2>Why workers pull</h2> A hand-off through the owner would cost two thread switches
 * for a record and would stop whenever the owner is inside a rebalance; this way the
 * partitions that a rebalance leaves in place go on being served while the owner waits.
 *
 * @param <R> the type of the record
 */
public final class Dispatcher<R> {

	/** How often a lock that is held for so short a time is tried before waiting. */
	private static final int SPINS = 64;

	private final ReentrantLock lock = new ReentrantLock();

	private final Ledger<R> ledger;

	/** The owner's: taken from the ledger, and given back empty. */
	private List<Assignment<R>> weighed = new ArrayList<>();

	private final ReadyRing<R> ready = new ReadyRing<>();

	private final ParkedLanes<R> parked;

	private final WorkerPool workers = new WorkerPool(this.lock);

	private final RunScheduler<R> runs;

	private final CompletionQueue<R> completions;

	private @Nullable Worker<R> worker;

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
		this.ledger = new Ledger<>(completions::signal);
		this.parked = new ParkedLanes<>(clock, this.ledger);
		this.runs = new RunScheduler<>(this.ledger, this.ready, this.parked, this.workers, completions,
				this.lock.newCondition(), limit, batchSize);
	}

	/**
	 * Let this dispatcher make its own workers, as many as there is work for.
	 * @param worker what each of them does
	 * @param spawner runs a worker on a thread of its own
	 * @param refusals told when the spawner throws; the owner's turns try again
	 */
	public void attach(Worker<R> worker, Consumer<Runnable> spawner, Consumer<Throwable> refusals) {
		this.worker = worker;
		this.workers.attach(worker::work, spawner, refusals);
	}

	/**
	 * The call that the calling thread is inside.
	 * @return null on a thread that is no worker of this dispatcher, or between two calls
	 */
	public @Nullable Call<R> current() {
		Worker<R> attached = this.worker;
		return (attached != null) ? attached.current() : null;
	}

	/**
	 * Look at the calls that workers are inside just now. Any thread.
	 * @param action given each call and its thread, which may have left it by now
	 */
	public void running(BiConsumer<Call<R>, Thread> action) {
		Worker<R> attached = this.worker;
		if (attached != null) {
			attached.running(action);
		}
	}

	/**
	 * Queue what a poll brought. Owner thread.
	 * @param deliveries in offset order within each assignment
	 */
	public void submit(List<Delivery<R>> deliveries) {
		this.lock.lock();
		try {
			for (int i = 0; i < deliveries.size(); i++) {
				Delivery<R> delivery = deliveries.get(i);
				Lane<R> lane = delivery.lane();
				lane.append(delivery);
				this.ledger.submitted(delivery);
				if (lane.state() == Lane.State.IDLE) {
					this.ready.add(lane);
				}
			}
		}
		finally {
			leave();
		}
	}

	/**
	 * Make parked lanes runnable whose time has come and see to it that somebody works on
	 * what is ready. Idle workers do it by themselves; the owner's turn is the safety
	 * net.
	 */
	public void tick() {
		this.lock.lock();
		try {
			this.parked.release(this.ready);
		}
		finally {
			leave();
		}
	}

	/**
	 * Give back a finished run and take the next.
	 * @param finished null when there is none
	 * @param wait whether to wait for work
	 * @return null when there is nothing to do
	 */
	@Nullable Run<R> exchange(@Nullable Run<R> finished, boolean wait) {
		acquire();
		try {
			if (finished != null) {
				this.runs.giveBack(finished);
			}
			Run<R> next = this.runs.take();
			boolean stay = wait;
			while (next == null && stay && !this.workers.isClosed()) {
				stay = this.workers.stayIdle(this.parked.untilDue());
				// Once more even when the time is up: a submit may have counted on this
				// worker.
				next = this.runs.take();
			}
			if (wait && next == null) {
				this.workers.left();
			}
			this.workers.call(this.runs.runnable());
			return next;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * The lock is held for a few hundred nanoseconds at a time and asked for with nearly
	 * each record: giving up the processor for it would cost more than the wait.
	 */
	private void acquire() {
		for (int i = 0; i < SPINS; i++) {
			if (this.lock.tryLock()) {
				return;
			}
			Thread.onSpinWait();
		}
		this.lock.lock();
	}

	/** A worker dies: give back what it holds, and let another one take its place. */
	void desert(@Nullable Run<R> held) {
		this.lock.lock();
		try {
			if (held != null) {
				this.runs.giveBack(held);
			}
			this.workers.left();
		}
		finally {
			leave();
		}
	}

	void give(Run<R> finished) {
		this.lock.lock();
		try {
			this.runs.giveBack(finished);
		}
		finally {
			leave();
		}
	}

	/**
	 * Close the open call of a run whose worker has left.
	 * @param run the run
	 */
	void release(Run<R> run) {
		this.lock.lock();
		try {
			this.runs.release(run);
		}
		finally {
			leave();
		}
	}

	/** A run keeps its lane without a slot; on the thread of its worker. */
	void rest(Run<R> run) {
		this.lock.lock();
		try {
			this.runs.rest(run);
		}
		finally {
			leave();
		}
	}

	/**
	 * Wait until a resting run has a slot again; on the thread of its worker.
	 * @return false when its assignment is stopping
	 */
	boolean resume(Run<R> run) {
		this.lock.lock();
		try {
			this.runs.ask(run);
		}
		finally {
			// Somebody must come by to give it away.
			leave();
		}
		this.lock.lock();
		try {
			while (run.resting && !run.assignment().isStopping() && !this.workers.isClosed()) {
				this.runs.returned().awaitUninterruptibly();
			}
			return !run.resting;
		}
		finally {
			this.lock.unlock();
		}
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
				this.ready.remove(assignment);
				assignment.ready.forEach(this.runs::dropReady);
				assignment.ready.clear();
				assignment.runs.forEach((run) -> this.runs.drop(run.lane()));
			}
			this.parked.dropStopping(this.runs::drop);
			this.runs.returned().signalAll();
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
		this.lock.lock();
		try {
			assignment.hold(hold);
			if (hold) {
				this.ready.remove(assignment);
			}
			else {
				this.ready.restore(assignment);
			}
		}
		finally {
			leave();
		}
	}

	/**
	 * Interrupt the workers that are inside a call of an assignment.
	 * @param assignment a stopping assignment
	 */
	public void interrupt(Assignment<R> assignment) {
		this.lock.lock();
		try {
			// Under the lock a run still belongs to its worker: nobody else is hit.
			assignment.runs.forEach((run) -> {
				if (run.worker != null) {
					run.worker.interrupt();
				}
			});
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
			return assignment.account().load();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Whether each record of an assignment is counted in one place: queued, in hand,
	 * dropped or gone. For tests.
	 * @param assignment the assignment
	 * @return false when a count is wrong
	 */
	public boolean isBalanced(Assignment<R> assignment) {
		this.lock.lock();
		try {
			return assignment.account().isBalanced();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * The loads of some assignments, taken together with one visit to the lock.
	 * @param owners what has the assignments
	 * @param assignment gives the assignment of each
	 * @param told told the load of each; quick, for it runs under the lock
	 * @param <S> what has an assignment
	 */
	public <S> void loads(Collection<S> owners, Function<S, Assignment<R>> assignment, BiConsumer<S, Load> told) {
		this.lock.lock();
		try {
			for (S owner : owners) {
				told.accept(owner, assignment.apply(owner).account().load());
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * How many records some threads hold that are inside a call.
	 * @param assignments of which assignments
	 * @param threads whose records
	 * @return 0 or more
	 */
	public int heldBy(Collection<Assignment<R>> assignments, Collection<Thread> threads) {
		int[] held = new int[1];
		this.lock.lock();
		try {
			for (Assignment<R> assignment : assignments) {
				assignment.runs.forEach((run) -> held[0] += threads.contains(run.worker) ? run.size() : 0);
			}
		}
		finally {
			this.lock.unlock();
		}
		return held[0];
	}

	/**
	 * Change the most calls at once; calls already begun are left alone.
	 * @param limit at least 1
	 */
	public void limit(int limit) {
		this.lock.lock();
		try {
			this.runs.limit(limit);
		}
		finally {
			leave();
		}
	}

	public int limit() {
		this.lock.lock();
		try {
			return this.runs.limit();
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
			return this.runs.used();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Count what those assignments hold that workers or polls have changed, and see
	 * whether a slot is free and no lane could use it. Owner thread, once a turn.
	 * @param changed told of each assignment whose counts may have changed
	 * @return true when only more records could give the workers something to do
	 */
	public boolean weigh(Consumer<Assignment<R>> changed) {
		List<Assignment<R>> room = this.weighed;
		boolean starving;
		this.lock.lock();
		try {
			this.parked.release(this.ready);
			starving = this.runs.used() < this.runs.limit() && this.ready.lanes() == 0;
			this.weighed = this.ledger.weigh(room);
		}
		finally {
			this.lock.unlock();
		}
		this.weighed.forEach(changed);
		this.weighed.clear();
		return starving;
	}

	/**
	 * Signal the completion queue once, when no more records than this are queued or in
	 * hand. Owner thread.
	 * @param records 0 or more
	 */
	public void signalAt(long records) {
		this.lock.lock();
		try {
			this.ledger.tellAt(records);
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
			this.workers.close();
			this.runs.returned().signalAll();
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Leave the lock; whoever is missing for what is ready is called or made. */
	private void leave() {
		int missing = this.workers.summon(this.runs.runnable(), this.runs.limit() + this.runs.away());
		this.lock.unlock();
		this.workers.spawn(missing);
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
