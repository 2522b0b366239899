package io.evenkeel.kafka.producer.line;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Runs a step again and again on one thread: after the time the step asked for, or as
 * soon as somebody signals work.
 * <p>
 * <b>Threading.</b> The step runs on the worker's thread only. {@link #signal()} and
 * {@link #stop()} may be called by any thread, also by the step itself.
 * <p>
 * <b>Invariants.</b> (1) A signal given after a step began is followed by another full
 * step. (2) A step that throws does not end the worker.
 * <p>
 * <b>Why.</b> The work counter is read before the step and compared after it, so a signal
 * that arrives while the step is looking elsewhere is never lost; a trigger of the kind
 * "the first one in wakes the worker" is, when the worker is just about to leave. The
 * permit of {@link LockSupport#unpark} covers the moment between comparing and parking.
 */
public final class LineWorker {

	/** The step's answer when only a signal should make it run again. */
	public static final long UNTIL_SIGNALLED = Long.MAX_VALUE;

	private static final long PAUSE_AFTER_ERROR = TimeUnit.MILLISECONDS.toNanos(100);

	private final AtomicLong work = new AtomicLong();

	private final LongSupplier step;

	private final Consumer<Throwable> onError;

	private final Thread thread;

	private volatile boolean stopped;

	/**
	 * Make a worker; {@link #start()} starts it.
	 * @param threads makes its thread
	 * @param step one turn; returns the longest wait until the next in nanoseconds
	 * @param onError hears what a step threw
	 */
	public LineWorker(ThreadFactory threads, LongSupplier step, Consumer<Throwable> onError) {
		this.step = step;
		this.onError = onError;
		@Nullable Thread made = threads.newThread(this::run);
		if (made == null) {
			throw new IllegalStateException("The thread factory refused a thread");
		}
		this.thread = made;
	}

	/**
	 * Start the thread.
	 */
	public void start() {
		this.thread.start();
	}

	/**
	 * Ask for a step as soon as possible.
	 */
	public void signal() {
		this.work.incrementAndGet();
		LockSupport.unpark(this.thread);
	}

	/**
	 * End the worker after its current step.
	 */
	public void stop() {
		this.stopped = true;
		LockSupport.unpark(this.thread);
	}

	/**
	 * Whether the caller is the worker's own thread.
	 * @return true on the worker's thread
	 */
	public boolean isCurrentThread() {
		return Thread.currentThread() == this.thread;
	}

	private void run() {
		while (!this.stopped) {
			long seen = this.work.get();
			long wait = step();
			// User code in a step may leave the flag behind: parking would not wait.
			Thread.interrupted();
			if (wait > 0 && this.work.get() == seen && !this.stopped) {
				LockSupport.parkNanos(this, wait);
			}
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

}
