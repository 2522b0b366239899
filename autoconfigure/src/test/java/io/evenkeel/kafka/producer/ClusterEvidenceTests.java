package io.evenkeel.kafka.producer;

import java.util.Map;

import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ClusterEvidenceTests {

	private final ClusterEvidence evidence = new ClusterEvidence(100);

	@Test
	void silenceMeansUnreachableAndAnswersMeanMissing() {
		assertThat(this.evidence.explain(-1, 200, 10_000_000_000L, null).reason())
			.isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		this.evidence.answered("id", 250);
		assertThat(this.evidence.explain(-1, 200, 10_000_000_000L, null).reason())
			.isEqualTo(FailureReason.TOPIC_NOT_FOUND);
		assertThat(this.evidence.explain(3, 200, 10_000_000_000L, null).reason())
			.isEqualTo(FailureReason.PARTITION_NOT_FOUND);
		assertThat(this.evidence.explain(-1, 300, 10_000_000_000L, null).reason())
			.isEqualTo(FailureReason.BROKERS_UNREACHABLE);
	}

	/** Red when a refusal outlives the answers that came after it. */
	@Test
	void aRefusalStandsUntilTheNextAnswer() {
		this.evidence.refused(new SaslAuthenticationException("no"), 200);
		assertThat(this.evidence.explain(-1, 150, 10_000_000_000L, null).reason())
			.isEqualTo(FailureReason.AUTHENTICATION);
		this.evidence.answered("id", 250);
		assertThat(this.evidence.explain(-1, 150, 10_000_000_000L, null).reason())
			.isEqualTo(FailureReason.TOPIC_NOT_FOUND);
	}

	@Test
	void onlyAFreshTlsFailureEndsAWait() {
		this.evidence.refused(new SslAuthenticationException("no"), 200);
		assertThat(this.evidence.standingTlsFailureSince(150)).isNotNull();
		assertThat(this.evidence.standingTlsFailureSince(250)).isNull();
		this.evidence.refused(new SaslAuthenticationException("no"), 300);
		assertThat(this.evidence.standingTlsFailureSince(150)).isNull();
	}

	@Test
	void troubleKeepsItsBeginningUntilTheNextAnswer() {
		this.evidence.found(FailureReason.TOPIC_NOT_FOUND, 200, 300);
		assertThat(this.evidence.standingTrouble()).isNull();
		this.evidence.found(FailureReason.BROKERS_UNREACHABLE, 200, 300);
		this.evidence.found(FailureReason.BROKERS_UNREACHABLE, 800, 900);
		assertThat(this.evidence.standingTrouble())
			.isEqualTo(new ClusterEvidence.Trouble(FailureReason.BROKERS_UNREACHABLE, 200, 900));
		this.evidence.answered(null, 1000);
		assertThat(this.evidence.standingTrouble()).isNull();
	}

	/** Red when the hint goes with the client whose connections gave it. */
	@Test
	void aHintIsKeptUntilTheClusterAnswers() {
		try (MockProducer<String, String> client = new MockProducer<>()) {
			assertThat(this.evidence.explain(-1, 200, 10_000_000_000L, client).detail()).isNull();
			MetricName connections = new MetricName("connection-creation-total", "producer-metrics", "", Map.of());
			client.setMockMetrics(connections, new Metric() {

				@Override
				public MetricName metricName() {
					return connections;
				}

				@Override
				public Object metricValue() {
					return 1.0;
				}

			});
			assertThat(this.evidence.explain(-1, 200, 10_000_000_000L, client).detail()).contains("security.protocol");
		}
		assertThat(this.evidence.explain(-1, 200, 10_000_000_000L, null).detail()).contains("security.protocol");
		this.evidence.answered("id", 250);
		assertThat(this.evidence.explain(-1, 300, 10_000_000_000L, null).detail()).isNull();
	}

}
