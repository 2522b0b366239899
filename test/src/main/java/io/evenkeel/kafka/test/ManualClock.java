package io.evenkeel.kafka.test;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

import io.evenkeel.kafka.thread.NanoClock;
import org.jspecify.annotations.Nullable;

/**
 * Time for listeners, which stands still until the test lets it pass, and for producers,
 * whose threads wait by the machine's time: theirs runs on, and jumps with the other.
 * <p>
 * <b>Why time creeps.</b> Each reading is a nanosecond later than the one before, so that
 * what is due "at once" is due, and half a second never comes by itself. <b>Why a thread
 * may be held.</b> A call that fails and the reading that decides when the next one is
 * due are two moments. A test that lets time pass between them would set back the retry
 * it is waiting for.
 */
final class ManualClock implements NanoClock {

	private final AtomicLong now = new AtomicLong(System.nanoTime());

	private final AtomicLong ahead = new AtomicLong();

	private final ThreadLocal<@Nullable Long> held = new ThreadLocal<>();

	/** When it began to run by itself, 0 while it stands. */
	private volatile long runningSince;

	@Override
	public long getAsLong() {
		Long value = this.held.get();
		return (value != null) ? value : current();
	}

	private long current() {
		long since = this.runningSince;
		return this.now.incrementAndGet() + ((since != 0) ? System.nanoTime() - since : 0);
	}

	/** The time of producers. */
	NanoClock running() {
		return () -> System.nanoTime() + this.ahead.get();
	}

	/** For the calling thread it is the time of this moment until it is let go. */
	void hold() {
		this.held.set(current());
	}

	void letGo() {
		this.held.remove();
	}

	void advance(Duration time) {
		this.now.addAndGet(time.toNanos());
		this.ahead.addAndGet(time.toNanos());
	}

	/** From now on it runs as the machine's does. */
	void run() {
		if (this.runningSince == 0) {
			this.runningSince = System.nanoTime();
		}
	}

	void stand() {
		long since = this.runningSince;
		if (since != 0) {
			this.now.addAndGet(System.nanoTime() - since);
			this.runningSince = 0;
		}
	}

}
