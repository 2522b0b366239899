package io.evenkeel.samples.testing;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.test.context.EmbeddedKafka;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The same application on a real broker: the kit does not touch tests that do not ask for
 * it.
 */
@SpringBootTest
@EmbeddedKafka(partitions = 1, topics = { "payments", "receipts" },
		bootstrapServersProperty = "spring.kafka.bootstrap-servers")
@Import(PaymentBrokerIT.Receipts.class)
class PaymentBrokerIT {

	@Autowired
	private KafkaTemplate<String, String> template;

	@Autowired
	private Receipts receipts;

	@Test
	void aPaymentLeadsToAReceipt() throws InterruptedException {
		this.template.send("payments", "ada", "10");
		assertThat(this.receipts.values.poll(30, TimeUnit.SECONDS)).isEqualTo("paid 10");
	}

	@TestConfiguration
	static class Receipts {

		final BlockingQueue<String> values = new LinkedBlockingQueue<>();

		@KafkaListener(id = "receipts", topics = "receipts", properties = "auto.offset.reset=earliest")
		void receipt(String receipt) {
			this.values.add(receipt);
		}

	}

}
