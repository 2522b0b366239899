package io.evenkeel.kafka.container.listener;

import java.time.Duration;

/**
 * What is watched of the calls of a handler, and what may be said of them. Values are
 * validated before they come here.
 *
 * @param warnAfter how long a call takes before it is warned of; zero = never
 * @param timeout how long a call may take before it is interrupted and counts as failed;
 * zero = for ever
 * @param exceptionMessages whether messages of exceptions may be logged
 */
public record HandlerSettings(Duration warnAfter, Duration timeout, boolean exceptionMessages) {

	/**
	 * The settings of a listener that nobody tuned.
	 * @return the documented defaults
	 */
	public static HandlerSettings defaults() {
		return new HandlerSettings(Duration.ofMinutes(1), Duration.ZERO, true);
	}

}
