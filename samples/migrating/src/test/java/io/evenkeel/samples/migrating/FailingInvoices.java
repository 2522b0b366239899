package io.evenkeel.samples.migrating;

import io.evenkeel.kafka.test.Delivery;
import io.evenkeel.kafka.test.Outcome;
import io.evenkeel.kafka.test.TestKafka;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.bean.override.mockito.MockitoBean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.BDDMockito.willThrow;

/**
 * The same listener and the same record that keeps failing, three times.
 */
abstract class FailingInvoices {

	@Autowired
	private TestKafka kafka;

	@MockitoBean
	private Archive archive;

	private final int calls;

	private final Outcome outcome;

	FailingInvoices(int calls, Outcome outcome) {
		this.calls = calls;
		this.outcome = outcome;
	}

	@Test
	void anInvoiceThatCannotBeStored() {
		willThrow(new IllegalStateException("disk full")).given(this.archive).store("42");
		Delivery invoice = this.kafka.deliver("invoices", "42");
		assertThat(invoice.letRetriesRun()).isEqualTo(this.outcome);
		assertThat(invoice.attempts()).isEqualTo(this.calls);
		invoice.awaitCommitted();
		assertThat(this.kafka.records("invoices-dlt")).hasSize((this.outcome == Outcome.DEAD_LETTERED) ? 1 : 0);
		this.kafka.deliver("invoices", "43").awaitSuccess();
	}

}
