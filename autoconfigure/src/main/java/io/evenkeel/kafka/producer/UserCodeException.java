package io.evenkeel.kafka.producer;

/**
 * What the user's code threw in the middle of a call of the client; it is the cause. The
 * client passes on what it does not know, so that nothing that user code throws, whatever
 * its type, is taken for something the client says of itself.
 */
final class UserCodeException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	UserCodeException(String message, Throwable cause) {
		super(message, cause);
	}

	@Override
	public synchronized Throwable fillInStackTrace() {
		return this;
	}

}
