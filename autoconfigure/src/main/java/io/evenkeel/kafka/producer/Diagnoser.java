package io.evenkeel.kafka.producer;

import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/**
 * Finds the reason in an exception of the client, by its type and never by its text.
 */
final class Diagnoser {

	private Diagnoser() {
	}

	/** Something the client said of a single record or of itself. */
	static Diagnosis classify(Throwable exception) {
		if (exception instanceof UserCodeException) {
			return new Diagnosis(FailureReason.UNKNOWN, exception.getMessage(), exception.getCause());
		}
		String detail = (exception instanceof SerializerException known) ? known.detail() : null;
		return new Diagnosis(reason(exception), detail, exception);
	}

	private static FailureReason reason(Throwable exception) {
		if (exception instanceof SslAuthenticationException) {
			return FailureReason.TLS;
		}
		if (exception instanceof AuthenticationException) {
			return FailureReason.AUTHENTICATION;
		}
		if (exception instanceof AuthorizationException) {
			return FailureReason.NOT_AUTHORIZED;
		}
		if (exception instanceof InvalidTopicException) {
			return FailureReason.INVALID_TOPIC;
		}
		if (exception instanceof RecordTooLargeException || exception instanceof RecordBatchTooLargeException) {
			return FailureReason.RECORD_TOO_LARGE;
		}
		if (exception instanceof SerializationException) {
			return FailureReason.SERIALIZATION;
		}
		if (exception instanceof ProducerFencedException || exception instanceof InvalidProducerEpochException) {
			return FailureReason.FENCED;
		}
		if (exception instanceof OutOfOrderSequenceException || exception instanceof UnsupportedVersionException) {
			return FailureReason.PRODUCER_FATAL;
		}
		if (exception instanceof BufferExhaustedException) {
			return FailureReason.BUFFER_FULL;
		}
		if (exception instanceof TimeoutException) {
			return FailureReason.DELIVERY_TIMEOUT;
		}
		return FailureReason.UNKNOWN;
	}

	/**
	 * A failure that the client threw at a hand-over. A plain {@link KafkaException} or
	 * an {@link IllegalStateException} there means that the client cannot go on; what it
	 * names as its cause is why.
	 */
	static Diagnosis classifyThrown(Throwable exception) {
		Diagnosis direct = classify(exception);
		if (direct.reason() != FailureReason.UNKNOWN || !isFatal(exception)) {
			return direct;
		}
		Throwable cause = exception.getCause();
		FailureReason deeper = (cause != null) ? reason(cause) : FailureReason.UNKNOWN;
		boolean telling = deeper != FailureReason.UNKNOWN && deeper != FailureReason.DELIVERY_TIMEOUT;
		return new Diagnosis(telling ? deeper : FailureReason.PRODUCER_FATAL, null, exception);
	}

	/**
	 * Whether a thrown exception says that the client is closed, and has not taken the
	 * record. A client in an error state names the error as the cause.
	 */
	static boolean saysClosed(Throwable exception) {
		return exception instanceof IllegalStateException
				|| (exception.getClass() == KafkaException.class && exception.getCause() == null);
	}

	/** Whether a thrown exception says that the client cannot go on. */
	static boolean isFatal(Throwable exception) {
		return exception instanceof IllegalStateException || (exception instanceof KafkaException
				&& !(exception instanceof ApiException) && !(exception instanceof SerializationException)
				&& !(exception instanceof InterruptException));
	}

	/**
	 * Whether a reason that the client gives for a failed delivery is the broker's
	 * refusal of that attempt, which has stored nothing.
	 */
	static boolean isRefusal(FailureReason reason) {
		return switch (reason) {
			case RECORD_TOO_LARGE, NOT_AUTHORIZED, INVALID_TOPIC -> true;
			default -> false;
		};
	}

}
