package io.evenkeel.kafka.producer;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
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
 * <b>Threading.</b> Any thread hands in; one runner at a time takes tasks. A runner
 * starts with the first task and ends after ten idle seconds.
 * <p>
 * <b>Invariants.</b> (1) Tasks start in the order in which they were handed in, so the
 * callbacks of a partition keep the client's order. (2) A task starts when the one before
 * has ended, with two exceptions: a task that sits waiting for some future gives way to
 * the next ones, because it may be waiting for one of them; and so does one that has been
 * waiting for anything else for a second, or working for five, because the next futures
 * have deadlines. (3) Handing in never waits for a task. (4) Only the active runner
 * touches the head of the queue: it is relieved only while it is busy with a task, by a
 * compare-and-set that its own way back would lose.
 * <p>
 * <b>Why.</b> On the client's I/O thread a continuation that blocks holds all sends, and
 * one that sends waits for metadata that only this very thread could fetch. A
 * continuation that sends and joins would wait for itself for ever on any single thread,
 * and its futures would never end; so a runner that is parked on a future for a while is
 * relieved by another. Other code is given longer, because it may rely on being alone.
 * Runners that never come back are not relieved without end. The lock guards starting and
 * ending only; a runner announces its sleep before it looks at the queue for the last
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

	static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(200);

	/** So many times the patience for a task that waits for something else. */
	private static final int PATIENCE_WITH_WAITING = 5;

	/** So many times the patience for a task that works. */
	private static final int PATIENCE_WITH_SLOW = 25;

	private static final int MAX_RELIEVED = 64;

	/** So many long values fill a cache line. */
	private static final int LINE = 8;

	private final ReentrantLock lock = new ReentrantLock();

	private final CompletionQueue queue = new CompletionQueue();

	private final AtomicBoolean watched = new AtomicBoolean();

	private final ThreadFactory threads;

	private final ProducerRuntime runtime;

	private volatile @Nullable Runner runner;

	/** The active runner waits to be woken. Read for each task, so not in the runner. */
	private volatile boolean asleep;

	private volatile boolean closed;

	private @Nullable Runner seen;

	private long turnSeen;

	private int roundsWithoutProgress;

	private int relieved;

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
			wake();
		}
		watchLater();
	}

	private void watchLater() {
		if (!this.watched.get() && this.watched.compareAndSet(false, true)) {
			this.runtime.later().after(PATIENCE, this::watch);
		}
	}

	private void ensureRunner() {
		this.lock.lock();
		try {
			if (this.runner == null) {
				startRunner();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private void startRunner() {
		Runner next = new Runner();
		Thread thread = this.threads.newThread(next);
		if (thread == null) {
			throw new IllegalStateException("The thread factory refused a thread");
		}
		next.thread = thread;
		this.asleep = false;
		this.runner = next;
		boolean started = false;
		try {
			thread.start();
			started = true;
		}
		finally {
			if (!started) {
				// The next task tries again.
				this.runner = null;
			}
		}
	}

	/** Put another runner in the place of one that waits, and go on watching. */
	private void watch() {
		this.lock.lock();
		try {
			Runner active = this.runner;
			this.watched.set(false);
			if (active == null || this.asleep) {
				return;
			}
			long turn = active.turn();
			if (isStuck(active, turn) && this.relieved < MAX_RELIEVED && active.relieve(turn)) {
				this.relieved++;
				startRunner();
			}
			watchLater();
		}
		finally {
			this.lock.unlock();
		}
	}

	private boolean isStuck(Runner active, long turn) {
		if (active != this.seen || turn != this.turnSeen) {
			this.seen = active;
			this.turnSeen = turn;
			this.roundsWithoutProgress = 0;
			return false;
		}
		this.roundsWithoutProgress++;
		return active.waitsForFuture()
				|| this.roundsWithoutProgress > (active.waits() ? PATIENCE_WITH_WAITING : PATIENCE_WITH_SLOW);
	}

	private void relievedEnded() {
		this.lock.lock();
		try {
			this.relieved--;
		}
		finally {
			this.lock.unlock();
		}
	}

	boolean isCurrentThread() {
		Runner active = this.runner;
		return active != null && active.thread == Thread.currentThread();
	}

	/**
	 * Wait until everything handed in so far has run, for a little while.
	 */
	void await(long timeoutNanos) {
		if (isCurrentThread()) {
			return;
		}
		Barrier barrier = new Barrier();
		execute(barrier);
		wake();
		try {
			if (!barrier.done.await(timeoutNanos, TimeUnit.NANOSECONDS)) {
				logger.debug("User code of a producer is still busy");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/** Run what was handed in, wait for that a little, and do not stay idle any more. */
	void close(long timeoutNanos) {
		await(timeoutNanos);
		this.closed = true;
		wake();
	}

	private void wake() {
		Runner active = this.runner;
		if (active != null) {
			LockSupport.unpark(active.thread);
		}
	}

	/**
	 * Takes tasks as long as it is not relieved. Its turn is odd while it is busy with a
	 * task, and grows with the beginning and the end of each.
	 */
	private final class Runner implements Runnable {

		private static final long RELIEVED = -1;

		/** In the middle of a cache line of its own: it is written for each task. */
		private final AtomicLongArray turn = new AtomicLongArray(2 * LINE);

		private long turnBeforePause;

		private volatile @Nullable Thread thread;

		@Override
		public void run() {
			long turn = 0;
			while (true) {
				Completion task = CompletionThread.this.queue.poll();
				if (task != null) {
					this.turn.lazySet(LINE, turn + 1);
					run(task);
					if (!this.turn.compareAndSet(LINE, turn + 1, turn + 2)) {
						relievedEnded();
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

		long turn() {
			return this.turn.get(LINE);
		}

		/** Take it off the queue, if it is still busy with the task of a turn. */
		boolean relieve(long turn) {
			return (turn & 1) == 1 && this.turn.compareAndSet(LINE, turn, RELIEVED);
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
					outer.watchLater();
					return false;
				}
				long left = end - outer.runtime.clock().getAsLong();
				if (left <= 0 || outer.closed) {
					if (leave()) {
						return true;
					}
					break;
				}
				// User code may have left the flag behind; it would make parking a spin.
				Thread.interrupted();
				LockSupport.parkNanos(outer, left);
			}
			outer.asleep = false;
			return false;
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
				return false;
			}
			finally {
				outer.lock.unlock();
			}
		}

		boolean waits() {
			Thread current = this.thread;
			return current != null && switch (current.getState()) {
				case WAITING, TIMED_WAITING, BLOCKED -> true;
				default -> false;
			};
		}

		boolean waitsForFuture() {
			Thread current = this.thread;
			Object blocker = (current != null) ? LockSupport.getBlocker(current) : null;
			return blocker != null && blocker.getClass().getName().startsWith(CompletableFuture.class.getName());
		}

	}

	private static final class Barrier implements Completion {

		private final CountDownLatch done = new CountDownLatch(1);

		private volatile @Nullable Completion next;

		@Override
		public void run() {
			this.done.countDown();
		}

		@Override
		public @Nullable Completion next() {
			return this.next;
		}

		@Override
		public void next(@Nullable Completion next) {
			this.next = next;
		}

	}

}
