package io.evenkeel.kafka.engine.dispatch;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Takes runs from the dispatcher and calls the handler, until there is nothing to do for
 * a while or the dispatcher closes. One instance serves any number of threads.
 *
 * <p>
 * A run of a fast handler is worked off in one go; a run that has taken longer than
 * {@link #SLICE_NANOS} is given back after the current record, so that the other lanes
 * have their turn.
 *
 * @param <R> the type of the record
 */
public final class Worker<R> {

	static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

	private static final long AFTER_BUG_NANOS = TimeUnit.SECONDS.toNanos(1);

	private final Dispatcher<R> dispatcher;

	private final Invoker<R> invoker;

	private final LongSupplier clock;

	private final BiConsumer<Assignment<R>, Throwable> bugs;

	/** What each thread is doing; looked up once for a run, not for a record. */
	@SuppressWarnings("ThreadLocalUsage") // one worker for each engine
	private final ThreadLocal<@Nullable Desk<R>> desk = new ThreadLocal<>();

	/** The same for those who look from outside. */
	private final Set<Desk<R>> desks = ConcurrentHashMap.newKeySet();

	/**
	 * Make a worker.
	 * @param dispatcher where the work comes from
	 * @param invoker makes the calls
	 * @param clock nanoseconds
	 * @param bugs told what an invoker threw
	 */
	public Worker(Dispatcher<R> dispatcher, Invoker<R> invoker, LongSupplier clock,
			BiConsumer<Assignment<R>, Throwable> bugs) {
		this.dispatcher = dispatcher;
		this.invoker = invoker;
		this.clock = clock;
		this.bugs = bugs;
	}

	/**
	 * Work on the calling thread until there is nothing left to wait for.
	 */
	void work() {
		Run<R> run = null;
		boolean left = false;
		try {
			do {
				Run<R> finished = run;
				run = null;
				run = this.dispatcher.exchange(finished, true);
				if (run != null) {
					execute(run);
				}
			}
			while (run != null);
			left = true;
		}
		finally {
			Desk<R> mine = this.desk.get();
			if (mine != null) {
				this.desks.remove(mine);
			}
			this.desk.remove();
			if (!left) {
				// Something beyond the invoker has failed: this thread ends, its lane
				// must
				// not.
				this.dispatcher.desert(run);
			}
		}
	}

	/**
	 * Take one run if there is one and work it off, without waiting. For tests that play
	 * the workers by hand.
	 * @return false when there was nothing to do
	 */
	public boolean step() {
		Run<R> run = this.dispatcher.exchange(null, false);
		if (run == null) {
			return false;
		}
		execute(run);
		this.dispatcher.give(run);
		return true;
	}

	/**
	 * One reading of the clock for each record, and only one for a run of a single
	 * record, which is what an ordering by key mostly has.
	 */
	private void execute(Run<R> run) {
		long began = this.clock.getAsLong();
		long now = began;
		Assignment<R> assignment = run.assignment();
		Desk<R> here = desk();
		while (run.hasNext() && assignment.mayStart()) {
			Call<R> call = run.next(this.dispatcher, now);
			here.at(call);
			invoke(call);
			here.at(null);
			if (call.detach() || call.parkNanos() >= 0 || !run.hasNext() || run.resting) {
				return;
			}
			// A flag that a handler has left behind is none of the next record's.
			Thread.interrupted();
			now = this.clock.getAsLong();
			if (now - began > SLICE_NANOS) {
				return;
			}
		}
	}

	/**
	 * The call that the calling thread is inside.
	 * @return null on a thread that is no worker, or between two calls
	 */
	public @Nullable Call<R> current() {
		Desk<R> here = this.desk.get();
		return (here != null) ? here.call : null;
	}

	/**
	 * Look at the calls that threads are inside just now. Any thread.
	 * @param action given each call and its thread, which may have left it by now
	 */
	public void running(BiConsumer<Call<R>, Thread> action) {
		for (Desk<R> each : this.desks) {
			Call<R> call = each.call;
			if (call != null && !call.isClosed()) {
				action.accept(call, each.thread);
			}
		}
	}

	private Desk<R> desk() {
		Desk<R> here = this.desk.get();
		if (here == null) {
			here = new Desk<>(Thread.currentThread());
			this.desk.set(here);
			this.desks.add(here);
		}
		return here;
	}

	private void invoke(Call<R> call) {
		try {
			this.invoker.invoke(call);
		}
		catch (Throwable ex) {
			// Whatever it was, the lane and the slot must come back.
			call.park(AFTER_BUG_NANOS);
			this.bugs.accept(call.assignment(), ex);
		}
	}

	/**
	 * What one thread is doing. Written by that thread in the order in which it happens,
	 * which is all that somebody who looks from outside needs, and costs no fence.
	 */
	private static final class Desk<R> {

		@SuppressWarnings("rawtypes")
		private static final AtomicReferenceFieldUpdater<Desk, Call> CALL = AtomicReferenceFieldUpdater
			.newUpdater(Desk.class, Call.class, "call");

		private final Thread thread;

		private volatile @Nullable Call<R> call;

		Desk(Thread thread) {
			this.thread = thread;
		}

		@SuppressWarnings("NullAway") // the updater takes null for a field that does
		void at(@Nullable Call<R> call) {
			CALL.lazySet(this, call);
		}

	}

}
