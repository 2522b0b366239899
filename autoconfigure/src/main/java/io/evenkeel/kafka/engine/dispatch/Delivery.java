package io.evenkeel.kafka.engine.dispatch;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

import org.jspecify.annotations.Nullable;

/**
 * One record on its way through one assignment, from the poll that brought it to its end.
 * It carries its assignment, which is what fences it: there is no look-up by topic and
 * partition anywhere on the way back.
 *
 * <h2>Threading</h2> Immutable but for three things. {@code ended} is decided by one
 * compare-and-set, from any thread. {@code attempt} and {@code failure} belong to whoever
 * holds the lane. {@code next} belongs to the lane's queue (under the dispatcher's lock),
 * {@code nextEnded} to the completion queue (published by its compare-and-set). They are
 * two, because a record that waits in its lane for another call may be acknowledged from
 * outside: then it is in both.
 *
 * @param <R> the type of the record
 */
public final class Delivery<R> {

	@SuppressWarnings("rawtypes")
	private static final AtomicIntegerFieldUpdater<Delivery> ENDED = AtomicIntegerFieldUpdater
		.newUpdater(Delivery.class, "ended");

	private final R record;

	private final Lane<R> lane;

	private final long offset;

	private final long sequence;

	private final long arrivedNanos;

	private final int bytes;

	private volatile int ended;

	private Outcome outcome = Outcome.SUCCESS;

	private int attempt;

	private int uncounted;

	private int failedRecoveries;

	private @Nullable Throwable failure;

	private @Nullable Object kept;

	@Nullable Delivery<R> next;

	@Nullable Delivery<R> nextEnded;

	Delivery(R record, Lane<R> lane, long offset, long sequence, long arrivedNanos, int bytes) {
		this.bytes = bytes;
		this.record = record;
		this.lane = lane;
		this.offset = offset;
		this.sequence = sequence;
		this.arrivedNanos = arrivedNanos;
	}

	/**
	 * Keep something with this record for whoever has it in hand next.
	 * @param kept what is of use to its recovery
	 */
	public void keep(Object kept) {
		this.kept = kept;
	}

	/**
	 * What was kept with this record.
	 * @return null when there is nothing
	 */
	public @Nullable Object kept() {
		return this.kept;
	}

	/**
	 * End this record, once: later calls change nothing.
	 * @param outcome how it ended
	 * @return true for the call that ended it; its caller hands the delivery to the
	 * completion queue
	 */
	boolean end(Outcome outcome) {
		if (this.ended != 0 || !ENDED.compareAndSet(this, 0, 1)) {
			return false;
		}
		this.outcome = outcome;
		return true;
	}

	/**
	 * Whether the record has ended.
	 * @return true once it has
	 */
	public boolean isEnded() {
		return this.ended != 0;
	}

	/**
	 * Begin another call of the handler.
	 * @return the number of this call, from 1
	 */
	public int beginAttempt() {
		return ++this.attempt;
	}

	/**
	 * Take the last call out of the count: it did not fail, the record is only to come
	 * again.
	 */
	public void uncount() {
		this.uncounted++;
	}

	/**
	 * The number of calls begun, those that do not count left out.
	 * @return 0 before the first call
	 */
	public int attempt() {
		return this.attempt - this.uncounted;
	}

	/**
	 * The failure that waits for recovery.
	 * @return null when the next thing to do is a call of the handler
	 */
	public @Nullable Throwable failure() {
		return this.failure;
	}

	/**
	 * Mark the record as exhausted, so that the next step is its recovery.
	 * @param failure why the last call failed
	 */
	public void exhausted(Throwable failure) {
		this.failure = failure;
	}

	/**
	 * Note that a recovery failed.
	 * @return how many have failed so far, from 1
	 */
	public int recoveryFailed() {
		return ++this.failedRecoveries;
	}

	/**
	 * The record.
	 * @return as it was polled
	 */
	public R record() {
		return this.record;
	}

	/**
	 * The assignment that the record came with.
	 * @return the fence
	 */
	public Assignment<R> assignment() {
		return this.lane.assignment();
	}

	/**
	 * The record's offset.
	 * @return 0 or more
	 */
	public long offset() {
		return this.offset;
	}

	/**
	 * When the record was polled.
	 * @return nanoseconds of the engine's clock
	 */
	public long arrivedNanos() {
		return this.arrivedNanos;
	}

	/**
	 * How the record ended.
	 * @return meaningful only once it has ended
	 */
	public Outcome outcome() {
		return this.outcome;
	}

	/** Its serialized size. */
	int bytes() {
		return this.bytes;
	}

	Lane<R> lane() {
		return this.lane;
	}

	long sequence() {
		return this.sequence;
	}

}
