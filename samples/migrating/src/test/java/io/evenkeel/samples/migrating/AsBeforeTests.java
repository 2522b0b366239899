package io.evenkeel.samples.migrating;

import io.evenkeel.kafka.test.EvenkeelKafkaTest;
import io.evenkeel.kafka.test.Outcome;

import org.springframework.test.context.ActiveProfiles;

/**
 * After the swap, with settings that keep what was.
 */
@EvenkeelKafkaTest
@ActiveProfiles("as-before")
class AsBeforeTests extends FailingInvoices {

	AsBeforeTests() {
		super(10, Outcome.SKIPPED);
	}

}
