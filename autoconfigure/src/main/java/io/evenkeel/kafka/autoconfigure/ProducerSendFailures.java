package io.evenkeel.kafka.autoconfigure;

import io.evenkeel.kafka.container.SendFailures;
import io.evenkeel.kafka.producer.SendFailedException;
import org.apache.kafka.common.KafkaException;

/**
 * What the sending producer says of a failed send. The names of the reasons mean the same
 * whether a listener lets the exception through or hides it.
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
