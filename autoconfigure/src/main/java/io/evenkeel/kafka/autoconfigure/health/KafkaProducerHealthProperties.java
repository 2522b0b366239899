package io.evenkeel.kafka.autoconfigure.health;

import java.time.Duration;

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

	public void setStaleAfter(Duration staleAfter) {
		this.staleAfter = staleAfter;
	}

}
