package io.evenkeel.kafka.engine.dispatch;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

import org.jspecify.annotations.Nullable;

/**
 * One call of the handler: for one record, or for the records of a batch. Its lane and
 * its slot are held until it is closed, by the worker or, when the handler is
 * asynchronous, by whichever thread finishes the work.
 *
 * <h2>Threading</h2> {@link #end}, {@link #close} and {@link #park} may be called from
 * any thread. A call is closed exactly once: later attempts change nothing and return
 * false.
 *
 * <h2>Why a state and a compare-and-set</h2> The worker leaves when the handler returns;
 * the handler's future may complete before, while or after that. OPEN → CLOSED by the
 * closer against OPEN → DETACHED by the worker decides which of the two gives the lane
 * back, so that it is given back once.
 *
 * @param <R> the type of the record
 */
public final class Call<R> {

	private static final int OPEN = 0;

	private static final int DETACHED = 1;

	private static final int CLOSED = 2;

	@SuppressWarnings("rawtypes")
	private static final AtomicIntegerFieldUpdater<Call> STATE = AtomicIntegerFieldUpdater.newUpdater(Call.class,
			"state");

	private volatile int state = OPEN;

	private final Dispatcher<R> dispatcher;

	private final Run<R> run;

	/** Its records are those of the run from here, inclusive, */
	private final int from;

	/** to here, exclusive: a list of its own would be one more object for each record. */
	private final int to;

	private long parkNanos = -1;

	private volatile @Nullable Runnable closed;

	private volatile boolean timedOut;

	Call(Dispatcher<R> dispatcher, Run<R> run, int from, int to) {
		this.dispatcher = dispatcher;
		this.run = run;
		this.from = from;
		this.to = to;
	}

	/**
	 * End one record of this call, whether the call is still open or not. Any thread.
	 * @param delivery a record of this call
	 * @param outcome how it ended
	 * @return false when it had ended before
	 */
	public boolean end(Delivery<R> delivery, Outcome outcome) {
		if (!delivery.end(outcome)) {
			return false;
		}
		this.dispatcher.ended(delivery);
		return true;
	}

	/**
	 * End what has not ended yet and close the call.
	 * @param outcome how the records ended
	 * @return false when the call was closed before: nothing has changed
	 */
	public boolean complete(Outcome outcome) {
		if (this.state == CLOSED) {
			return false;
		}
		for (int i = 0; i < size(); i++) {
			end(delivery(i), outcome);
		}
		return close();
	}

	/**
	 * Close the call: its lane and slot are free. Records of it that have not ended stay
	 * pending until somebody ends them.
	 * @return false when the call was closed before
	 */
	public boolean close() {
		return close(-1);
	}

	/**
	 * Close the call and put its records that have not ended back to the front of the
	 * lane, to be called again, before the later ones, when the time has passed. Only
	 * this lane waits.
	 * @param nanos how long, 0 for at once
	 * @return false when the call was closed before
	 */
	public boolean park(long nanos) {
		return close(Math.max(0, nanos));
	}

	private boolean close(long park) {
		int current = this.state;
		if (current == CLOSED) {
			return false;
		}
		synchronized (this) {
			if (this.state == CLOSED) {
				return false;
			}
			this.parkNanos = park;
			current = STATE.getAndSet(this, CLOSED);
		}
		try {
			Runnable told = this.closed;
			if (told != null) {
				told.run();
			}
		}
		finally {
			if (current == DETACHED) {
				this.dispatcher.release(this.run);
			}
		}
		return true;
	}

	/**
	 * Give up the slot for as long as this call waits for something other than the
	 * handler: it keeps its lane, and other lanes have the slot meanwhile. For the worker
	 * that makes this call, before the handler returns.
	 */
	public void rest() {
		this.dispatcher.rest(this.run);
	}

	/**
	 * Wait for a slot after a {@link #rest}: the handler is to be called again. Its turn
	 * comes as that of any other lane. For the worker that makes this call.
	 * @return false when the assignment is being handed over: there is nothing to be
	 * called any more
	 */
	public boolean resume() {
		return this.dispatcher.resume(this.run);
	}

	/**
	 * Tell somebody when this call is closed. To be called before the handler is.
	 * @param closed must not throw
	 */
	public void whenClosed(Runnable closed) {
		this.closed = closed;
	}

	/**
	 * The worker leaves.
	 * @return true when the call is still open, so that its closer gives the lane back
	 */
	boolean detach() {
		if (this.state == CLOSED) {
			return false;
		}
		synchronized (this) {
			// Whoever interrupts this call must not hit the next one of its worker.
			return STATE.compareAndSet(this, OPEN, DETACHED);
		}
	}

	/**
	 * This call has taken too long: interrupt its worker. However it ends, it has failed.
	 * @param worker the thread that was seen inside this call
	 * @return false when the worker has left it: nothing has changed
	 */
	public boolean timeOut(Thread worker) {
		synchronized (this) {
			if (this.state != OPEN) {
				return false;
			}
			this.timedOut = true;
			worker.interrupt();
			return true;
		}
	}

	/**
	 * Whether this call has taken too long.
	 * @return true once {@link #timeOut} has interrupted it
	 */
	public boolean isTimedOut() {
		return this.timedOut;
	}

	/**
	 * Whether this call waits for something other than the handler, without a slot. As of
	 * a moment ago on any other thread than its own.
	 * @return true between a {@link #rest} and a {@link #resume}
	 */
	public boolean isResting() {
		return this.run.resting;
	}

	/**
	 * Whether this call was closed.
	 * @return true once it was
	 */
	public boolean isClosed() {
		return this.state == CLOSED;
	}

	long parkNanos() {
		return this.parkNanos;
	}

	/**
	 * The records of this call, in offset order.
	 * @return one, or those of the batch
	 */
	public List<Delivery<R>> deliveries() {
		return this.run.deliveries(this.from, this.to);
	}

	/**
	 * The first record of this call.
	 * @return the only one, unless this is a batch
	 */
	public Delivery<R> delivery() {
		return delivery(0);
	}

	/**
	 * The number of records of this call.
	 * @return at least 1
	 */
	public int size() {
		return this.to - this.from;
	}

	/**
	 * One of the records of this call.
	 * @param index from 0, in offset order
	 * @return the record's delivery
	 */
	public Delivery<R> delivery(int index) {
		return this.run.delivery(this.from + Objects.checkIndex(index, size()));
	}

	/**
	 * When this call began. For the thread that it began on, before the handler returns.
	 * @return nanoseconds of the dispatcher's clock, as old as the end of the call before
	 */
	public long beganNanos() {
		return this.run.nowNanos();
	}

	/**
	 * The assignment that all records of this call belong to.
	 * @return the fence
	 */
	public Assignment<R> assignment() {
		return this.run.assignment();
	}

}
