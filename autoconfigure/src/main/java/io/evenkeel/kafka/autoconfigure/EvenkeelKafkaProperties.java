package io.evenkeel.kafka.autoconfigure;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Properties that concern listeners and producers alike.
 */
@ConfigurationProperties(EvenkeelKafkaProperties.PREFIX)
public class EvenkeelKafkaProperties {

	static final String PREFIX = "evenkeel.kafka";

	/**
	 * Whether to log, when the application has started, what applies to each listener and
	 * producer, and where it comes from.
	 */
	private boolean report;

	public boolean isReport() {
		return this.report;
	}

	public void setReport(boolean report) {
		this.report = report;
	}

}
