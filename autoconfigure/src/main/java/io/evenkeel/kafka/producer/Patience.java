package io.evenkeel.kafka.producer;

import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/**
 * How long the runner of a producer's user code is waited for before another takes over.
 * <p>
 * A task that waits for anything, or works for long, may never come back, and behind it
 * are futures with deadlines; but user code may rely on being alone, so the first is
 * waited for patiently. What was waited comes off a credit, of which the next gets half
 * at most: however many tasks block one after the other, the last one is held up by
 * little more than the whole credit. The credit comes back with the time.
 * <p>
 * <b>Threading.</b> Under the lock of its owner. <b>Why.</b> Time counts as it was asked
 * to be waited, not as it passed: when the whole machine stands still, nobody is late.
 */
final class Patience {

	static final long CREDIT = TimeUnit.MILLISECONDS.toNanos(200);

	/** A working thread is given so many times as long: nobody has to wake it. */
	private static final int WITH_WORK = 20;

	/** What even the last one gets; a task that does not wait needs less. */
	private static final long LEAST = TimeUnit.MICROSECONDS.toNanos(200);

	/** So much of the time that passes becomes credit again. */
	private static final int REFILL = 10;

	private long credit = CREDIT;

	private @Nullable Object seen;

	private long turnSeen;

	private long share;

	private long waitedFor;

	private long lookedAt;

	/** The time between two looks when nothing is wrong. */
	long calm() {
		return CREDIT / 2;
	}

	/**
	 * Look at the active runner.
	 * @param runner the runner
	 * @param turn its turn, odd while it is busy with a task
	 * @param working whether its thread runs
	 * @param waited what was waited since the last look, in nanoseconds
	 * @param now nanoseconds, as {@link System#nanoTime()}
	 * @return how long it is to be waited for still, in nanoseconds; 0 or less if another
	 * is to take over
	 */
	long left(Object runner, long turn, boolean working, long waited, long now) {
		this.credit = Math.min(CREDIT, this.credit + Math.max(0, now - this.lookedAt) / REFILL);
		this.lookedAt = now;
		if (runner != this.seen || turn != this.turnSeen) {
			saw(runner, turn);
		}
		else {
			this.waitedFor += waited;
		}
		if ((turn & 1) == 0) {
			return this.share;
		}
		long left = (working ? WITH_WORK * this.share : this.share) - this.waitedFor;
		return working ? Math.min(left, calm()) : left;
	}

	/** Another runner has taken over, and is about to begin its first task. */
	void spent(Object next) {
		this.credit = Math.max(0, this.credit - this.waitedFor);
		saw(next, 1);
	}

	private void saw(Object runner, long turn) {
		this.seen = runner;
		this.turnSeen = turn;
		this.waitedFor = 0;
		// Once for all: it must not grow away from who waits for it.
		this.share = Math.max(LEAST, this.credit / 2);
	}

}
