package io.evenkeel.kafka.engine.dispatch;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * The one way back from the workers to the owner: ended deliveries, from any number of
 * threads to one.
 *
 * <h2>Threading</h2> {@link #push} from any thread, lock-free and without allocation (the
 * deliveries are linked through themselves). {@link #drain} and {@link #await} from the
 * owner thread only, until it has closed the queue.
 *
 * <h2>Invariants</h2>
 * <ol>
 * <li>What was pushed before a drain began is seen by that drain.</li>
 * <li>Deliveries pushed by one thread are drained in the order they were pushed.</li>
 * <li>A push that finds the owner waiting wakes it: the owner announces itself before it
 * looks at the queue, a pusher looks for the owner after it has pushed, and both go
 * through volatile memory, so at least one of the two sees the other.</li>
 * </ol>
 *
 * @param <R> the type of the record
 */
public final class CompletionQueue<R> {

	private final AtomicReference<@Nullable Delivery<R>> top = new AtomicReference<>();

	private volatile @Nullable Thread waiting;

	/** The owner that pushes do not wake. */
	private volatile @Nullable Thread resting;

	private volatile boolean signalled;

	/** Who hears of what ends when there is no owner any more. */
	private volatile @Nullable Consumer<Delivery<R>> late;

	void push(Delivery<R> delivery) {
		Delivery<R> current;
		do {
			current = this.top.get();
			delivery.nextEnded = current;
		}
		while (!this.top.compareAndSet(current, delivery));
		Consumer<Delivery<R>> listener = this.late;
		if (listener != null) {
			drain(listener);
		}
		wake();
	}

	/**
	 * The owner ends: whoever pushes from now on also drains. The owner's last call.
	 * @param listener told of what nobody has drained and of what comes; any thread
	 */
	public void close(Consumer<Delivery<R>> listener) {
		this.late = listener;
		drain(listener);
	}

	/**
	 * Wake the owner if it waits here: something other than a completion has changed. Any
	 * thread.
	 */
	public void signal() {
		this.signalled = true;
		wake();
		Thread thread = this.resting;
		if (thread != null) {
			LockSupport.unpark(thread);
		}
	}

	private void wake() {
		Thread thread = this.waiting;
		if (thread != null) {
			LockSupport.unpark(thread);
		}
	}

	/**
	 * Take all that has ended since the last call, oldest first.
	 * @param consumer told of each
	 * @return how many
	 */
	public int drain(Consumer<Delivery<R>> consumer) {
		if (this.top.get() == null) {
			return 0;
		}
		Delivery<R> newest = this.top.getAndSet(null);
		Delivery<R> oldest = null;
		while (newest != null) {
			Delivery<R> next = newest.nextEnded;
			newest.nextEnded = oldest;
			oldest = newest;
			newest = next;
		}
		int count = 0;
		while (oldest != null) {
			Delivery<R> next = oldest.nextEnded;
			oldest.nextEnded = null;
			consumer.accept(oldest);
			oldest = next;
			count++;
		}
		return count;
	}

	/**
	 * Wait until somebody has signalled, whatever is pushed, or the time is over. May
	 * return early.
	 * @param nanos the longest wait in nanoseconds
	 */
	public void awaitSignal(long nanos) {
		this.resting = Thread.currentThread();
		try {
			if (!this.signalled && nanos > 0) {
				LockSupport.parkNanos(this, nanos);
			}
		}
		finally {
			this.resting = null;
			this.signalled = false;
		}
	}

	/**
	 * Whether somebody has signalled since the last wait. For owners that do not wait
	 * here.
	 * @return true once
	 */
	public boolean takeSignal() {
		boolean taken = this.signalled;
		this.signalled = false;
		return taken;
	}

	/**
	 * Wait until something was pushed or signalled, or the time is over. May return
	 * early.
	 * @param nanos the longest wait in nanoseconds
	 */
	public void await(long nanos) {
		this.waiting = Thread.currentThread();
		try {
			if (this.top.get() == null && !this.signalled && nanos > 0) {
				LockSupport.parkNanos(this, nanos);
			}
		}
		finally {
			this.waiting = null;
			this.signalled = false;
		}
	}

}
