package io.evenkeel.kafka.test.app;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

import io.evenkeel.kafka.test.Call;
import io.evenkeel.kafka.test.Delivery;
import io.evenkeel.kafka.test.EvenkeelKafkaTest;
import io.evenkeel.kafka.test.Handover;
import io.evenkeel.kafka.test.Outcome;
import io.evenkeel.kafka.test.StoredRecord;
import io.evenkeel.kafka.test.TestKafka;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.test.context.bean.override.mockito.MockitoBean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.eq;
import static org.mockito.BDDMockito.then;
import static org.mockito.BDDMockito.willAnswer;
import static org.mockito.BDDMockito.willThrow;

/**
 * What a user does with the kit: deliver, fail, retry, dead-letter, acknowledge, revoke,
 * lose, stop.
 */
@EvenkeelKafkaTest
class OrderListenerTests {

	private static final Order BOOK = new Order("book", 2);

	private static final Order PEN = new Order("pen", 1);

	private static final Duration LONG_ENOUGH = Duration.ofMinutes(1);

	@Autowired
	private TestKafka kafka;

	@Autowired
	private ApplicationContext context;

	@MockitoBean
	private OrderService orders;

	@Test
	void theSliceStartsListenersAndNothingElse() {
		assertThat(this.context.getBeansOfType(OrderListener.class)).hasSize(1);
		assertThat(this.context.getBeansOfType(Unrelated.class)).isEmpty();
	}

	@Test
	void aRecordIsHandledAndCommitted() {
		Delivery order = this.kafka.deliver("orders", "customer-1", BOOK);
		assertThat(order.awaitSuccess().awaitCommitted().outcome()).isEqualTo(Outcome.SUCCESS);
		then(this.orders).should().place(BOOK);
		assertThat(this.kafka.committed("orders", 0)).hasValue(1);
	}

	@RepeatedTest(5)
	void aFailedRecordIsTriedAgainWhenItsTimeHasCome() {
		willThrow(new IllegalStateException("no stock")).willDoNothing().given(this.orders).place(BOOK);
		Delivery order = this.kafka.deliver("orders", "customer-1", BOOK);
		assertThat(order.awaitFailure()).hasMessage("no stock");
		this.kafka.advance(Duration.ofMillis(499));
		// Whatever comes after it was handled in between.
		this.kafka.deliver("orders", "customer-2", PEN).awaitSuccess();
		assertThat(order.attempts()).isOne();
		assertThat(order.isCommitted()).isFalse();
		this.kafka.advance(Duration.ofMillis(1));
		order.awaitSuccess().awaitCommitted();
		assertThat(order.attempts()).isEqualTo(2);
	}

	@Test
	void aRecordThatKeepsFailingGoesToItsDeadLetterTopic() {
		willThrow(new IllegalStateException("no stock")).given(this.orders).place(BOOK);
		Delivery order = this.kafka.deliver("orders", "customer-1", BOOK);
		assertThat(order.letRetriesRun()).isEqualTo(Outcome.DEAD_LETTERED);
		assertThat(order.attempts()).isEqualTo(5);
		assertThat(order.failures()).hasSize(5);
		StoredRecord deadLetter = order.awaitDeadLetter();
		assertThat(deadLetter.topic()).isEqualTo("orders-dlt");
		assertThat(deadLetter.valueBytes()).isEqualTo(order.record().valueBytes());
		assertThat(deadLetter.header("kafka_dlt-exception-message")).contains("no stock");
		order.awaitCommitted();
	}

	@Test
	void aRecordThatCannotBeReadGoesThereAtOnce() {
		Delivery order = this.kafka.deliver("orders", "customer-1", "no json");
		assertThat(order.awaitDeadLetter().value()).isEqualTo("no json");
		assertThat(order.attempts()).isZero();
		assertThat(order.awaitEnd()).isEqualTo(Outcome.DEAD_LETTERED);
		then(this.orders).shouldHaveNoInteractions();
	}

	@Test
	void recordsOfOneKeyKeepTheirOrderAndOthersDoNotWait() {
		willThrow(new IllegalStateException("no stock")).willDoNothing().given(this.orders).place(BOOK);
		this.kafka.deliver("orders", "customer-1", BOOK).awaitFailure();
		Delivery second = this.kafka.deliver("orders", "customer-1", PEN);
		this.kafka.deliver("orders", "customer-2", PEN).awaitSuccess();
		assertThat(second.attempts()).isZero();
		this.kafka.advance(LONG_ENOUGH);
		second.awaitSuccess();
		assertThat(this.kafka.calls("orders")).extracting(Call::key, Call::attempt)
			.containsExactly(org.assertj.core.groups.Tuple.tuple("customer-1", 1),
					org.assertj.core.groups.Tuple.tuple("customer-2", 1),
					org.assertj.core.groups.Tuple.tuple("customer-1", 2),
					org.assertj.core.groups.Tuple.tuple("customer-1", 1));
	}

