package io.evenkeel.samples.orders;

import java.util.concurrent.CompletionException;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.KafkaException;
import org.springframework.kafka.core.KafkaProducerException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Failures}.
 */
class FailuresTests {

	private static final Throwable REASON = new TimeoutException("no answer");

	@Test
	void reasonIsFoundInFailedFutureOfTemplate() {
		Throwable failure = new KafkaProducerException(new ProducerRecord<>("orders", "value"), "Failed to send",
				REASON);
		assertThat(Failures.reasonOf(new CompletionException(failure))).isEqualTo("no answer");
	}

	@Test
	void reasonIsFoundInExceptionThrownByTemplate() {
		assertThat(Failures.reasonOf(new KafkaException("Send failed", REASON))).isEqualTo("no answer");
	}

	@Test
	void reasonWithCauseOfItsOwnIsKept() {
		assertThat(Failures.reasonOf(new IllegalStateException("orders is missing", REASON)))
			.isEqualTo("orders is missing");
	}

}
