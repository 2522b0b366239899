package io.evenkeel.kafka.producer;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What is sent when there is nobody left who would close another client.
 */
class ClosedFactoryTests {

	/** Red when a closed factory makes another client, and leaves it and its threads. */
	@Test
	void whatIsSentAfterTheEndFailsAsClosed() throws Exception {
		try (ProducerFixture fixture = new ProducerFixture()) {
			EvenkeelKafkaTemplate<String, String> template = fixture.template("localhost:1", Duration.ofSeconds(30));
			factory(template).destroy();
			long start = System.nanoTime();
			SendFailedException failure = ProducerFixture.failure(template.send("orders", "late"));
			assertThat(failure.getReason()).isEqualTo(FailureReason.CLOSED);
			assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
			assertThat(failure.isPossiblySent()).isFalse();
			assertThat(ProducerFixture.since(start)).isLessThan(Duration.ofSeconds(5));
			assertThat(fixture.registry.snapshots()).isEmpty();
		}
	}

	@Test
	void afterAStopOrAResetThereIsAnotherProducer() throws Exception {
		try (ProducerFixture fixture = new ProducerFixture()) {
			EvenkeelKafkaTemplate<String, String> template = fixture.template("localhost:1", Duration.ofMillis(300));
			factory(template).stop();
			assertThat(ProducerFixture.failure(template.send("orders", "on the way out")).getReason())
				.isEqualTo(FailureReason.BROKERS_UNREACHABLE);
			factory(template).destroy();
			factory(template).start();
			assertThat(ProducerFixture.failure(template.send("orders", "again")).getReason())
				.isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		}
	}

	private static EvenkeelProducerFactory<String, String> factory(EvenkeelKafkaTemplate<String, String> template) {
		return (EvenkeelProducerFactory<String, String>) template.getProducerFactory();
	}

}
