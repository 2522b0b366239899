package io.evenkeel.kafka.producer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/**
 * The sends that have not ended, where the end of a send is the end of its callbacks; so
 * that a flush waits for those before it, and for none that come after it.
 * <p>
 * <b>Threading.</b> Any thread begins, ends and waits. <b>Invariants.</b> (1) A send
 * counts in the round that was the current one after it had been counted: so every send
 * that began before a round was closed is in that round or in an earlier one. (2) A round
 * is quiet when as many have ended as have begun; the ends are read first, so that what
 * passes between the two reads makes it look less quiet than it is, never more.
 * <p>
 * <b>Why.</b> Each record passes here twice, and nearly nobody ever waits: so a send
 * costs two additions on cache lines of their own, and a flush closes the round. User
 * code may flush, too, in a callback or in a partitioner, and would wait for the end of
 * the very send that it is part of: {@link Frames} knows the sends that a thread is busy
 * with. Two callbacks that flush would wait for each other: neither waits for a send
 * whose own user code waits here.
 */
final class OpenSends {

	private final LongSupplier clock;

	/** Written under the lock. */
	private volatile Round current = new Round();

	private final ReentrantLock lock = new ReentrantLock();

	private final List<Round> earlier = new ArrayList<>();

	private final Queue<Thread> waiting = new ConcurrentLinkedQueue<>();

	private final ThreadLocal<Frames> frames = ThreadLocal.withInitial(Frames::new);

	/**
	 * Make an empty one.
	 * @param clock nanoseconds, as {@link System#nanoTime()}
	 */
	OpenSends(LongSupplier clock) {
		this.clock = clock;
	}

	/** A send begins; the round goes with it to its end. */
	Round begin() {
		while (true) {
			Round round = this.current;
			round.begin();
			if (this.current == round) {
				return round;
			}
			end(round);
		}
	}

	/** A send has ended, and its callbacks have returned. */
	void end(Round round) {
		round.end();
		if (round.awaited && round.isQuiet(true)) {
			wake();
		}
	}

	/** The sends that the calling thread is busy with. */
	Frames frames() {
		return this.frames.get();
	}

	private void wake() {
		this.waiting.forEach(LockSupport::unpark);
	}

	/** What has begun and not ended until now. */
	Earlier earlier() {
		this.lock.lock();
		try {
			Round last = this.current;
			if (!last.isQuiet(false)) {
				last.awaited = true;
				this.current = new Round();
				this.earlier.add(last);
			}
			this.earlier.removeIf((round) -> round.isQuiet(false));
			return new Earlier(List.copyOf(this.earlier));
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * The sends before a certain moment.
	 */
	final class Earlier {

		private final List<Round> rounds;

		private Earlier(List<Round> rounds) {
			this.rounds = rounds;
		}

		boolean isEmpty() {
			return this.rounds.isEmpty();
		}

		/**
		 * Wait until they have ended.
		 * @param deadline when to stop waiting, in nanoseconds of the clock
		 * @return whether they have ended
		 * @throws InterruptException if the thread is interrupted
		 */
		boolean await(long deadline) {
			Frames mine = frames();
			mine.excuse(1);
			wake();
			OpenSends.this.waiting.add(Thread.currentThread());
			try {
				while (!haveEnded(mine.isEmpty())) {
					long left = deadline - OpenSends.this.clock.getAsLong();
					if (left <= 0) {
						return false;
					}
					if (Thread.interrupted()) {
						throw new InterruptException("Interrupted while waiting for sends to end");
					}
					LockSupport.parkNanos(OpenSends.this, left);
				}
				return true;
			}
			finally {
				OpenSends.this.waiting.remove(Thread.currentThread());
				mine.excuse(-1);
			}
		}

		private boolean haveEnded(boolean outside) {
			for (Round round : this.rounds) {
				if (!round.isQuiet(!outside)) {
					return false;
				}
			}
			return true;
		}

	}

	/**
	 * The sends whose user code a thread is running, one within the other, and no send
	 * twice. Only their rounds are kept, and stay where they are: a reference to a young
	 * object that is written into an old one costs as much as an atomic addition.
	 */
	static final class Frames {

		private @Nullable Round[] rounds = new Round[4];

		private int depth;

		/** User code of a send may run from here on. */
		void enter(PendingSend<?, ?> send) {
			Round round = send.round();
			if (this.depth == this.rounds.length) {
				this.rounds = Arrays.copyOf(this.rounds, 2 * this.depth);
			}
			if (this.rounds[this.depth] != round) {
				this.rounds[this.depth] = round;
			}
			this.depth++;
		}

		void exit() {
			this.depth--;
		}

		private boolean isEmpty() {
			return this.depth == 0;
		}

		private void excuse(int delta) {
			for (int i = 0; i < this.depth; i++) {
				Objects.requireNonNull(this.rounds[i]).excused.addAndGet(delta);
			}
		}

	}

	/**
	 * The sends between two flushes.
	 */
	static final class Round {

		/** So many long values fill a cache line, or two. */
		private static final int LINE = 16;

		private static final int BEGUN = LINE;

		private static final int ENDED = 2 * LINE;

		private final AtomicLongArray counts = new AtomicLongArray(3 * LINE);

		private final AtomicInteger excused = new AtomicInteger();

		private volatile boolean awaited;

		private void begin() {
			this.counts.getAndIncrement(BEGUN);
		}

		private void end() {
			this.counts.getAndIncrement(ENDED);
		}

		/**
		 * Whether all have ended.
		 * @param withinUserCode whether those whose own user code waits do not count
		 */
		private boolean isQuiet(boolean withinUserCode) {
			long ended = this.counts.get(ENDED);
			long waits = withinUserCode ? this.excused.get() : 0;
			return ended + waits >= this.counts.get(BEGUN);
		}

	}

}
