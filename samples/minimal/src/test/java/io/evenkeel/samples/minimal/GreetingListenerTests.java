package io.evenkeel.samples.minimal;

import io.evenkeel.kafka.test.EvenkeelKafkaTest;
import io.evenkeel.kafka.test.Outcome;
import io.evenkeel.kafka.test.TestKafka;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A greeting, and an error.
 */
@EvenkeelKafkaTest
class GreetingListenerTests {

	@Autowired
	private TestKafka kafka;

	@Test
	void aNameIsAnswered() {
		this.kafka.deliver("names", "1", "Ada").awaitSuccess();
		assertThat(this.kafka.awaitRecords("greetings", 1).get(0).value()).isEqualTo("Hello, Ada");
	}

	@Test
	void aBlankNameEndsAsADeadLetter() {
		assertThat(this.kafka.deliver("names", "1", " ").letRetriesRun()).isEqualTo(Outcome.DEAD_LETTERED);
		assertThat(this.kafka.records("names-dlt")).hasSize(1);
	}

}
