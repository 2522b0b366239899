package io.evenkeel.kafka.autoconfigure.health;

import java.time.Duration;

import io.evenkeel.kafka.config.SettingChecks;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Properties of the health of Kafka producers.
 */
@ConfigurationProperties("management.health.kafkaproducer")
public class KafkaProducerHealthProperties {

	/**
	 * How long the brokers may be unreachable, or refuse the credentials.
	 */
	private Duration staleAfter = Duration.ofSeconds(30);

	public Duration getStaleAfter() {
		return this.staleAfter;
	}

	Duration checkedStaleAfter() {
		return SettingChecks.duration("management.health.kafkaproducer.stale-after", this.staleAfter, "30s");
	}

	public void setStaleAfter(Duration staleAfter) {
		this.staleAfter = staleAfter;
	}

}
