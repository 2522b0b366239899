package io.evenkeel.kafka.producer;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Runs the user's code of a producer, callbacks and continuations of futures, one after
 * the other and off the client's I/O thread.
 * <p>
 * <b>Threading.</b> Any thread hands in; one runner at a time takes tasks, and one more
 * stands by. Both start with the first task and end after ten idle seconds.
 * <p>
 * <b>Invariants.</b> (1) Tasks start in the order in which they were handed in, so the
 * callbacks of a partition keep the client's order. (2) A task starts when the one before
 * has ended or has been given up waiting for. (3) Whatever tasks wait for, the last one
 * handed in starts after a bounded time: the runner that stands by takes over from one
 * that does not come back, without an upper limit, and another stands by for it. (4) Only
 * the active runner touches the head of the queue: it is relieved only while it is busy
 * with a task, by a compare-and-set that its own way back would lose.
 * <p>
 * <b>Why.</b> On the client's I/O thread a continuation that blocks holds all sends, and
 * one that sends waits for metadata that only this very thread could fetch. A
 * continuation that sends and joins would wait for itself for ever on any number of
 * threads that is fixed. What a task waits for cannot be known, so nobody asks: see
 * {@link Patience} for how long one is waited for. The lock guards starting, relieving
 * and ending only; a runner announces its sleep before it looks at the queue for the last
 * time, and whoever adds looks at the announcement after adding. After a busy turn a
 * runner naps for a millisecond and looks by itself instead: the I/O thread need not wake
 * it then, which costs as much as sending some records, and what two cores write to is
 * handed over once for many records.
 */
final class CompletionThread {

	private static final Log logger = LogFactory.getLog(CompletionThread.class);

	private static final long IDLE = TimeUnit.SECONDS.toNanos(10);

	private static final long NAP = TimeUnit.MILLISECONDS.toNanos(1);

	/** After so many tasks since the last pause more are likely to come soon. */
	private static final int BUSY_TURN = 32;

	/** So many long values fill a cache line. */
	private static final int LINE = 8;

	private final ReentrantLock lock = new ReentrantLock();

	private final CompletionQueue queue = new CompletionQueue();

	private final ThreadFactory threads;

	private final ProducerRuntime runtime;

	/** Whether the runner that stands by looks from time to time. */
	private final AtomicBoolean watched = new AtomicBoolean();

	private final Patience patience = new Patience();

	private volatile @Nullable Runner runner;

	private volatile @Nullable Runner standby;

	/** The active runner waits to be woken. Read for each task, so not in the runner. */
	private volatile boolean asleep;

	private volatile boolean closed;

	CompletionThread(ThreadFactory threads, ProducerRuntime runtime) {
		this.threads = threads;
		this.runtime = runtime;
	}

	void execute(Completion task) {
		this.queue.add(task);
		Runner active = this.runner;
		if (active == null) {
			ensureRunner();
		}
		else if (this.asleep) {
			// The others need not wake it again: waking costs more than a record.
			this.asleep = false;
			// Not the one seen above: it may have been relieved since, and another
			// sleeps.
			wake(this.runner);
		}
		if (!this.watched.get()) {
			watch();
		}
	}

