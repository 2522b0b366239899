package io.evenkeel.kafka.producer.line;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Runs a step again and again, one step at a time: after the time the step asked for, or
 * as soon as somebody signals work.
 * <p>
 * <b>Threading.</b> The step runs on a thread of the worker. {@link #signal()} and
 * {@link #stop()} may be called by any thread, also by the step itself.
 * <p>
 * <b>Invariants.</b> (1) A signal given after a step began is followed by another full
 * step. (2) A step that throws does not end the worker. (3) A step begins only when the
 * one before has ended, or is in a part of which it has said that nobody need wait for
 * it: then another thread goes on with the next step, and the one that was relieved ends
 * with its step.
 * <p>
 * <b>Why.</b> The work counter is read before the step and compared after it, so a signal
 * that arrives while the step is looking elsewhere is never lost; a trigger of the kind
 * "the first one in wakes the worker" is, when the worker is just about to leave. The
 * permit of {@link LockSupport#unpark} covers the moment between comparing and parking. A
 * hand-over runs user code, which may wait for seconds or for ever; the lines of other
 * topics must not. The lock guards who is the worker and whether he may be relieved;
 * nobody waits or calls user code under it.
 */
public final class LineWorker {

	/** The step's answer when only a signal should make it run again. */
	public static final long UNTIL_SIGNALLED = Long.MAX_VALUE;

	/** For so long the rest waits for a part that nobody need wait for. */
	static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(20);

	private static final long PAUSE_AFTER_ERROR = TimeUnit.MILLISECONDS.toNanos(100);

	private final AtomicLong work = new AtomicLong();

	private final ReentrantLock lock = new ReentrantLock();

	private final ThreadFactory threads;

	private final LongSupplier step;

	private final Consumer<Throwable> onError;

	private volatile Runner runner;

	private volatile boolean stopped;

	private boolean detached;

	private boolean watched;

	private long turn;

	private long turnSeen;

	private long turnSeenAt;

	/**
	 * Make a worker; {@link #start()} starts it.
	 * @param threads makes its threads
	 * @param step one turn; returns the longest wait until the next in nanoseconds
	 * @param onError hears what a step threw
	 */
	public LineWorker(ThreadFactory threads, LongSupplier step, Consumer<Throwable> onError) {
		this.threads = threads;
		this.step = step;
		this.onError = onError;
		this.runner = new Runner();
	}

	/**
	 * Start the thread.
	 */
	public void start() {
		this.runner.thread.start();
	}

	/**
	 * Ask for a step as soon as possible.
	 */
	public void signal() {
		this.work.incrementAndGet();
		LockSupport.unpark(this.runner.thread);
	}

	/**
	 * End the worker after its current step.
	 */
	public void stop() {
		this.stopped = true;
		LockSupport.unpark(this.runner.thread);
	}

	private boolean isCurrentThread() {
		return Thread.currentThread() == this.runner.thread;
	}

	/**
	 * The step begins a part that the rest need not wait for. Another thread that calls
	 * this is no concern of the worker.
	 * @return whether {@link #watch} is to be called soon
	 */
	public boolean detach() {
		this.lock.lock();
		try {
			if (!isCurrentThread()) {
				return false;
			}
			this.detached = true;
			this.turn++;
			boolean first = !this.watched;
			this.watched = true;
			return first;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * That part is over.
	 */
	public void attach() {
		this.lock.lock();
		try {
			if (isCurrentThread()) {
				this.detached = false;
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Let another thread go on if a part that the rest need not wait for takes long; to
	 * be called by one other thread.
	 * @param now the time in nanoseconds
	 * @return when to call again, in nanoseconds; {@link #UNTIL_SIGNALLED} for not until
	 * {@link #detach} asks for it
	 */
	public long watch(long now) {
		this.lock.lock();
		try {
			if (!this.detached || this.stopped) {
				this.watched = false;
				return UNTIL_SIGNALLED;
			}
			if (this.turn != this.turnSeen) {
				this.turnSeen = this.turn;
				this.turnSeenAt = now;
			}
			long left = this.turnSeenAt + PATIENCE - now;
			if (left > 0) {
				return left;
			}
			relieve();
			return PATIENCE;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void relieve() {
		Runner before = this.runner;
		Runner next = new Runner();
		// First, so that a signal given from now on reaches the one that will hear it.
		this.runner = next;
		this.detached = false;
		boolean started = false;
		try {
			next.thread.start();
			started = true;
		}
		finally {
			if (!started) {
				this.runner = before;
				this.detached = true;
			}
		}
	}

	private boolean isRelieved(Runner candidate) {
		this.lock.lock();
		try {
			return this.runner != candidate;
		}
		finally {
			this.lock.unlock();
		}
	}

	private long step() {
		try {
			return this.step.getAsLong();
		}
		catch (Throwable ex) {
			this.onError.accept(ex);
			return PAUSE_AFTER_ERROR;
		}
	}

	private final class Runner implements Runnable {

		private final Thread thread;

		Runner() {
			@Nullable Thread made = LineWorker.this.threads.newThread(this);
			if (made == null) {
				throw new IllegalStateException("The thread factory refused a thread");
			}
			this.thread = made;
		}

		@Override
		public void run() {
			LineWorker worker = LineWorker.this;
			while (!worker.stopped) {
				long seen = worker.work.get();
				long wait = step();
				if (isRelieved(this)) {
					// What this step would have come back for is for the other to find.
					signal();
					return;
				}
				// User code in a step may leave the flag behind: parking would not wait.
				Thread.interrupted();
				if (wait > 0 && worker.work.get() == seen && !worker.stopped) {
					LockSupport.parkNanos(worker, wait);
				}
			}
		}

	}

}
