package io.evenkeel.kafka.producer;

import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.metrics.ProducerMeters;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Sends whose fate is known beforehand: the meters count them by their reasons. The
 * numbers are counted by hand.
 */
class ProducerMetersTellTheTruthTests {

	private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

	@Test
	void sendsAreCountedByTheirReason() throws Exception {
		SendObserver observer = new ProducerMeters(this.registry).observe(new Idle());
		try (MockClients clients = new MockClients(ProducerSettings.DEFAULTS, (number) -> new MockClients.Manual(),
				observer)) {
			MockProducer<String, String> client = clients.made.get(0);
			for (int i = 0; i < 1000; i++) {
				Future<RecordMetadata> send = clients.producer().send(new ProducerRecord<>("orders", "good"));
				assertThat(client.completeNext()).isTrue();
				send.get(20, TimeUnit.SECONDS);
			}
			for (int i = 0; i < 50; i++) {
				Future<RecordMetadata> send = clients.producer().send(new ProducerRecord<>("orders", "bad"));
				assertThat(client.errorNext((i < 30) ? new RecordTooLargeException("simulated")
						: new TopicAuthorizationException("simulated")))
					.isTrue();
				MockClients.failure(send);
			}
			for (int i = 0; i < 10; i++) {
				MockClients.failure(clients.producer().send(new ProducerRecord<>("no topic", "good")));
			}
		}
		Map.of("none", 1000L, "record_too_large", 30L, "not_authorized", 20L, "invalid_topic", 10L)
			.forEach((reason, expected) -> assertThat(sends(reason)).as(reason).isEqualTo(expected));
		assertThat(this.registry.get("evenkeel.producer.send").timers().stream().mapToLong(Timer::count).sum())
			.isEqualTo(1060);
		assertThat(this.registry.get("evenkeel.producer.send.blocked").timer().count()).isEqualTo(1060);
	}

	private long sends(String reason) {
		return this.registry.get("evenkeel.producer.send")
			.tags("producer", "p", "reason", reason, "outcome", reason.equals("none") ? "success" : "failure")
			.timers()
			.stream()
			.mapToLong(Timer::count)
			.sum();
	}

	/** The producer that the meters are of. */
	private static final class Idle implements ManagedProducer {

		@Override
		public String id() {
			return "p";
		}

		@Override
		public ProducerSnapshot snapshot() {
			throw new UnsupportedOperationException();
		}

		@Override
		public long pendingRecords() {
			return 0;
		}

		@Override
		public long pendingBytes() {
			return 0;
		}

		@Override
		public double metadataAgeSeconds() {
			return 0;
		}

	}

}
