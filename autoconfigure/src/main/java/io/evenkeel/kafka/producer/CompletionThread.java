package io.evenkeel.kafka.producer;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Runs the user's code of a producer, callbacks and continuations of futures, one after
 * the other and off the client's I/O thread.
 * <p>
 * <b>Threading.</b> Any thread hands in; one runner at a time takes tasks. The runner
 * starts with the first task and ends after ten idle seconds.
 * <p>
 * <b>Invariants.</b> (1) Tasks start in the order in which they were handed in, so the
 * callbacks of a partition keep the client's order. (2) A task starts when the one before
 * has ended, with one exception: a task that sits waiting for some future gives way to
 * the next ones, because it may be waiting for one of them. (3) Handing in never waits
 * for a task.
 * <p>
 * <b>Why.</b> On the client's I/O thread a continuation that blocks holds all sends, and
 * one that sends waits for metadata that only this very thread could fetch. A
 * continuation that sends and joins would wait for itself for ever on any single thread,
 * and its futures would never end; so a runner that is parked on a future for a while is
 * relieved by another. Code that is merely slow is not: it may rely on being alone.
 */
final class CompletionThread implements Executor {

	private static final Log logger = LogFactory.getLog(CompletionThread.class);

	private static final long IDLE = TimeUnit.SECONDS.toNanos(10);

	static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(200);

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition changed = this.lock.newCondition();

	private final ArrayDeque<Runnable> queue = new ArrayDeque<>();

	private final ThreadFactory threads;

	private final ProducerRuntime runtime;

	private @Nullable Runner runner;

	private boolean watched;

	private boolean closed;

	CompletionThread(ThreadFactory threads, ProducerRuntime runtime) {
		this.threads = threads;
		this.runtime = runtime;
	}

	@Override
	public void execute(Runnable task) {
		this.lock.lock();
		try {
			this.queue.add(task);
			Runner active = this.runner;
			if (active == null) {
				startRunner();
			}
			else if (active.busySince == Runner.IDLE_NOW) {
				this.changed.signalAll();
			}
			else {
				watch();
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
		this.runner = next;
		thread.start();
	}

	private void watch() {
		if (!this.watched) {
			this.watched = true;
			this.runtime.later().after(PATIENCE, this::relieve);
		}
	}

	/** Put another runner in the place of one that waits for a future. */
	private void relieve() {
		this.lock.lock();
		try {
			this.watched = false;
			Runner active = this.runner;
			if (active == null || this.queue.isEmpty() || active.busySince == Runner.IDLE_NOW) {
				return;
			}
			if (this.runtime.clock().getAsLong() - active.busySince >= PATIENCE && active.waitsForFuture()) {
				startRunner();
			}
			watch();
		}
		finally {
			this.lock.unlock();
		}
	}

	boolean isCurrentThread() {
		this.lock.lock();
		try {
			return this.runner != null && this.runner.thread == Thread.currentThread();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Wait until everything handed in so far has run, for a little while.
	 */
	void await(long timeoutNanos) {
		if (isCurrentThread()) {
			return;
		}
		CountDownLatch done = new CountDownLatch(1);
		this.lock.lock();
		try {
			if (this.runner == null || (this.queue.isEmpty() && this.runner.busySince == Runner.IDLE_NOW)) {
				return;
			}
			execute(done::countDown);
		}
		finally {
			this.lock.unlock();
		}
		try {
			if (!done.await(timeoutNanos, TimeUnit.NANOSECONDS)) {
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
		this.lock.lock();
		try {
			this.closed = true;
			this.changed.signalAll();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Takes tasks as long as it is the active one. Its fields are guarded by the lock.
	 */
	private final class Runner implements Runnable {

		static final long IDLE_NOW = Long.MIN_VALUE;

		private long busySince = CompletionThread.this.runtime.clock().getAsLong();

		private @Nullable Thread thread;

		@Override
		public void run() {
			Runnable task = next();
			while (task != null) {
				try {
					task.run();
				}
				catch (RuntimeException | Error ex) {
					logger.error("A completion failed", ex);
				}
				task = next();
			}
		}

		private @Nullable Runnable next() {
			CompletionThread outer = CompletionThread.this;
			outer.lock.lock();
			try {
				long left = IDLE;
				while (outer.runner == this && outer.queue.isEmpty() && !outer.closed && left > 0) {
					this.busySince = IDLE_NOW;
					left = await(left);
				}
				if (outer.runner != this) {
					return null;
				}
				this.busySince = outer.runtime.clock().getAsLong();
				Runnable task = outer.queue.poll();
				if (task == null) {
					outer.runner = null;
				}
				return task;
			}
			finally {
				outer.lock.unlock();
			}
		}

		private long await(long nanos) {
			try {
				return CompletionThread.this.changed.awaitNanos(nanos);
			}
			catch (InterruptedException ex) {
				// User code left the flag behind; it is nobody's business here.
				return nanos;
			}
		}

		boolean waitsForFuture() {
			Object blocker = (this.thread != null) ? LockSupport.getBlocker(this.thread) : null;
			return blocker != null && blocker.getClass().getName().startsWith(CompletableFuture.class.getName());
		}

	}

}
