package io.evenkeel.samples.orders;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Ledger}.
 */
class LedgerTests {

	private final Ledger ledger = new Ledger();

	@Test
	void eventsHandledOnceAndInOrderAreFlawless() {
		send("a", 1);
		send("a", 2);
		send("b", 1);
		handle("a", 1);
		handle("b", 1);
		handle("a", 2);
		Summary summary = this.ledger.summary(3);
		assertThat(summary).isEqualTo(new Summary(3, 3, 0, 0, 0, 0, 3));
		assertThat(summary.flawless()).isTrue();
		assertThat(this.ledger.settled()).isTrue();
	}

	@Test
	void acknowledgedEventThatNoCallCompletedIsLost() {
		send("a", 1);
		this.ledger.begin("first", event("a", 1)).close();
		Summary summary = this.ledger.summary(1);
		assertThat(summary.handled()).isZero();
		assertThat(summary.lost()).isOne();
		assertThat(summary.flawless()).isFalse();
		assertThat(this.ledger.settled()).isFalse();
	}

	@Test
	void eventThatWasNotAcknowledgedIsNotLost() {
		this.ledger.sending();
		assertThat(this.ledger.settled()).isFalse();
		this.ledger.sent(event("a", 1), false);
		assertThat(this.ledger.settled()).isTrue();
		assertThat(this.ledger.summary(1)).isEqualTo(new Summary(0, 0, 0, 0, 0, 0, 1));
	}

	@Test
	void eventHandledAgainIsOneDuplicateHoweverOften() {
		send("a", 1);
		handle("a", 1);
		handle("a", 1);
		handle("a", 1);
		Summary summary = this.ledger.summary(1);
		assertThat(summary.handled()).isOne();
		assertThat(summary.duplicates()).isOne();
		assertThat(summary.orderViolations()).isZero();
		assertThat(summary.flawless()).isFalse();
	}

	@Test
	void callAfterFailedCallIsNoDuplicate() {
		send("a", 1);
		this.ledger.begin("first", event("a", 1)).close();
		handle("a", 1);
		assertThat(this.ledger.summary(1).flawless()).isTrue();
	}

	@Test
	void eventHandledAfterLaterOneOfItsCustomerBreaksTheOrder() {
		handle("a", 2);
		handle("b", 1);
		handle("a", 1);
		assertThat(this.ledger.summary(1).orderViolations()).isOne();
	}

	@Test
	void callsThatOverlapForOneCustomerBreakTheOrder() {
		try (Ledger.Call first = this.ledger.begin("first", event("a", 1))) {
			handle("b", 1);
			assertThat(this.ledger.summary(1).orderViolations()).isZero();
			handle("a", 2);
			first.completed();
		}
		assertThat(this.ledger.summary(1).orderViolations()).isOne();
	}

	@Test
	void longestCallerBlockIsKept() {
		this.ledger.callerHeld(Duration.ofMillis(3));
		this.ledger.callerHeld(Duration.ofMillis(40));
		this.ledger.callerHeld(Duration.ofMillis(5));
		assertThat(this.ledger.summary(1).longestCallerBlockMillis()).isEqualTo(40);
	}

	@Test
	void completedCallsAreCountedPerMember() {
		handle("a", 1);
		handle("a", 2);
		assertThat(this.ledger.completedBy("first")).isEqualTo(2);
		assertThat(this.ledger.completedBy("second")).isZero();
	}

	@Test
	void waitingEndsWithTheEventThatIsWaitedFor() throws InterruptedException {
		send("a", 1);
		CompletableFuture<Void> handled = CompletableFuture.runAsync(() -> handle("a", 1));
		assertThat(this.ledger.await(this.ledger::settled, Duration.ofSeconds(30))).isTrue();
		handled.join();
	}

	@Test
	void waitingEndsAtItsLimit() throws InterruptedException {
		assertThat(this.ledger.await(() -> false, Duration.ofMillis(20))).isFalse();
	}

	private void send(String customer, long sequence) {
		this.ledger.sending();
		this.ledger.sent(event(customer, sequence), true);
	}

	private void handle(String customer, long sequence) {
		try (Ledger.Call call = this.ledger.begin("first", event(customer, sequence))) {
			call.completed();
		}
	}

	private static OrderEvent event(String customer, long sequence) {
		return new OrderPlaced("run", customer + sequence, customer, sequence, "rope", 1);
	}

}
