package io.evenkeel.samples.migrating;

import io.evenkeel.kafka.test.EvenkeelKafkaTest;
import io.evenkeel.kafka.test.Outcome;

import org.springframework.test.context.ActiveProfiles;

/**
 * spring-kafka's container.
 */
@EvenkeelKafkaTest
@ActiveProfiles("before")
class BeforeTests extends FailingInvoices {

	BeforeTests() {
		super(10, Outcome.SKIPPED);
	}

}
