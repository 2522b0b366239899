package io.evenkeel.samples.testing;

import java.time.Duration;

import io.evenkeel.kafka.test.Delivery;
import io.evenkeel.kafka.test.EvenkeelKafkaTest;
import io.evenkeel.kafka.test.Outcome;
import io.evenkeel.kafka.test.TestKafka;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.bean.override.mockito.MockitoBean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.BDDMockito.willThrow;

/**
 * No broker, no waiting: time passes when the test says so.
 */
@EvenkeelKafkaTest
class PaymentListenerTests {

	@Autowired
	private TestKafka kafka;

	@MockitoBean
	private Bank bank;

	@Test
	void aPaymentLeadsToAReceipt() {
		this.kafka.deliver("payments", "ada", "10").awaitSuccess().awaitCommitted();
		assertThat(this.kafka.awaitRecords("receipts", 1)).singleElement()
			.satisfies((receipt) -> assertThat(receipt.value()).isEqualTo("paid 10"));
	}

	@Test
	void aBankThatIsAwayIsAskedAgainAfterHalfASecond() {
		willThrow(new IllegalStateException("closed")).willDoNothing().given(this.bank).charge("ada", "10");
		Delivery payment = this.kafka.deliver("payments", "ada", "10");
		payment.awaitFailure();
		this.kafka.advance(Duration.ofMillis(500));
		payment.awaitSuccess();
		assertThat(payment.attempts()).isEqualTo(2);
	}

	@Test
	void whileOneCustomerWaitsTheOthersDoNot() {
		willThrow(new IllegalStateException("closed")).willDoNothing().given(this.bank).charge("ada", "10");
		this.kafka.deliver("payments", "ada", "10").awaitFailure();
		Delivery behind = this.kafka.deliver("payments", "ada", "20");
		this.kafka.deliver("payments", "bob", "30").awaitSuccess();
		assertThat(behind.attempts()).isZero();
	}

	@Test
	void aPaymentThatNeverSucceedsIsKept() {
		willThrow(new IllegalStateException("no money")).given(this.bank).charge("ada", "10");
		Delivery payment = this.kafka.deliver("payments", "ada", "10");
		assertThat(payment.letRetriesRun()).isEqualTo(Outcome.DEAD_LETTERED);
		assertThat(payment.awaitDeadLetter().topic()).isEqualTo("payments-dlt");
		assertThat(this.kafka.records("receipts")).isEmpty();
	}

	@Test
	void aReceiptWaitsForItsTopic() {
		this.kafka.topicMissing("receipts");
		this.kafka.deliver("payments", "ada", "10").awaitSuccess();
		assertThat(this.kafka.records("receipts")).isEmpty();
		this.kafka.topicCreated("receipts");
		this.kafka.awaitRecords("receipts", 1);
	}

}
