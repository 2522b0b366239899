package io.evenkeel.samples.testing;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.stereotype.Component;

/**
 * Charges the customer, then writes a receipt.
 */
@Component
class PaymentListener {

	private final Bank bank;

	private final KafkaTemplate<String, String> receipts;

	PaymentListener(Bank bank, KafkaTemplate<String, String> receipts) {
		this.bank = bank;
		this.receipts = receipts;
	}

	@KafkaListener(id = "payments", topics = "payments", concurrency = "8")
	void pay(@Header(KafkaHeaders.RECEIVED_KEY) String customer, @Payload String amount) {
		this.bank.charge(customer, amount);
		this.receipts.send("receipts", customer, "paid " + amount);
	}

}
