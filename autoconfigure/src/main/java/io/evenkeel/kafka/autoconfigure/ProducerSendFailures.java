package io.evenkeel.kafka.autoconfigure;

import io.evenkeel.kafka.container.failure.SendFailures;
import io.evenkeel.kafka.producer.SendFailedException;
import org.apache.kafka.common.KafkaException;

/**
 * Tells the containers what a failed send of the sending producer's was due to, which has
 * a reason where Kafka's own exceptions would often say nothing but "timed out".
 */
final class ProducerSendFailures implements SendFailures {

	@Override
	public Blame blame(Throwable failure) {
		return (failure instanceof SendFailedException send) ? blame(send) : Blame.NOT_KNOWN;
	}

	private static Blame blame(SendFailedException failure) {
		return switch (failure.getReason()) {
			case TOPIC_NOT_FOUND, PARTITION_NOT_FOUND, INVALID_TOPIC, RECORD_TOO_LARGE, SERIALIZATION -> Blame.RECORD;
			// Of a topic or of the producer as such: Kafka's own exception says which.
			case NOT_AUTHORIZED -> Blame.NOT_KNOWN;
			// Code of the application, an interceptor say, or something of Kafka's.
			case UNKNOWN -> (failure.getCause() instanceof KafkaException) ? Blame.NOT_KNOWN : Blame.RECORD;
			case AUTHENTICATION, TLS, DNS_RESOLUTION, BROKERS_UNREACHABLE, BUFFER_FULL, FAIL_FAST, DELIVERY_TIMEOUT,
					FENCED, PRODUCER_FATAL, CLOSED ->
				Blame.CLUSTER;
		};
	}

}
