package io.evenkeel.kafka.container.failure;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

import io.evenkeel.kafka.container.WithoutBroker;
import io.evenkeel.kafka.container.call.CallHeaders;
import io.evenkeel.kafka.container.listener.OnExhausted;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.failure.FailureLog;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;
import org.mockito.Mockito;

import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.support.KafkaHeaders;

/**
 * How a record that has no attempt left ends, and what health is told of recoveries.
 */
class RecovererTests {

	private final WithoutBroker fixture = new WithoutBroker((record) -> {
	});

	private final AtomicLong nanos = new AtomicLong(1000);

	private final ConsumerRecordRecoverer users = Mockito.mock(ConsumerRecordRecoverer.class);

	private final Delivery<ConsumerRecord<Object, Object>> delivery = WithoutBroker.delivery();

	private final RecoveryAttempt<Object, Object> recovery = WithoutBroker.recovery(this.delivery);

	private final List<String> failed = new ArrayList<>();

	@Test
	void eachWayAnswersOnce() {
		recoverer(OnExhausted.STOP).recover(this.recovery);
		Mockito.verify(this.recovery).ended(Recovery.STOP);
		recoverer(OnExhausted.SKIP).recover(this.recovery);
		Mockito.verify(this.recovery).ended(Recovery.SKIPPED);
		Mockito.verify(this.recovery, Mockito.never()).rest();
		Mockito.verifyNoInteractions(this.users);
	}

	@Test
	void aRecovererOfTheApplicationHasNoSlotWhileItWaits() {
		recoverer(OnExhausted.DEAD_LETTER).recover(this.recovery);
		InOrder order = Mockito.inOrder(this.recovery, this.users);
		order.verify(this.recovery).rest();
		order.verify(this.users).accept(Mockito.any(), Mockito.any());
		order.verify(this.recovery).ended(Recovery.SKIPPED);
	}

	@Test
	void theNumberOfACallIsNoPartOfADeadLetter() {
		List<Object> headers = new ArrayList<>();
		new CallHeaders(null, true).add(WithoutBroker.RECORD, 3);
		Mockito.doAnswer((asked) -> {
			ConsumerRecord<?, ?> record = asked.getArgument(0);
			record.headers().headers(KafkaHeaders.DELIVERY_ATTEMPT).forEach(headers::add);
			return null;
		}).when(this.users).accept(Mockito.any(), Mockito.any());
		recoverer(OnExhausted.DEAD_LETTER).recover(this.recovery);
		Mockito.verify(this.users).accept(Mockito.any(), Mockito.any());
		Assertions.assertThat(headers).isEmpty();
	}

	@Test
	void aRecoveryThatFailsIsAnsweredAsOne() {
		Mockito.doThrow(new StackOverflowError("simulated")).when(this.users).accept(Mockito.any(), Mockito.any());
		recoverer(OnExhausted.DEAD_LETTER).recover(this.recovery);
		Mockito.verify(this.recovery).failed(Mockito.any(StackOverflowError.class));
		Mockito.verify(this.recovery, Mockito.never()).ended(Mockito.any());
	}

	@Test
	void healthHearsOfAFailureUntilTheRecordIsRecovered() {
		Recoverer<Object, Object> recoverer = recoverer(OnExhausted.DEAD_LETTER);
		Assertions.assertThat(recoverer.failingSince()).isZero();
		Assertions.assertThat(this.failed).isEmpty();
		recoverer.recoveryFailed(this.delivery, new IllegalStateException("simulated"));
		Assertions.assertThat(recoverer.failingSince()).isEqualTo(1000);
		this.nanos.set(5000);
		recoverer.recoveryFailed(this.delivery, new IllegalStateException("simulated"));
		Assertions.assertThat(recoverer.failingSince()).as("since the first").isEqualTo(1000);
		Assertions.assertThat(this.failed).as("each is counted").hasSize(2);
		recoverer.recover(this.recovery);
		Assertions.assertThat(recoverer.failingSince()).isZero();
	}

	/** Nothing has failed yet, but somebody waits. */
	@Test
	void aRecoveryThatTakesLongIsAFailingOne() {
		CompletableFuture<Void> waits = new CompletableFuture<>();
		Mockito.doAnswer((asked) -> waits.join()).when(this.users).accept(Mockito.any(), Mockito.any());
		Recoverer<Object, Object> recoverer = recoverer(OnExhausted.DEAD_LETTER);
		CompletableFuture<Void> running = CompletableFuture.runAsync(() -> recoverer.recover(this.recovery));
		try {
			Mockito.verify(this.users, Mockito.timeout(10_000)).accept(Mockito.any(), Mockito.any());
			Assertions.assertThat(recoverer.failingSince()).isZero();
			this.nanos.addAndGet(Recoverer.PATIENCE_NANOS + 1);
			Assertions.assertThat(recoverer.failingSince()).isEqualTo(1000);
		}
		finally {
			waits.complete(null);
		}
		running.join();
		Assertions.assertThat(recoverer.failingSince()).isZero();
	}

	/** Acknowledged from outside, or handed over: no recovery of it will succeed here. */
	@Test
	void aRecordThatIsGoneIsForgotten() {
		Recoverer<Object, Object> recoverer = recoverer(OnExhausted.DEAD_LETTER);
		recoverer.recoveryFailed(this.delivery, new IllegalStateException("simulated"));
		Mockito.when(this.delivery.isEnded()).thenReturn(true);
		Assertions.assertThat(recoverer.failingSince()).isZero();
		Delivery<ConsumerRecord<Object, Object>> other = WithoutBroker.delivery();
		recoverer.recoveryFailed(other, new IllegalStateException("simulated"));
		Assertions.assertThat(recoverer.failingSince()).isNotZero();
		Mockito.when(other.assignment().isStopping()).thenReturn(true);
		Assertions.assertThat(recoverer.failingSince()).isZero();
	}

	private Recoverer<Object, Object> recoverer(OnExhausted onExhausted) {
		return new Recoverer<>("listener", onExhausted, this.users, true, this.fixture.calls(), new EngineObserver() {

			@Override
			public void recoveryFailed(String topic) {
				RecovererTests.this.failed.add(topic);
			}

		}, new FailureLog("listener", 5, true), this.nanos::get);
	}

}
