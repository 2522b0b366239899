package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.producer.line.LineEnd;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class FailuresTests {

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private final ClusterEvidence evidence = new ClusterEvidence(0);

	private final Failures failures = new Failures(List.of("kafka-1:9092", "kafka-2:9092"), ProducerSettings.DEFAULTS,
			this.evidence);

	@Test
	void theMessageSaysItAll() {
		SendFailedException failure = this.failures.inLine("orders",
				new LineEnd<>(LineEnd.Kind.TIMED_OUT, Diagnosis.of(FailureReason.BROKERS_UNREACHABLE), 14), 10 * SECOND,
				12_300_000_000L);
		assertThat(failure).hasMessage("Send to topic 'orders' failed: BROKERS_UNREACHABLE after 10.0s (14 attempts; "
				+ "no answer from [kafka-1:9092, kafka-2:9092] for 12.3s). Not sent: safe to retry. "
				+ "Limit: metadata.timeout=60s.");
		assertThat(failure.getElapsed()).isEqualTo(Duration.ofSeconds(10));
		assertThat(failure.getBootstrapServers()).containsExactly("kafka-1:9092", "kafka-2:9092");
		assertThat(failure.getAttempts()).isEqualTo(14);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
	}

	@Test
	void aTopicThatBrokersDoNotKnowNamesItsOwnLimit() {
		SendFailedException failure = this.failures.inLine("orders",
				new LineEnd<>(LineEnd.Kind.UNKNOWN_TOPIC, Diagnosis.of(FailureReason.TOPIC_NOT_FOUND), 14), 10 * SECOND,
				SECOND);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
		assertThat(failure).hasMessageContaining("Not sent: safe to retry.")
			.hasMessageContaining("Limit: metadata.unknown-topic-timeout=10s.");
	}

	@Test
	void failFastNamesTheOriginalReason() {
		SendFailedException failure = this.failures.inLine("orders",
				new LineEnd<>(LineEnd.Kind.FAIL_FAST, Diagnosis.of(FailureReason.TOPIC_NOT_FOUND), 0), 0, SECOND);
		assertThat(failure.getReason()).isEqualTo(FailureReason.FAIL_FAST);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
		assertThat(failure).hasMessageContaining("TOPIC_NOT_FOUND")
			.hasMessageContaining("Limit: fail-fast.open-duration=5s.");
	}

	@Test
	void memoryIsAMatterOfTheBuffer() {
		for (LineEnd.Kind kind : List.of(LineEnd.Kind.TIMED_OUT, LineEnd.Kind.BUFFER_FULL)) {
			SendFailedException failure = this.failures.inLine("orders",
					new LineEnd<>(kind, Diagnosis.of(FailureReason.BUFFER_FULL), 3), SECOND, SECOND);
			assertThat(failure.getPhase()).isEqualTo(FailurePhase.BUFFER);
			assertThat(failure.isPossiblySent()).isFalse();
		}
	}

	@Test
	void aDeliveryMayHaveArrived() {
		SendFailedException failure = this.failures.delivery("orders", Diagnoser.classify(new TimeoutException("x")),
				true, SECOND, 1, SECOND);
		assertThat(failure.getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
		assertThat(failure).hasMessageContaining("Possibly sent: a retry may duplicate it.")
			.hasMessageContaining("Limit: delivery-timeout=120s.")
			.hasMessageContaining("(1 attempt;");
	}

	@Test
	void anErrorStateIsTracedToItsCause() {
		assertThat(Diagnoser.classifyThrown(new KafkaException("state", new ProducerFencedException("x"))).reason())
			.isEqualTo(FailureReason.FENCED);
		assertThat(Diagnoser.classifyThrown(new KafkaException("state", new TimeoutException("x"))).reason())
			.isEqualTo(FailureReason.PRODUCER_FATAL);
		assertThat(Diagnoser.classifyThrown(new KafkaException("state")).reason())
			.isEqualTo(FailureReason.PRODUCER_FATAL);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", ".", "..", "a b", "a/b", "ä", "x:y" })
	void invalidNames(String name) {
		assertThat(TopicNames.isValid(name)).isFalse();
		assertThat(TopicNames.isValid("x".repeat(250))).isFalse();
		assertThat(TopicNames.isValid("Az09._-")).isTrue();
	}

}
