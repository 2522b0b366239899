package io.evenkeel.kafka.container.call;

import java.time.Duration;

import io.evenkeel.kafka.engine.Attempt;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.util.Assert;

/**
 * The acknowledgment of one call. {@link #acknowledge} may be called from any thread,
 * while the call is running or long after it has returned; {@link #nack} only while it is
 * running.
 */
public final class ManualAcknowledgment implements Acknowledgment {

	private final Attempt<?, ?> attempt;

	private final boolean outOfOrder;

	private volatile @Nullable Nack nack;

	ManualAcknowledgment(Attempt<?, ?> attempt, boolean outOfOrder) {
		this.attempt = attempt;
		this.outOfOrder = outOfOrder;
	}

	@Override
	public void acknowledge() {
		Assert.state(this.nack == null, "acknowledge() cannot be called after nack()");
		this.attempt.acknowledge();
	}

	@Override
	public void acknowledge(int index) {
		Assert.isTrue(index >= 0 && index < this.attempt.size(),
				() -> "index (" + index + ") is out of range (0-" + (this.attempt.size() - 1) + ")");
		this.attempt.acknowledge(index);
	}

	@Override
	public void nack(Duration sleep) {
		nack(0, sleep);
	}

	@Override
	public void nack(int index, Duration sleep) {
		Assert.isTrue(!sleep.isNegative(), "sleep cannot be negative");
		Assert.isTrue(index >= 0 && index < this.attempt.size(), "index is out of range");
		Assert.state(!this.attempt.isOver(), "nack() must be called before the listener returns");
		this.nack = new Nack(index, sleep);
	}

	@Override
	public boolean isOutOfOrderCommit() {
		return this.outOfOrder;
	}

	/** What the listener asked for; null when it did not. */
	@Nullable Nack nacked() {
		return this.nack;
	}

	/**
	 * Deliver again.
	 *
	 * @param index from which record of a batch on
	 * @param sleep after how long
	 */
	public record Nack(int index, Duration sleep) {
	}

}
