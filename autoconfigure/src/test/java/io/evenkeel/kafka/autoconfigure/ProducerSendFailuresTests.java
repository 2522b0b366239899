package io.evenkeel.kafka.autoconfigure;

import java.util.EnumSet;
import java.util.Set;

import io.evenkeel.kafka.container.failure.SendFailures.Blame;
import io.evenkeel.kafka.producer.FailureReason;
import io.evenkeel.kafka.producer.SendFailedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionAbortedException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A record is given up for what it is, never for the cluster's trouble.
 */
class ProducerSendFailuresTests {

	private final ProducerSendFailures failures = new ProducerSendFailures();

	@Test
	void onlyReasonsThatStayAreTheRecords() {
		Set<FailureReason> ofTheRecord = EnumSet.noneOf(FailureReason.class);
		Set<FailureReason> ofTheCluster = EnumSet.noneOf(FailureReason.class);
		for (FailureReason reason : FailureReason.values()) {
			Blame blame = this.failures.blame(failed(reason, new TimeoutException("t")));
			if (blame != Blame.NOT_KNOWN) {
				((blame == Blame.RECORD) ? ofTheRecord : ofTheCluster).add(reason);
			}
		}
		assertThat(ofTheRecord).containsExactlyInAnyOrder(FailureReason.TOPIC_NOT_FOUND,
				FailureReason.PARTITION_NOT_FOUND, FailureReason.INVALID_TOPIC, FailureReason.RECORD_TOO_LARGE,
				FailureReason.SERIALIZATION);
		assertThat(ofTheCluster).containsExactlyInAnyOrder(FailureReason.AUTHENTICATION, FailureReason.TLS,
				FailureReason.DNS_RESOLUTION, FailureReason.BROKERS_UNREACHABLE, FailureReason.BUFFER_FULL,
				FailureReason.FAIL_FAST, FailureReason.DELIVERY_TIMEOUT, FailureReason.FENCED,
				FailureReason.PRODUCER_FATAL, FailureReason.CLOSED);
	}

	@Test
	void codeOfTheApplicationFailsAgain() {
		assertThat(this.failures.blame(failed(FailureReason.UNKNOWN, new IllegalArgumentException("interceptor"))))
			.isEqualTo(Blame.RECORD);
		// An interceptor returned nothing.
		assertThat(this.failures.blame(failed(FailureReason.UNKNOWN, null))).isEqualTo(Blame.RECORD);
		assertThat(this.failures.blame(failed(FailureReason.UNKNOWN, new TransactionAbortedException("t"))))
			.isEqualTo(Blame.NOT_KNOWN);
	}

	@Test
	void othersAreNotKnown() {
		assertThat(this.failures.blame(new TimeoutException("t"))).isEqualTo(Blame.NOT_KNOWN);
	}

	private static SendFailedException failed(FailureReason reason, @Nullable Throwable cause) {
		SendFailedException failure = Mockito.mock(SendFailedException.class);
		Mockito.when(failure.getReason()).thenReturn(reason);
		Mockito.when(failure.getCause()).thenReturn(cause);
		return failure;
	}

}
