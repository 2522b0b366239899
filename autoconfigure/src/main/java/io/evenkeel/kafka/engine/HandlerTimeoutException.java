package io.evenkeel.kafka.engine;

import org.jspecify.annotations.Nullable;

/**
 * A call of a listener has taken longer than it may. Its cause is what the call ended
 * with, if that was a failure.
 */
public final class HandlerTimeoutException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	HandlerTimeoutException(@Nullable Throwable cause) {
		super("The call took longer than handler.timeout and was interrupted", cause);
	}

}
