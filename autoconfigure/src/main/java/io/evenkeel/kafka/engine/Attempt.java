package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Call;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import io.evenkeel.kafka.engine.retry.FailureDecision;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * One call of the listener, as the container sees it. It must be answered once, from any
 * thread, by {@link #succeeded}, {@link #returned}, {@link #failed}, {@link #failedAt} or
 * {@link #again}; later answers change nothing.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public final class Attempt<K, V> implements SlotHolder {

	private static final long AFTER_BUG_NANOS = Duration.ofSeconds(1).toNanos();

	@SuppressWarnings("rawtypes")
	private static final AtomicIntegerFieldUpdater<Attempt> ANSWERED = AtomicIntegerFieldUpdater
		.newUpdater(Attempt.class, "answered");

	@SuppressWarnings("unused") // through its updater
	private volatile int answered;

	private final Call<ConsumerRecord<K, V>> call;

	private final RetryPlanner planner;

	private final Acknowledgments<K, V> acknowledgments;

	private final RecordHandler<K, V> handler;

	Attempt(Call<ConsumerRecord<K, V>> call, RetryPlanner planner, Acknowledgments<K, V> acknowledgments,
			RecordHandler<K, V> handler) {
		this.handler = handler;
		this.call = call;
		this.planner = planner;
		this.acknowledgments = acknowledgments;
	}

	/**
	 * The record, or the first one of a batch.
	 * @return as it was polled
	 */
	public ConsumerRecord<K, V> record() {
		return this.call.delivery().record();
	}

	/**
	 * All records of this call, in offset order.
	 * @return at least one
	 */
	public List<ConsumerRecord<K, V>> records() {
		return this.call.deliveries().stream().map(Delivery::record).toList();
	}

	/**
	 * The number of records of this call.
	 * @return at least 1
	 */
	public int size() {
		return this.call.size();
	}

	/**
	 * Tell somebody when this call is answered. To be called before the listener is.
	 * @param closed must not throw
	 */
	public void whenClosed(Runnable closed) {
		this.call.whenClosed(closed);
	}

	@Override
	public void rest() {
		this.call.rest();
	}

	@Override
	public boolean resume() {
		return !isStopping() && this.call.resume();
	}

	/**
	 * Whether this call was answered.
	 * @return true once it was
	 */
	public boolean isOver() {
		return this.call.isClosed();
	}

	/**
	 * Whether all records of this call have ended, by acknowledgments.
	 * @return true once they have
	 */
	public boolean isDone() {
		return firstOpen().isEnded();
	}

	@Override
	public boolean isStopping() {
		return this.call.assignment().isStopping();
	}

	/**
	 * The number of this call for the (first) record.
	 * @return 1 for the first
	 */
	public int number() {
		return this.call.delivery().attempt();
	}

	/**
	 * The number of this call for one record of a batch.
	 * @param index the record, from 0
	 * @return 1 for the first
	 */
	public int number(int index) {
		return this.call.delivery(index).attempt();
	}

	/**
	 * The assignment that the records came with.
	 * @return what fences them
	 */
	public Assignment<ConsumerRecord<K, V>> assignment() {
		return this.call.assignment();
	}

	/**
	 * Keep something with the (first) record, for what is done about the failure of this
	 * call. To be called before the answer.
	 * @param kept what is of use to a recovery
	 */
	public void keep(Object kept) {
		this.call.delivery().keep(kept);
	}

	@Override
	public @Nullable Object kept() {
		return this.call.delivery().kept();
	}

	/**
	 * The handler is done, and so are the records.
	 */
	public void succeeded() {
		if (this.call.isTimedOut()) {
			failed(new HandlerTimeoutException(null));
			return;
		}
		recovered(Outcome.SUCCESS);
	}

	/**
	 * The records ended otherwise than by a successful call: somebody recovered them.
	 * @param outcome how
	 */
	public void recovered(Outcome outcome) {
		if (claim()) {
			this.call.complete(outcome);
		}
	}

	/**
	 * The handler has returned, its lane and slot are free; each record is done when it
	 * is acknowledged.
	 */
	public void returned() {
		if (this.call.isTimedOut() && !isDone()) {
			failed(new HandlerTimeoutException(null));
			return;
		}
		if (claim()) {
			this.acknowledgments.returned(this.call);
			this.call.close();
		}
	}

	/**
	 * Acknowledge all records of this call. Any thread, also while the call is running.
	 */
	public void acknowledge() {
		this.acknowledgments.acknowledge(this.call, this.call.size() - 1);
	}

	/**
	 * Acknowledge the records of a batch up to an index.
	 * @param index the last one that is done, from 0
	 */
	public void acknowledge(int index) {
		this.acknowledgments.acknowledge(this.call, index);
	}

	/**
	 * The handler failed: call it again later, or recover the record, as the retry
	 * settings say.
	 * @param failure why
	 */
	public void failed(Throwable failure) {
		if (claim()) {
			answer(() -> {
				Throwable why = this.call.isTimedOut() && !(failure instanceof HandlerTimeoutException)
						? new HandlerTimeoutException(failure) : failure;
				if (!retry(firstOpen(), why)) {
					giveUp(why);
				}
			});
		}
	}

	/**
	 * The handler failed at one record of a batch: those before it are done, and those
	 * behind it had no call that counts.
	 * @param index the failed record, from 0
	 * @param failure why
	 */
	public void failedAt(int index, Throwable failure) {
		if (claim()) {
			answer(() -> stoppedAt(index, failure));
		}
	}

	private void stoppedAt(int index, Throwable failure) {
		for (int i = 0; i < index; i++) {
			this.call.end(this.call.delivery(i), Outcome.SUCCESS);
		}
		uncount(index + 1);
		Delivery<ConsumerRecord<K, V>> failed = this.call.delivery(index);
		if (!retry(failed, failure)) {
			// Only this one is recovered; the ones behind it get their call.
			failed.exhausted(failure);
			this.call.park(0);
		}
	}

	/** Of several answers the first one counts, and none of the others leaves a trace. */
	private boolean claim() {
		return ANSWERED.compareAndSet(this, 0, 1);
	}

	/** Nobody else will answer: what goes wrong here must not keep the lane. */
	private void answer(Runnable answer) {
		try {
			answer.run();
		}
		catch (RuntimeException | Error ex) {
			this.call.park(AFTER_BUG_NANOS);
			throw ex;
		}
	}

	private boolean retry(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		if (this.planner.decide(delivery.attempt(), failure) instanceof FailureDecision.Retry retry) {
			this.handler.retried(delivery, retry.after(), failure);
			this.call.park(retry.after().toNanos());
			return true;
		}
		return false;
	}

	/**
	 * No further attempt: recover the record.
	 * @param failure why
	 */
	public void exhausted(Throwable failure) {
		if (claim()) {
			giveUp(failure);
		}
	}

	private void giveUp(Throwable failure) {
		for (Delivery<ConsumerRecord<K, V>> delivery : this.call.deliveries()) {
			delivery.exhausted(failure);
		}
		this.call.park(0);
	}

	/**
	 * Another call for the record inside this attempt begins.
	 * @return its number
	 */
	public int nextNumber() {
		nextNumber(0);
		return number();
	}

	/**
	 * Another call inside this attempt begins, for the records of a batch from one on.
	 * @param from the first of them, from 0
	 */
	public void nextNumber(int from) {
		for (int i = from; i < this.call.size(); i++) {
			this.call.delivery(i).beginAttempt();
		}
	}

	/**
	 * Call the handler again, before the later records of the lane. This call was no
	 * failure and does not count as an attempt.
	 * @param after how long to wait
	 */
	public void again(Duration after) {
		if (claim()) {
			uncount(0);
			this.call.park(after.toNanos());
		}
	}

	/**
	 * What was to be done about the failure of this call has failed itself.
	 * @return how long to wait before the records come again, longer each time
	 */
	public Duration afterFailedRecovery() {
		return this.planner.recoveryBackOff(this.call.delivery().recoveryFailed());
	}

	/**
	 * The (first) record with its assignment and the number of its calls.
	 * @return the same one for each call of this record
	 */
	public Delivery<ConsumerRecord<K, V>> delivery() {
		return this.call.delivery();
	}

	/** This call does not count for the records from one on. */
	private void uncount(int from) {
		for (int i = from; i < this.call.size(); i++) {
			this.call.delivery(i).uncount();
		}
	}

	private Delivery<ConsumerRecord<K, V>> firstOpen() {
		for (Delivery<ConsumerRecord<K, V>> delivery : this.call.deliveries()) {
			if (!delivery.isEnded()) {
				return delivery;
			}
		}
		return this.call.delivery();
	}

}
