package io.evenkeel.kafka.producer;

import java.util.ArrayList;
import java.util.List;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class SendFailureLogTests {

	private final List<Runnable> later = new ArrayList<>();

	private final SendFailureLog<String, String> log = new SendFailureLog<>((nanos, task) -> this.later.add(task));

	/** Red when each failure gets a line: ten thousand of them hold their futures. */
	@Test
	void manyFailuresAreOneLineAndANumber(CapturedOutput output) {
		for (int i = 0; i < 1000; i++) {
			fail("orders", "FULL");
		}
		fail("orders", "GONE");
		fail("other", "FULL");
		assertThat(output.getAll().lines().filter((line) -> line.contains("Send to topic"))).hasSize(3);
		this.later.forEach(Runnable::run);
		assertThat(output).contains("999 more sends to topic 'orders' failed within a second")
			.doesNotContain("more sends to topic 'other'")
			.doesNotContain("secret");
		this.later.clear();
		fail("orders", "FULL");
		assertThat(this.later).hasSize(1);
	}

	private void fail(String topic, String kind) {
		Exception failure = kind.equals("FULL") ? new IllegalStateException("secret")
				: new IllegalArgumentException("secret");
		this.log.onError(new ProducerRecord<>(topic, "secret", "secret"), null, failure);
	}

}
