package io.evenkeel.samples.migrating;

import io.evenkeel.kafka.test.EvenkeelKafkaTest;
import io.evenkeel.kafka.test.Outcome;

/**
 * After the swap, with nothing set.
 */
@EvenkeelKafkaTest
class AfterTests extends FailingInvoices {

	AfterTests() {
		super(5, Outcome.DEAD_LETTERED);
	}

}
