package io.evenkeel.samples.transactions;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.stereotype.Component;

/**
 * From topic to topic: what it sends and the offset of what it has read are committed in
 * one transaction of Kafka, or neither is.
 */
@Component
class TransferListener {

	private final KafkaTemplate<String, String> template;

	private final Accounts accounts;

	TransferListener(KafkaTemplate<String, String> template, Accounts accounts) {
		this.template = template;
		this.accounts = accounts;
	}

	@KafkaListener(id = "transfers", topics = "transfers")
	void transfer(String transfer) {
		this.template.send("bookings", "debit " + transfer);
		this.accounts.check(transfer);
		this.template.send("bookings", "credit " + transfer);
	}

	/**
	 * Beside a database: the row is committed first, the offset after it. A crash between
	 * the two brings the record again, and the row is there already.
	 */
	@KafkaListener(id = "customers", topics = "customers")
	void customer(String customer) {
		this.accounts.open(customer);
		this.template.send("welcomes", "welcome " + customer);
	}

}
