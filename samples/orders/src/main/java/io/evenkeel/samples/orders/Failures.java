package io.evenkeel.samples.orders;

import java.util.concurrent.CompletionException;

import org.springframework.kafka.KafkaException;
import org.springframework.kafka.core.KafkaProducerException;

/**
 * Finds the words for a send that failed.
 */
final class Failures {

	private Failures() {
	}

	/**
	 * Say why a send failed: what spring-kafka's exception wraps knows it best.
	 * @param failure what the future of the send completed with
	 * @return the reason
	 */
	static String reasonOf(Throwable failure) {
		Throwable reason = failure;
		while (isWrapper(reason) && reason.getCause() != null) {
			reason = reason.getCause();
		}
		return String.valueOf(reason.getMessage());
	}

	private static boolean isWrapper(Throwable failure) {
		return failure instanceof CompletionException || failure instanceof KafkaProducerException
				|| failure.getClass() == KafkaException.class;
	}

}