	private void ensureRunner() {
		this.lock.lock();
		try {
			if (this.runner == null) {
				Runner next = new Runner();
				this.asleep = false;
				this.runner = next;
				if (!start(next)) {
					// The next task tries again.
					this.runner = null;
				}
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/** From now on somebody looks whether the active runner comes back. */
	private void watch() {
		if (!this.watched.compareAndSet(false, true)) {
			return;
		}
		this.lock.lock();
		try {
			Runner present = this.standby;
			if (present != null) {
				wake(present);
				return;
			}
			Runner next = new Runner();
			this.standby = next;
			if (!start(next)) {
				this.standby = null;
				this.watched.set(false);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private boolean start(Runner next) {
		try {
			Thread thread = this.threads.newThread(next);
			if (thread == null) {
				throw new IllegalStateException("The thread factory refused a thread");
			}
			next.thread = thread;
			thread.start();
			return true;
		}
		catch (RuntimeException | Error ex) {
			logger.error("No thread could be started for the callbacks of a producer; the next send tries again", ex);
			return false;
		}
	}

	private static void wake(@Nullable Runner target) {
		if (target != null) {
			LockSupport.unpark(target.thread);
		}
	}

	/** Do not stay idle any more; what is handed in later still runs. */
	void close() {
		this.closed = true;
		wake(this.runner);
		wake(this.standby);
	}

	/**
	 * Stands by until it is needed, then takes tasks as long as it is not relieved. Its
	 * turn is odd while it is busy with a task, and grows with the beginning and the end
	 * of each.
	 */
	private final class Runner implements Runnable {

		private static final long RELIEVED = -1;

		/** In the middle of a cache line of its own: it is written for each task. */
		private final AtomicLongArray turn = new AtomicLongArray(2 * LINE);

		private long turnBeforePause;

		private volatile @Nullable Thread thread;

		@Override
		public void run() {
			if (CompletionThread.this.runner == this || standBy()) {
				takeTasks();
			}
		}

		private void takeTasks() {
			long turn = 0;
			while (true) {
				Completion task = CompletionThread.this.queue.poll();
				if (task != null) {
					this.turn.lazySet(LINE, turn + 1);
					run(task);
					if (!this.turn.compareAndSet(LINE, turn + 1, turn + 2)) {
						return;
					}
					turn += 2;
				}
				else if (CompletionThread.this.queue.isEmpty()) {
					if (pause(turn)) {
						return;
					}
				}
				else {
					Thread.onSpinWait();
				}
			}
		}

		private void run(Completion task) {
			try {
				task.run();
			}
			catch (RuntimeException | Error ex) {
				logger.error("A completion failed", ex);
			}
		}

		/** Wait for work; true if there was none for long and this runner has ended. */
		private boolean pause(long turn) {
			CompletionThread outer = CompletionThread.this;
			boolean busy = turn - this.turnBeforePause >= 2 * BUSY_TURN;
			this.turnBeforePause = turn;
			if (busy) {
				LockSupport.parkNanos(outer, NAP);
				return false;
			}
			long end = outer.runtime.clock().getAsLong() + IDLE;
			while (true) {
				outer.asleep = true;
				if (!outer.queue.isEmpty()) {
					outer.asleep = false;
					// A watch that has just found nobody awake is over.
					watch();
					return false;
				}
				long left = end - outer.runtime.clock().getAsLong();
				if (left <= 0 || outer.closed) {
					return leave();
				}
				// User code may have left the flag behind; it would make parking a spin.
				Thread.interrupted();
				LockSupport.parkNanos(outer, left);
			}
		}

		private boolean leave() {
			CompletionThread outer = CompletionThread.this;
			outer.lock.lock();
			try {
				outer.runner = null;
				if (outer.queue.isEmpty()) {
					return true;
				}
				outer.runner = this;
			}
			finally {
				outer.lock.unlock();
			}
			outer.asleep = false;
			watch();
			return false;
		}

		/** Watch the active runner; true if this one is the active one now. */
		private boolean standBy() {
			CompletionThread outer = CompletionThread.this;
			long end = System.nanoTime() + IDLE;
			long wait = 0;
			long began = System.nanoTime();
			while (true) {
				if (outer.watched.get()) {
					// Parking may return at once for no reason: that costs no patience.
					wait = look(Math.min(wait, System.nanoTime() - began));
					if (wait < 0) {
						// Somebody has to look after this one now.
						watch();
						return true;
					}
					end = System.nanoTime() + IDLE;
				}
				else if ((outer.closed || end - System.nanoTime() <= 0) && retire()) {
					return false;
				}
				began = System.nanoTime();
				if (wait > 0 || !outer.watched.get()) {
					LockSupport.parkNanos(outer, (wait > 0) ? wait : end - began);
				}
			}
		}

		/**
		 * Look at the active runner once.
		 * @param waited what has passed since the last look, in nanoseconds
		 * @return how long to wait for the next look, 0 if there is nothing to look at,
		 * negative if this runner has taken over
		 */
		private long look(long waited) {
			CompletionThread outer = CompletionThread.this;
			outer.lock.lock();
			try {
				Runner active = outer.runner;
				if (active == null || outer.asleep) {
					outer.watched.set(false);
					boolean awake = outer.runner != null && !outer.asleep;
					return (awake && outer.watched.compareAndSet(false, true)) ? outer.patience.calm() : 0;
				}
				long turn = active.turn.get(LINE);
				long left = outer.patience.left(active, turn, active.isWorking(), waited, System.nanoTime());
				if (left > 0) {
					return left;
				}
				if (!active.turn.compareAndSet(LINE, turn, RELIEVED)) {
					return outer.patience.calm();
				}
				outer.patience.spent(this);
				outer.asleep = false;
				outer.runner = this;
				outer.standby = null;
				outer.watched.set(false);
				return -1;
			}
			finally {
				outer.lock.unlock();
			}
		}

		private boolean isWorking() {
			Thread current = this.thread;
			return current != null && current.getState() == Thread.State.RUNNABLE;
		}

		/** End, unless somebody has just asked for a watch. */
		private boolean retire() {
			CompletionThread outer = CompletionThread.this;
			outer.lock.lock();
			try {
				if (outer.watched.get()) {
					return false;
				}
				outer.standby = null;
				return true;
			}
			finally {
				outer.lock.unlock();
			}
		}

	}

}
