package io.evenkeel.kafka.container;

import io.evenkeel.kafka.engine.Attempt;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Who says that a record is done: its call, or the listener by hand.
 *
 * @param isManual whether the listener acknowledges
 * @param isAsync whether calls may return before their work is done
 * @param outOfOrder whether records may be acknowledged in any order
 */
record AcknowledgmentMode(boolean isManual, boolean isAsync, boolean outOfOrder) {

	static AcknowledgmentMode of(ContainerProperties properties, ListenerTarget target) {
		boolean manual = properties.getAckMode() == AckMode.MANUAL
				|| properties.getAckMode() == AckMode.MANUAL_IMMEDIATE;
		boolean async = target.isAsync();
		// The end of an asynchronous call is the end of its record, whatever the mode.
		return new AcknowledgmentMode(manual && !async, async, properties.isAsyncAcks() || async);
	}

	/**
	 * The acknowledgment for a call.
	 * @param attempt the call
	 * @return null when the listener is not to be given one
	 */
	@Nullable Acknowledgment acknowledgment(Attempt<?, ?> attempt) {
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
		ManualAcknowledgment.Nack nack = (acknowledgment instanceof ManualAcknowledgment manual) ? manual.nacked()
				: null;
		if (nack != null) {
			if (nack.index() > 0) {
				attempt.acknowledge(nack.index() - 1);
			}
			attempt.again(nack.sleep());
		}
		else if (this.isManual) {
			attempt.returned();
		}
		else {
			attempt.succeeded();
		}
	}

}
