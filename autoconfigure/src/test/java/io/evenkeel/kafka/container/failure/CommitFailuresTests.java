package io.evenkeel.kafka.container.failure;

import java.util.stream.Stream;

import io.evenkeel.kafka.container.failure.SendFailures.Blame;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.CoordinatorNotAvailableException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionAbortableException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Which commits fail because of what the listener sent.
 */
class CommitFailuresTests {

	private final CommitFailures failures = new CommitFailures(SendFailures.NONE);

	@ParameterizedTest
	@MethodSource
	void whatKafkaSaysOfARecordIsTheRecords(Exception said) {
		assertThat(this.failures.isOfASend(said)).isTrue();
		assertThat(this.failures.isOfASend(inErrorState(said))).isTrue();
	}

	static Stream<Exception> whatKafkaSaysOfARecordIsTheRecords() {
		return Stream.of(new InvalidTopicException("t"), new RecordTooLargeException("t"),
				new TopicAuthorizationException("t"), new TransactionAbortableException("t"),
				new SerializationException("t"),
				// A topic that the brokers do not know: only the cause tells.
				new TimeoutException("t", new UnknownTopicOrPartitionException("t")));
	}

	@ParameterizedTest
	@MethodSource
	void whatComesOfTheClusterIsNotTheRecords(Exception said) {
		assertThat(this.failures.isOfASend(said)).isFalse();
		assertThat(this.failures.isOfASend(inErrorState(said))).isFalse();
	}

	static Stream<Exception> whatComesOfTheClusterIsNotTheRecords() {
		return Stream.of(new TimeoutException("t"), new CoordinatorNotAvailableException("t"),
				new ProducerFencedException("t"), new InvalidProducerEpochException("t"),
				new CommitFailedException("t"), new RebalanceInProgressException("t"),
				new SaslAuthenticationException("t"), new TransactionalIdAuthorizationException("t"),
				new ClusterAuthorizationException("t"), new UnknownServerException("t"), new KafkaException("t"),
				new IllegalStateException("t"));
	}

	/** What a producer says of its send counts more than what the client said to it. */
	@Test
	void aProducerThatKnowsIsBelieved() {
		IllegalStateException known = new IllegalStateException("t", new InvalidTopicException("t"));
		CommitFailures cluster = new CommitFailures((failure) -> (failure == known) ? Blame.CLUSTER : Blame.NOT_KNOWN);
		assertThat(cluster.isOfASend(inErrorState(known))).isFalse();
		CommitFailures record = new CommitFailures(
				(failure) -> (failure instanceof IllegalStateException) ? Blame.RECORD : Blame.NOT_KNOWN);
		assertThat(record.isOfASend(inErrorState(new IllegalStateException("t", new TimeoutException("t"))))).isTrue();
	}

	/** As the client answers when it is to commit after a failure. */
	private static Exception inErrorState(Exception last) {
		return new KafkaException("Cannot execute transactional method because we are in an error state", last);
	}

}
