package io.evenkeel.samples.migrating;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;

/**
 * Written for spring-kafka; it does not know on which container it runs.
 */
@Component
class InvoiceListener {

	private final Archive archive;

	InvoiceListener(Archive archive) {
		this.archive = archive;
	}

	@KafkaListener(id = "invoices", topics = "invoices")
	void invoice(String invoice) {
		this.archive.store(invoice);
	}

}
