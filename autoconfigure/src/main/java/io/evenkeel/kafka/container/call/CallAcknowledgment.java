package io.evenkeel.kafka.container.call;

import java.time.Duration;

import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.adapter.MessagingMessageListenerAdapter;
import org.springframework.kafka.support.Acknowledgment;

/**
 * The acknowledgment of a call that may return before its work is done. Until the
 * listener returns it is not known whether it does; what is acknowledged by hand before
 * is kept. When the result is a future, that says when the record is done, and
 * acknowledgments say nothing.
 *
 * <p>
 * An adapter acknowledges a failure that nobody has recovered, too, which is how it is
 * told from one that the listener's error handler has.
 *
 * <h2>Threading</h2> Any thread may acknowledge; the lock orders that with the end of the
 * call.
 */
final class CallAcknowledgment implements Acknowledgment {

	private static final StackWalker CALLERS = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

	private static final int NOTHING = -1;

	private static final int ALL = Integer.MAX_VALUE;

	private final @Nullable ManualAcknowledgment manual;

	private @Nullable CallObservation call;

	private int kept = NOTHING;

	private boolean over;

	private boolean refused;

	/**
	 * Make one.
	 * @param manual what acknowledges by hand; null where the end of the call does
	 */
	CallAcknowledgment(@Nullable ManualAcknowledgment manual) {
		this.manual = manual;
	}

	/** A call begins, the first one or a repetition. */
	synchronized void begins(CallObservation call) {
		this.call = call;
		this.kept = NOTHING;
		this.over = false;
		this.refused = false;
	}

	/** The call is over: what was acknowledged by hand counts, unless it was a future. */
	synchronized void ends() {
		this.over = true;
		if (this.manual != null && !isLater() && this.kept != NOTHING) {
			if (this.kept == ALL) {
				this.manual.acknowledge();
			}
			else {
				this.manual.acknowledge(this.kept);
			}
		}
	}

	private boolean isLater() {
		return this.call != null && this.call.isLater();
	}

	/** Whether a failure was recovered by nobody. */
	synchronized boolean isRefused() {
		return this.refused;
	}

	/**
	 * What acknowledges by hand.
	 * @return null where the end of the call does
	 */
	synchronized @Nullable ManualAcknowledgment manual() {
		return isLater() ? null : this.manual;
	}

	@Override
	public void acknowledge() {
		if (hasFailed() && MessagingMessageListenerAdapter.class.isAssignableFrom(CALLERS.getCallerClass())) {
			refuse();
			return;
		}
		acknowledged(ALL);
	}

	private synchronized boolean hasFailed() {
		return this.call != null && this.call.isFailing();
	}

	private synchronized void refuse() {
		this.refused = true;
	}

	@Override
	public void acknowledge(int index) {
		acknowledged(index);
	}

	private synchronized void acknowledged(int index) {
		if (this.manual == null || isLater()) {
			return;
		}
		if (!this.over) {
			this.kept = Math.max(this.kept, index);
		}
		else if (index == ALL) {
			this.manual.acknowledge();
		}
		else {
			this.manual.acknowledge(index);
		}
	}

	@Override
	public void nack(Duration sleep) {
		nack(0, sleep);
	}

	@Override
	public synchronized void nack(int index, Duration sleep) {
		if (this.manual != null && !isLater()) {
			this.manual.nack(index, sleep);
		}
	}

	@Override
	public boolean isOutOfOrderCommit() {
		return true;
	}

}
