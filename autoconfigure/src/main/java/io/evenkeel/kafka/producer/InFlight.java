package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * The sends that a client has in hand, so that they end even when the client never
 * answers: its I/O thread may be stuck in user code, or dead of an {@code Error}.
 * <p>
 * <b>Threading.</b> Senders and the scheduler {@link #add}; whoever hears the client's
 * answer, its I/O thread mostly, calls {@link Place#leave}; the timer calls
 * {@link #sweep}, and whoever gives a client up {@link #abandon}; those two under the
 * lock.
 * <p>
 * <b>Invariants.</b> (1) A place goes from empty to a send to {@code LEFT}, and never
 * back. (2) A chunk leaves the chain only when none of its places is empty, so a sender
 * that has claimed a place and not filled it yet is waited for. (3) What a send has left
 * holds on to it no longer. (4) A chunk that has left the chain refers to itself, and
 * leads to the first one of the chain.
 * <p>
 * <b>Why.</b> Each record passes here, and nearly none is ever looked at: the client
 * keeps its own {@code delivery.timeout.ms}. So coming and going is one counter and two
 * ordered stores, without a lock, a search or an object per record. Whoever begins a
 * chunk drops those in front that all have left, so that they die young; if they led to
 * the next one, the first of them to grow old would take along all that come after it.
 * The sweep reads what is left, once a second, and moves the last few of a chunk to a
 * plain list, so that one record that waits for minutes does not keep its neighbours.
 */
final class InFlight {

	private static final int CHUNK = 512;

	/** So few sends do not keep a chunk. */
	private static final int FEW = CHUNK / 16;

	private static final Object LEFT = new Object();

	/** The client's own timeout comes first, and says more. */
	static final Duration GRACE = Duration.ofMillis(250);

	/** A client that is so late is not just busy. */
	private static final long STUCK = TimeUnit.SECONDS.toNanos(10);

	private static final long TICK = TimeUnit.SECONDS.toNanos(1);

	/** How long to wait for calls of the client that are under way; they do not block. */
	private static final long HANDING = TimeUnit.MILLISECONDS.toNanos(200);

	private static final long TICK_OF_PATIENCE = TimeUnit.MICROSECONDS.toNanos(100);

	private final ReentrantLock lock = new ReentrantLock();

	private final List<PendingSend<?, ?>> stragglers = new ArrayList<>();

	private volatile Chunk last;

	private final long limit;

	private final long tick;

	/** Written under the lock. */
	private volatile Chunk first;

	/** Of the client before, as long as something of it is left. */
	private @Nullable InFlight before;

	/** Why the client was given up. */
	private @Nullable Diagnosis givenUp;

	/**
	 * Make an empty one.
	 * @param deliveryTimeoutNanos the client's own limit, in nanoseconds
	 */
	InFlight(long deliveryTimeoutNanos) {
		this(deliveryTimeoutNanos, null);
	}

	/**
	 * Make an empty one.
	 * @param deliveryTimeoutNanos the client's own limit, in nanoseconds
	 * @param before what the client before had in hand: calls of it may be under way
	 */
	InFlight(long deliveryTimeoutNanos, @Nullable InFlight before) {
		this.before = before;
		this.limit = deliveryTimeoutNanos + GRACE.toNanos();
		this.tick = Math.min(TICK, Math.max(1, deliveryTimeoutNanos / 2));
		this.first = new Chunk();
		this.last = this.first;
	}

	/**
	 * The client is about to get a send.
	 * @param send the send
	 * @param now the time
	 */
	void add(PendingSend<?, ?> send, long now) {
		while (true) {
			Chunk chunk = this.last;
			int index = chunk.claimed.get();
			if (index < CHUNK) {
				index = chunk.claimed.getAndIncrement();
				if (index < CHUNK) {
					send.inFlight(chunk, index, now);
					chunk.places.lazySet(index, send);
					return;
				}
			}
			// A late writer may set it back: to a full chunk, which leads here again.
			this.last = chunk.following();
		}
	}

	/**
	 * End the sends that the client should have ended; the timer's turn.
	 * @param now the time
	 * @return what was found
	 */
	Sweep sweep(long now) {
		this.lock.lock();
		try {
			retireChunks();
			if (this.before != null && this.before.settle(now)) {
				this.before = null;
			}
			Sweep sweep = new Sweep(this.tick, this.limit, now);
			if (this.givenUp != null) {
				settle(now);
				return sweep;
			}
			this.stragglers.removeIf((send) -> !send.isIn(this));
			this.stragglers.forEach(sweep::look);
			for (Chunk chunk = this.first; chunk != null; chunk = chunk.next.get()) {
				chunk.forEach(sweep::look);
			}
			return sweep;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * End all sends that the client has taken, because it will not. Whoever is in a call
	 * of it ends his send himself, or hands it to the next client; a later sweep sees to
	 * those that the client took in spite of that.
	 * @param found why
	 * @return how many there were
	 */
	int giveUp(Diagnosis found) {
		this.lock.lock();
		try {
			this.givenUp = found;
			return endTaken(found).ended();
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Look after what is left of a client that was given up; true if nothing is. */
	private boolean settle(long now) {
		this.lock.lock();
		try {
			Diagnosis found = this.givenUp;
			if (found == null) {
				return false;
			}
			boolean beforeSettled = this.before == null || this.before.settle(now);
			if (beforeSettled) {
				this.before = null;
			}
			List<PendingSend<?, ?>> left = endTaken(found).left();
			left.forEach((send) -> {
				if (now - send.handedAt() - this.limit >= 0) {
					send.expire();
				}
			});
			return left.isEmpty() && beforeSettled;
		}
		finally {
			this.lock.unlock();
		}
	}

	private Taken endTaken(Diagnosis found) {
		List<PendingSend<?, ?>> left = new ArrayList<>();
		int ended = 0;
		for (PendingSend<?, ?> send : all()) {
			// In this order: its mark goes when it has left the flight.
			if (send.isBeingHanded()) {
				left.add(send);
			}
			else if (send.isIn(this)) {
				ended += send.abandon(found) ? 1 : 0;
			}
		}
		return new Taken(ended, left);
	}

	private List<PendingSend<?, ?>> all() {
		List<PendingSend<?, ?>> all = new ArrayList<>(this.stragglers);
		for (Chunk chunk = this.first; chunk != null; chunk = chunk.next.get()) {
			chunk.forEach(all::add);
		}
		return all;
	}

	/**
	 * End all sends, because nobody will; nothing may be added any more.
	 * @param found why
	 * @return how many there were
	 */
	int abandon(Diagnosis found) {
		List<PendingSend<?, ?>> rest;
		InFlight earlier;
		this.lock.lock();
		try {
			rest = all();
			this.stragglers.clear();
			earlier = this.before;
		}
		finally {
			this.lock.unlock();
		}
		int count = (earlier != null) ? earlier.abandon(found) : 0;
		long patience = System.nanoTime() + HANDING;
		for (PendingSend<?, ?> send : rest) {
			while (send.isBeingHanded() && System.nanoTime() - patience < 0) {
				LockSupport.parkNanos(this, TICK_OF_PATIENCE);
			}
			// Who finds the client closed goes on to the next one, and has left.
			if (send.isIn(this)) {
				count += send.abandon(found) ? 1 : 0;
			}
		}
		return count;
	}

	private void retireChunks() {
		Chunk kept = null;
		Chunk chunk = this.first;
		for (Chunk next = chunk.next.get(); next != null; next = chunk.next.get()) {
			if (chunk.moveFewTo(this.stragglers)) {
				unlink(kept, chunk, next);
			}
			else {
				kept = chunk;
			}
			chunk = next;
		}
	}

	/** Let go of the chunks in front that all have left, unless somebody else looks. */
	private void dropLeft() {
		if (!this.lock.tryLock()) {
			return;
		}
		try {
			Chunk chunk = this.first;
			for (Chunk next = chunk.next.get(); next != null && chunk.haveAllLeft(); next = chunk.next.get()) {
				unlink(null, chunk, next);
				chunk = next;
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private void unlink(@Nullable Chunk before, Chunk chunk, Chunk next) {
		if (before != null) {
			before.next.set(next);
		}
		else {
			this.first = next;
		}
		chunk.next.set(chunk);
	}

	private record Taken(int ended, List<PendingSend<?, ?>> left) {

	}

	/**
	 * What a sweep found, and when the next one is due.
	 */
	static final class Sweep {

		private final long limit;

		private final long now;

		private long wait;

		private boolean stuck;

		private int expired;

		Sweep(long tick, long limit, long now) {
			this.wait = tick;
			this.limit = limit;
			this.now = now;
		}

		private void look(PendingSend<?, ?> send) {
			long left = send.handedAt() + this.limit - this.now;
			if (left > 0) {
				this.wait = Math.min(this.wait, left);
				return;
			}
			this.expired += send.expire() ? 1 : 0;
			this.stuck |= left + STUCK < 0;
		}

		/** How long to wait for the next sweep, in nanoseconds; positive. */
		long waitNanos() {
			return this.wait;
		}

		/** How many sends were ended. */
		int expired() {
			return this.expired;
		}

		/** Whether the client has not answered for so long that it will not. */
		boolean isStuck() {
			return this.stuck;
		}

	}

	/**
	 * Where a send is while the client has it in hand.
	 */
	abstract static class Place {

		/**
		 * Whose place it is.
		 */
		abstract InFlight flight();

		/**
		 * The client is done with the send at an index.
		 * @param index the index
		 */
		abstract void leave(int index);

	}

	private final class Chunk extends Place {

		private final AtomicInteger claimed = new AtomicInteger();

		private final AtomicReferenceArray<@Nullable Object> places = new AtomicReferenceArray<>(CHUNK);

		private final AtomicReference<@Nullable Chunk> next = new AtomicReference<>();

		@Override
		InFlight flight() {
			return InFlight.this;
		}

		@Override
		void leave(int index) {
			this.places.lazySet(index, LEFT);
		}

		Chunk following() {
			Chunk existing = this.next.get();
			if (existing != null) {
				return (existing != this) ? existing : InFlight.this.first;
			}
			Chunk made = new Chunk();
			if (!this.next.compareAndSet(null, made)) {
				return following();
			}
			dropLeft();
			return made;
		}

		void forEach(Consumer<PendingSend<?, ?>> action) {
			for (int i = 0; i < CHUNK; i++) {
				if (this.places.get(i) instanceof PendingSend<?, ?> send) {
					action.accept(send);
				}
			}
		}

		boolean haveAllLeft() {
			for (int i = 0; i < CHUNK; i++) {
				if (this.places.get(i) != LEFT) {
					return false;
				}
			}
			return true;
		}

		/**
		 * Empty a chunk that is full, if few are left in it; false also if a sender has
		 * yet to fill its place.
		 */
		boolean moveFewTo(List<PendingSend<?, ?>> target) {
			int left = 0;
			for (int i = 0; i < CHUNK; i++) {
				Object place = this.places.get(i);
				left += (place != LEFT) ? 1 : 0;
				if (place == null || left > FEW) {
					return false;
				}
			}
			for (int i = 0; left > 0 && i < CHUNK; i++) {
				Object place = this.places.get(i);
				if (place instanceof PendingSend<?, ?> send && this.places.compareAndSet(i, place, LEFT)) {
					target.add(send);
				}
			}
			return true;
		}

	}

}
