package io.evenkeel.kafka.autoconfigure;

/**
 * The application runs on a line of Spring Boot that this starter is not made for.
 */
final class UnsupportedBootException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	UnsupportedBootException(String version) {
		super("Evenkeel needs Spring Boot " + BootVersionCheck.LINE + ", this application runs on Spring Boot "
				+ version + ".");
	}

}
