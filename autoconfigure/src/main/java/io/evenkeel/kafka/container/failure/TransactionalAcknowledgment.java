package io.evenkeel.kafka.container.failure;

import java.time.Duration;
import java.util.List;

import io.evenkeel.kafka.container.call.ManualAcknowledgment.Nack;
import io.evenkeel.kafka.engine.Attempt;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.util.Assert;

/**
 * The acknowledgment of one call in a transaction: it decides whether the transaction
 * carries an offset, and which, so it can be given only while the call is running. What
 * is not acknowledged by then is covered by a later record's acknowledgment.
 *
 * <h2>Threading</h2> The listener may acknowledge on any thread; the lock makes the end
 * of the call see it, or see it refused.
 */
public final class TransactionalAcknowledgment<K, V> implements Acknowledgment {

	private final Attempt<K, V> attempt;

	private final List<ConsumerRecord<K, V>> records;

	/**
	 * Whether an offset goes into the transaction, so that it must be known at its end.
	 */
	private final boolean inside;

	private int done = -1;

	private @Nullable Nack nack;

	private boolean over;

	private boolean committed;

	public TransactionalAcknowledgment(Attempt<K, V> attempt, boolean inside) {
		this.attempt = attempt;
		this.records = attempt.records();
		this.inside = inside;
	}

	@Override
	public void acknowledge() {
		acknowledge(this.records.size() - 1);
	}

	@Override
	public synchronized void acknowledge(int index) {
		if (this.committed) {
			this.attempt.acknowledge(index);
			return;
		}
		open(index);
		Assert.state(this.nack == null, "acknowledge() cannot be called after nack()");
		this.done = Math.max(this.done, index);
	}

	@Override
	public void nack(Duration sleep) {
		nack(0, sleep);
	}

	@Override
	public synchronized void nack(int index, Duration sleep) {
		Assert.isTrue(!sleep.isNegative(), "sleep cannot be negative");
		open(index);
		this.nack = new Nack(index, sleep);
		this.done = index - 1;
	}

	private void open(int index) {
		Assert.isTrue(index >= 0 && index < this.records.size(),
				() -> "index (" + index + ") is out of range (0-" + (this.records.size() - 1) + ")");
		Assert.state(!this.over, "The transaction of this call is over: acknowledge before the listener returns, or "
				+ "use the container factory 'springKafkaListenerContainerFactory' for this listener");
	}

	/**
	 * The call is over.
	 * @return the last record that is done, null when none is
	 */
	public synchronized @Nullable ConsumerRecord<K, V> end() {
		this.over = this.inside;
		return (this.done >= 0) ? this.records.get(this.done) : null;
	}

	/** The transaction was committed: tell the engine what is done. */
	public synchronized void committed() {
		this.committed = !this.inside;
		if (this.done >= 0) {
			this.attempt.acknowledge(this.done);
		}
		Nack again = this.nack;
		if (again != null) {
			this.attempt.again(again.sleep());
		}
		else {
			this.attempt.returned();
		}
	}

}
