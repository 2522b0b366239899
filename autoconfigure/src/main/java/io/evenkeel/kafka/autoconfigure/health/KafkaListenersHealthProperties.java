package io.evenkeel.kafka.autoconfigure.health;

import java.time.Duration;

import io.evenkeel.kafka.config.SettingChecks;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Properties of the health of Kafka listeners.
 */
@ConfigurationProperties("management.health.kafkalisteners")
public class KafkaListenersHealthProperties {

	/**
	 * How old the oldest unfinished record of a listener may be.
	 */
	private Duration staleAfter = Duration.ofMinutes(10);

	public Duration getStaleAfter() {
		return this.staleAfter;
	}

	Duration checkedStaleAfter() {
		return SettingChecks.duration("management.health.kafkalisteners.stale-after", this.staleAfter, "10m");
	}

	public void setStaleAfter(Duration staleAfter) {
		this.staleAfter = staleAfter;
	}

}
