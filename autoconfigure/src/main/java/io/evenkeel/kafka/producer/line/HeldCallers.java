package io.evenkeel.kafka.producer.line;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * Senders that are held because there is no room, in the order in which they came.
 * <p>
 * <b>Threading.</b> Any thread. <b>Invariant.</b> One of them is the first until it
 * leaves, and whoever leaves wakes the next. <b>Why.</b> It is no lock: who has left may
 * run user code, and the others go on. Only the first may take room, so that nobody is
 * passed by who has waited for longer; those behind look from time to time whether they
 * need any.
 */
public final class HeldCallers {

	private final Queue<Ticket> tickets = new ConcurrentLinkedQueue<>();

	private final AtomicBoolean told = new AtomicBoolean();

	/**
	 * Whether nobody is held.
	 * @return true if nobody is
	 */
	public boolean isEmpty() {
		return this.tickets.isEmpty();
	}

	/**
	 * The calling thread is held from here on.
	 * @return its place
	 */
	public Ticket enter() {
		Ticket ticket = new Ticket();
		this.tickets.add(ticket);
		return ticket;
	}

	/**
	 * There may be room: the first is to look.
	 */
	public void signal() {
		Ticket first = this.tickets.peek();
		if (first != null) {
			LockSupport.unpark(first.thread);
		}
	}

	/**
	 * All are to look whether they need any room.
	 */
	public void signalAll() {
		this.tickets.forEach((ticket) -> LockSupport.unpark(ticket.thread));
	}

	/**
	 * Whether it has yet to be told that callers are held; true once until nobody is.
	 * @return true for whoever is to tell
	 */
	public boolean becomesSlow() {
		return this.told.compareAndSet(false, true);
	}

	/**
	 * The place of a held caller.
	 */
	public final class Ticket implements AutoCloseable {

		private final Thread thread = Thread.currentThread();

		private Ticket() {
		}

		/**
		 * Whether nobody has been held for longer.
		 * @return true for the first
		 */
		public boolean isFirst() {
			return HeldCallers.this.tickets.peek() == this;
		}

		/**
		 * Wait for a signal; an interrupt ends the wait, and stays.
		 * @param nanos the longest wait, in nanoseconds
		 */
		public void await(long nanos) {
			LockSupport.parkNanos(HeldCallers.this, nanos);
		}

		/**
		 * The caller is not held any more.
		 */
		@Override
		public void close() {
			HeldCallers.this.tickets.remove(this);
			signal();
			if (HeldCallers.this.tickets.isEmpty()) {
				HeldCallers.this.told.set(false);
			}
		}

	}

}
