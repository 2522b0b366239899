package io.evenkeel.kafka.engine;

import io.evenkeel.kafka.config.ClientRefusal;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.UnreleasedInstanceIdException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.jspecify.annotations.Nullable;

/**
 * Why an engine ended.
 */
public enum StopCause {

	/** It was asked to. */
	REQUESTED,
	/** A record could not be recovered and the user wants that to stop the listener. */
	RECOVERY,
	/** The brokers refuse its credentials or its access. */
	AUTH,
	/** Another member took its static identity. */
	FENCED,
	/** A partition has no valid offset and the user wants no reset. */
	NO_OFFSET,
	/** Its settings are wrong. */
	ERROR;

	private static final int DEPTH = 16;

	/**
	 * Whether another producer with the same transactional id has taken the place of one.
	 * @param failure a failed transaction
	 * @return true when that is among its causes
	 */
	public static boolean isFenced(Throwable failure) {
		@Nullable Throwable current = failure;
		for (int i = 0; current != null && i < DEPTH; i++) {
			if (current instanceof ProducerFencedException) {
				return true;
			}
			current = current.getCause();
		}
		return false;
	}

	/** Why a listener stops that a record has stopped. */
	static StopCause ofRecord(Throwable failure) {
		return isFenced(failure) ? FENCED : RECOVERY;
	}

	/**
	 * What a failure of the consumer is that no new consumer can mend; null when one can.
	 */
	static @Nullable StopCause of(Throwable failure) {
		if (failure instanceof FencedInstanceIdException || failure instanceof UnreleasedInstanceIdException) {
			return FENCED;
		}
		if (failure instanceof InvalidOffsetException) {
			return NO_OFFSET;
		}
		if (failure instanceof AuthenticationException || failure instanceof AuthorizationException) {
			return AUTH;
		}
		return ClientRefusal.isConfig(failure) ? ERROR : null;
	}

}
