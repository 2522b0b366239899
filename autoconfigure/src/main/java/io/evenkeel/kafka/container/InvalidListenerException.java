package io.evenkeel.kafka.container;

import org.jspecify.annotations.Nullable;

/**
 * A listener cannot run with what was configured. Carries what a failure analysis needs:
 * the property, its value, why it is refused, and what to write instead.
 */
public class InvalidListenerException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final String property;

	private final @Nullable String value;

	private final String reason;

	private final String action;

	/**
	 * Refuse a listener.
	 * @param property the property to change, as the user writes it
	 * @param value its value, null when it is missing
	 * @param reason why it is refused, a sentence
	 * @param action what to write, a sentence
	 */
	public InvalidListenerException(String property, @Nullable String value, String reason, String action) {
		super(((value != null) ? property + "=" + value : property) + ": " + reason);
		this.property = property;
		this.value = value;
		this.reason = reason;
		this.action = action;
	}

	public String getProperty() {
		return this.property;
	}

	public @Nullable String getValue() {
		return this.value;
	}

	public String getReason() {
		return this.reason;
	}

	public String getAction() {
		return this.action;
	}

}
