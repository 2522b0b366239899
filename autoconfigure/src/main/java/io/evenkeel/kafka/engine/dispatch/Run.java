package io.evenkeel.kafka.engine.dispatch;

import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Some records of one lane in the hands of one worker, who holds the lane and one slot
 * until it gives the run back. Taking several records at once is what makes a fast
 * handler cheap: one look at the dispatcher for many records of a lane.
 *
 * <h2>Threading</h2> The position and the time belong to the worker that took the run.
 * The fields below the line are under the dispatcher's lock.
 *
 * @param <R> the type of the record
 */
final class Run<R> {

	private final Lane<R> lane;

	private final Delivery<R>[] deliveries;

	private final int size;

	private final boolean batch;

	private int position;

	private long nowNanos;

	private @Nullable Call<R> call;

	/** The thread inside a call; null as soon as the worker has given the run back. */
	@Nullable Thread worker;

	/** The worker has given the run back with its call still open. */
	boolean detached;

	/** It holds its lane, but no slot. */
	boolean resting;

	/** The neighbours in the list of {@link Runs}. */
	@Nullable Run<R> previous;

	@Nullable Run<R> next;

	/**
	 * Make a run.
	 * @param lane the lane it holds
	 * @param deliveries its records
	 * @param size how many of them there are
	 * @param batch whether they are handled by one call
	 */
	Run(Lane<R> lane, Delivery<R>[] deliveries, int size, boolean batch) {
		this.lane = lane;
		this.deliveries = deliveries;
		this.size = size;
		this.batch = batch;
	}

	boolean hasNext() {
		return this.position < this.size;
	}

	/**
	 * Begin the next call.
	 * @param dispatcher where its records end
	 * @param nowNanos the time
	 * @return the call, open
	 */
	Call<R> next(Dispatcher<R> dispatcher, long nowNanos) {
		int from = this.position;
		this.nowNanos = nowNanos;
		this.position = this.batch ? this.size : from + 1;
		Call<R> next = new Call<>(dispatcher, this, from, this.position);
		this.call = next;
		return next;
	}

	/** When the call began that was begun last. */
	long nowNanos() {
		return this.nowNanos;
	}

	/** The call that was begun last. */
	@Nullable Call<R> call() {
		return this.call;
	}

	/** How many records were taken but never begun. */
	int rest() {
		return this.size - this.position;
	}

	/** The size of what was begun. */
	long bytesBegun() {
		long bytes = 0;
		for (int i = 0; i < this.position; i++) {
			bytes += this.deliveries[i].bytes();
		}
		return bytes;
	}

	/** Put back what was never begun. */
	void returnRest() {
		this.lane.prepend(deliveries(this.position, this.size));
	}

	Delivery<R> delivery(int index) {
		return this.deliveries[index];
	}

	/**
	 * Some of the records; for the rare cases, a call of one record asks for that one.
	 */
	List<Delivery<R>> deliveries(int from, int to) {
		return Arrays.asList(this.deliveries).subList(from, to);
	}

	int size() {
		return this.size;
	}

	/** How many of its records are inside a handler call. */
	int inFlight() {
		return this.batch ? this.size : 1;
	}

	boolean isBatch() {
		return this.batch;
	}

	Lane<R> lane() {
		return this.lane;
	}

	Assignment<R> assignment() {
		return this.lane.assignment();
	}

}
