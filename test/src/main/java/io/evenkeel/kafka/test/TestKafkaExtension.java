package io.evenkeel.kafka.test;

import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import org.springframework.test.context.junit.jupiter.SpringExtension;

/**
 * Empties the {@link TestKafka} of the application before each test, makes it healthy,
 * and lets the listeners have their partitions. It comes with
 * {@link AutoConfigureTestKafka} and {@link EvenkeelKafkaTest}.
 */
public final class TestKafkaExtension implements BeforeEachCallback {

	/**
	 * Made by JUnit.
	 */
	public TestKafkaExtension() {
	}

	@Override
	public void beforeEach(ExtensionContext context) {
		SpringExtension.getApplicationContext(context).getBean(TestKafka.class).reset();
	}

}
