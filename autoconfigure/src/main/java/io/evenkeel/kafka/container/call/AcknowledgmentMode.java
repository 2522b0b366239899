package io.evenkeel.kafka.container.call;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Who says that a record is done: its call, or the listener by hand. A user's error
 * handler may say that what it has handled is not: a later record of the partition covers
 * it then, as an acknowledgment does.
 *
 * @param isManual whether the listener acknowledges
 * @param isAsync whether calls may return before their work is done
 * @param outOfOrder whether records may be acknowledged in any order
 * @param leavesHandled whether what a user's error handler has handled is not done
 * @param watched whether only a call's result says if it has returned before its work is
 * done, or an acknowledgment if a failure was recovered
 */
public record AcknowledgmentMode(boolean isManual, boolean isAsync, boolean outOfOrder, boolean leavesHandled,
		boolean watched) {

	public static AcknowledgmentMode of(ContainerProperties properties, ListenerTarget target,
			@Nullable CommonErrorHandler errors, Ordering ordering) {
		boolean manual = properties.getAckMode() == AckMode.MANUAL
				|| properties.getAckMode() == AckMode.MANUAL_IMMEDIATE;
		boolean async = target.isAsync();
		// The end of an asynchronous call is the end of its record, whatever the mode.
		boolean inOrder = target.isBatch() || ordering == Ordering.PARTITION;
		boolean leaves = errors != null && !errors.isAckAfterHandle() && inOrder && (!manual || async)
				&& properties.getKafkaAwareTransactionManager() == null;
		boolean watched = async ? target.recovers() : target.mayEndLater();
		return new AcknowledgmentMode(manual && !async, async, properties.isAsyncAcks() || async, leaves, watched);
	}

	/** Whether a record that is done covers the earlier ones that have been called. */
	public boolean coversEarlier() {
		return this.leavesHandled || (this.isManual && !this.outOfOrder);
	}

	/** Answer an attempt whose failure a user's error handler has handled. */
	public void handled(Attempt<?, ?> attempt) {
		if (this.leavesHandled) {
			attempt.returned();
		}
		else {
			attempt.recovered(Outcome.SKIPPED);
		}
	}

	/**
	 * The acknowledgment for a call.
	 * @param attempt the call
	 * @return null when the listener is not to be given one
	 */
	public @Nullable Acknowledgment acknowledgment(Attempt<?, ?> attempt) {
		if (this.watched) {
			return new CallAcknowledgment(this.isManual ? new ManualAcknowledgment(attempt, this.outOfOrder) : null);
		}
		if (this.isManual) {
			return new ManualAcknowledgment(attempt, this.outOfOrder);
		}
		return this.isAsync ? EndOfCall.INSTANCE : null;
	}

	/**
	 * Answer an attempt whose call has succeeded.
	 * @param attempt the call
	 * @param acknowledgment the one that its listener was given
	 */
	void succeeded(Attempt<?, ?> attempt, @Nullable Acknowledgment acknowledgment) {
		ManualAcknowledgment manual = manual(acknowledgment);
		ManualAcknowledgment.Nack nack = (manual != null) ? manual.nacked() : null;
		if (nack != null) {
			if (nack.index() > 0) {
				attempt.acknowledge(nack.index() - 1);
			}
			attempt.again(nack.sleep());
		}
		else if (manual != null) {
			attempt.returned();
		}
		else if (this.leavesHandled) {
			attempt.acknowledge();
			attempt.returned();
		}
		else {
			attempt.succeeded();
		}
	}

	private static @Nullable ManualAcknowledgment manual(@Nullable Acknowledgment acknowledgment) {
		if (acknowledgment instanceof CallAcknowledgment known) {
			return known.manual();
		}
		return (acknowledgment instanceof ManualAcknowledgment known) ? known : null;
	}

}
