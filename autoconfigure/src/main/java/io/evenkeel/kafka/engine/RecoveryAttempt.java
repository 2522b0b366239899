package io.evenkeel.kafka.engine;

import java.util.concurrent.atomic.AtomicBoolean;

import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Call;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to recover a record. It must be answered once, from any thread, by
 * {@link #ended} or {@link #failed}; later answers change nothing. Until then the record
 * holds its lane, and a slot unless that is given up by {@link #rest}.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public final class RecoveryAttempt<K, V> implements SlotHolder {

	private final Call<ConsumerRecord<K, V>> call;

	private final Delivery<ConsumerRecord<K, V>> delivery;

	private final Throwable failure;

	private final AttemptInvoker<K, V> invoker;

	private final AtomicBoolean answered = new AtomicBoolean();

	RecoveryAttempt(Call<ConsumerRecord<K, V>> call, Delivery<ConsumerRecord<K, V>> delivery, Throwable failure,
			AttemptInvoker<K, V> invoker) {
		this.call = call;
		this.delivery = delivery;
		this.failure = failure;
		this.invoker = invoker;
	}

	/**
	 * The record.
	 * @return as it was polled
	 */
	public ConsumerRecord<K, V> record() {
		return this.delivery.record();
	}

	/**
	 * The record with its assignment and the number of its calls.
	 * @return the same one for each attempt to recover this record
	 */
	public Delivery<ConsumerRecord<K, V>> delivery() {
		return this.delivery;
	}

	/**
	 * Why the record's last call failed.
	 * @return what the listener threw, or why the record cannot be handed to it
	 */
	public Throwable failure() {
		return this.failure;
	}

	/**
	 * The assignment that the record came with.
	 * @return what fences it
	 */
	public Assignment<ConsumerRecord<K, V>> assignment() {
		return this.call.assignment();
	}

	@Override
	public boolean isStopping() {
		return assignment().isStopping();
	}

	@Override
	public @Nullable Object kept() {
		return this.delivery.kept();
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
	 * Tell somebody when this attempt is answered. To be called before it can be.
	 * @param closed must not throw
	 */
	public void whenClosed(Runnable closed) {
		this.call.whenClosed(closed);
	}

	/**
	 * The recovery is over.
	 * @param recovery how the record ended
	 */
	public void ended(Recovery recovery) {
		if (!this.answered.compareAndSet(false, true)) {
			return;
		}
		switch (recovery) {
			case SUCCEEDED -> end(Outcome.SUCCESS);
			case SKIPPED -> end(Outcome.SKIPPED);
			case DEAD_LETTERED -> end(Outcome.DEAD_LETTERED);
			case STOP -> this.invoker.stopped(this.call, this.failure);
		}
	}

	private void end(Outcome outcome) {
		this.call.end(this.delivery, outcome);
		if (this.call.size() > 1) {
			// The other records of a batch have a turn of their own.
			this.call.park(0);
		}
		else {
			this.call.close();
		}
	}

	/**
	 * The recovery failed: it is tried again later, the record stays unfinished.
	 * @param cause why
	 */
	public void failed(Throwable cause) {
		if (this.answered.compareAndSet(false, true)) {
			this.invoker.failed(this.call, this.delivery, cause);
		}
	}

}
