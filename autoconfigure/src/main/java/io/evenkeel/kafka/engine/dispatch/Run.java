package io.evenkeel.kafka.engine.dispatch;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Some records of one lane in the hands of one worker, who holds the lane and one slot
 * until it gives the run back. Taking several records at once is what makes a fast
 * handler cheap: one look at the dispatcher for many records of a lane.
 *
 * <h2>Threading</h2> The position belongs to the worker that took the run. The fields
 * below the line are under the dispatcher's lock.
 *
 * @param <R> the type of the record
 */
final class Run<R> {

	private final Lane<R> lane;

	private final List<Delivery<R>> deliveries;

	private final boolean batch;

	private int position;

	private @Nullable Call<R> call;

	/** The thread inside a call; null as soon as the worker has given the run back. */
	@Nullable Thread worker;

	/** The worker has given the run back with its call still open. */
	boolean detached;

	Run(Lane<R> lane, List<Delivery<R>> deliveries, boolean batch) {
		this.lane = lane;
		this.deliveries = deliveries;
		this.batch = batch;
	}

	boolean hasNext() {
		return this.position < this.deliveries.size();
	}

	Call<R> next(Dispatcher<R> dispatcher) {
		int from = this.position;
		this.position = this.batch ? this.deliveries.size() : from + 1;
		Call<R> next = new Call<>(dispatcher, this, from, this.position);
		this.call = next;
		return next;
	}

	/** The call that was begun last. */
	@Nullable Call<R> call() {
		return this.call;
	}

	/** What was taken but never begun. */
	List<Delivery<R>> rest() {
		return this.deliveries.subList(this.position, this.deliveries.size());
	}

	List<Delivery<R>> deliveries() {
		return this.deliveries;
	}

	int size() {
		return this.deliveries.size();
	}

	/** How many of its records are inside a handler call. */
	int inFlight() {
		return this.batch ? this.deliveries.size() : 1;
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
