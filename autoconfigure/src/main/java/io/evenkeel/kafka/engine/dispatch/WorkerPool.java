package io.evenkeel.kafka.engine.dispatch;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * The workers of a dispatcher: how many there are, which of them are idle, and who is
 * called when there is something to do.
 *
 * <h2>Threading</h2> All under the dispatcher's lock but {@link #spawn}, which calls the
 * application's executor and must not be.
 *
 * <h2>Invariants</h2>
 * <ol>
 * <li>{@code workers} counts the threads made and not yet gone, those included whose
 * thread has not begun.</li>
 * <li>{@code idle} counts those that wait; each of them looks for work before it
 * goes.</li>
 * <li>While a lane may run and a worker is idle, one worker at least is on its way: the
 * one that was called last, or one that has yet to leave the dispatcher.</li>
 * </ol>
 *
 * <h2>Why one at a time</h2> A worker that is called calls the next one when it has taken
 * its run and there is more. So a poll of five hundred records for a fast handler wakes
 * as many workers as the processor has room for, and not all of them to find that the
 * first one has done the work.
 */
final class WorkerPool {

	private static final long KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(10);

	private final ReentrantLock lock;

	private final Condition work;

	private @Nullable Consumer<Runnable> spawner;

	private Runnable task = () -> {
	};

	private Consumer<Throwable> refusals = (ex) -> {
	};

	private int workers;

	private int idle;

	/** Somebody was called and has not arrived yet. */
	private boolean called;

	private boolean closed;

	WorkerPool(ReentrantLock lock) {
		this.lock = lock;
		this.work = lock.newCondition();
	}

	void attach(Runnable task, Consumer<Runnable> spawner, Consumer<Throwable> refusals) {
		this.task = task;
		this.spawner = spawner;
		this.refusals = refusals;
	}

	/**
	 * Call an idle worker if there is something to do.
	 * @param runnable how many runs could begin now
	 */
	void call(int runnable) {
		if (runnable > 0 && this.idle > 0 && !this.called) {
			this.called = true;
			this.work.signal();
		}
	}

	/**
	 * Call an idle worker if there is something to do, and count those that are missing.
	 * @param runnable how many runs could begin now
	 * @param most how many workers there may be
	 * @return how many to make, by {@link #spawn}
	 */
	int summon(int runnable, int most) {
		call(runnable);
		if (this.closed || this.spawner == null) {
			return 0;
		}
		int missing = Math.max(0, Math.min(runnable - this.idle, most - this.workers));
		this.workers += missing;
		return missing;
	}

	/** Make workers. Not under the lock. */
	void spawn(int count) {
		Consumer<Runnable> threads = this.spawner;
		if (threads == null) {
			return;
		}
		for (int i = 0; i < count; i++) {
			try {
				threads.accept(this.task);
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

	private void notStarted(int count) {
		this.lock.lock();
		try {
			this.workers -= count;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Wait for work.
	 * @param untilDue when a parked lane can run; null when there is none
	 * @return false when this worker has been idle for long enough to go
	 */
	@SuppressWarnings("WaitNotInLoop") // its caller is the loop
	boolean stayIdle(@Nullable Long untilDue) {
		long nanos = (untilDue != null) ? Math.min(untilDue, KEEP_ALIVE_NANOS) : KEEP_ALIVE_NANOS;
		this.idle++;
		try {
			boolean inTime = this.work.awaitNanos(nanos) > 0;
			return inTime || untilDue != null;
		}
		catch (InterruptedException ex) {
			// The interrupt of an abandoned call that came late: the next call is not
			// meant.
			return true;
		}
		finally {
			this.idle--;
			// Whoever arrives looks for work and calls the next; it need not be the one
			// that was called.
			this.called = false;
		}
	}

	/** A lane was parked: somebody must wait for its time from now on. */
	void due() {
		if (this.idle > 0) {
			this.work.signal();
		}
	}

	/** A worker goes. */
	void left() {
		this.workers--;
	}

	boolean isClosed() {
		return this.closed;
	}

	void close() {
		this.closed = true;
		this.work.signalAll();
	}

}