	@Test
	void aRecordIsCommittedWhenItIsAcknowledged() {
		AtomicReference<Acknowledgment> kept = new AtomicReference<>();
		willAnswer((call) -> {
			kept.set(call.getArgument(1));
			return null;
		}).given(this.orders).paid(eq("ten"), any());
		Delivery payment = this.kafka.deliver("payments", "ten").awaitSuccess();
		assertThat(payment.isCommitted()).isFalse();
		kept.get().acknowledge();
		payment.awaitCommitted();
	}

	@Test
	void aPartitionThatIsTakenAwayWaitsForTheCallInProgress() throws InterruptedException {
		CountDownLatch end = new CountDownLatch(1);
		willAnswer((call) -> end.await(10, java.util.concurrent.TimeUnit.SECONDS)).given(this.orders).place(BOOK);
		Delivery order = this.kafka.deliver("orders", "customer-1", BOOK).awaitAttempts(1);
		Handover handover = this.kafka.revoke("orders");
		assertThat(handover.isDone()).isFalse();
		end.countDown();
		handover.await();
		assertThat(order.isCommitted()).isTrue();
		this.kafka.giveBack();
		this.kafka.deliver("orders", "customer-1", PEN).awaitSuccess();
		assertThat(order.attempts()).isOne();
	}

	@Test
	void aCallThatOutlastsTheDrainIsMadeAgain() {
		CountDownLatch end = new CountDownLatch(1);
		willAnswer((call) -> end.await(10, java.util.concurrent.TimeUnit.SECONDS)).willDoNothing()
			.given(this.orders)
			.place(BOOK);
		Delivery order = this.kafka.deliver("orders", "customer-1", BOOK).awaitAttempts(1);
		Handover handover = this.kafka.revoke("orders");
		while (!handover.isDone()) {
			this.kafka.advance(Duration.ofSeconds(10));
		}
		end.countDown();
		assertThat(order.isCommitted()).isFalse();
		this.kafka.giveBack();
		order.awaitAttempts(2).awaitCommitted();
	}

	@Test
	void whatIsLostCannotBeCommittedAnyMore() {
		CountDownLatch end = new CountDownLatch(1);
		willAnswer((call) -> end.await(10, java.util.concurrent.TimeUnit.SECONDS)).willDoNothing()
			.given(this.orders)
			.place(BOOK);
		Delivery order = this.kafka.deliver("orders", "customer-1", BOOK).awaitAttempts(1);
		this.kafka.lose("orders").await();
		end.countDown();
		order.awaitSuccess();
		assertThat(order.isCommitted()).isFalse();
		this.kafka.giveBack();
		order.awaitAttempts(2).awaitCommitted();
	}

	@Test
	void aStopCommitsWhatHasEndedAndAStartGoesOnThere() {
		this.kafka.deliver("orders", "customer-1", BOOK).awaitSuccess();
		this.kafka.stop("orders");
		assertThat(this.kafka.committed("orders", "orders", 0)).hasValue(1);
		Delivery second = this.kafka.deliver("orders", "customer-1", PEN);
		this.kafka.start("orders");
		second.awaitSuccess();
		then(this.orders).should().place(BOOK);
	}

	@Test
	void eachTestBeginsWithNothing() {
		assertThat(this.kafka.records("orders")).isEmpty();
		assertThat(this.kafka.calls()).isEmpty();
		assertThat(this.kafka.committed("orders", 0)).isEmpty();
	}

	@Test
	void whatIsWaitedForInVainSaysWhereTheRecordIs() {
		willThrow(new IllegalStateException("no stock")).given(this.orders).place(BOOK);
		Delivery order = this.kafka.deliver("orders", "customer-1", BOOK);
		order.awaitFailure();
		assertThat(order.toString()).contains("1 call(s) so far", "no stock", "advance(...)");
		assertThatExceptionOfType(AssertionError.class)
			.isThrownBy(() -> this.kafka.deliver("nobody", "x").awaitSuccess())
			.withMessageContaining("No listener reads topic 'nobody'");
	}

}
