package io.evenkeel.kafka.autoconfigure;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Properties of what Evenkeel logs.
 */
@ConfigurationProperties(EvenkeelLoggingProperties.PREFIX)
public class EvenkeelLoggingProperties {

	static final String PREFIX = "evenkeel.kafka.logging";

	/**
	 * Whether the messages of exceptions that listeners throw are logged. Their classes
	 * and stack traces are in any case; keys, values and headers of records never.
	 */
	private boolean exceptionMessages = true;

	public boolean isExceptionMessages() {
		return this.exceptionMessages;
	}

	public void setExceptionMessages(boolean exceptionMessages) {
		this.exceptionMessages = exceptionMessages;
	}

}
