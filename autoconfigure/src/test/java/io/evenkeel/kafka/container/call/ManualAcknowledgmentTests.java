package io.evenkeel.kafka.container.call;

import java.time.Duration;

import io.evenkeel.kafka.container.WithoutBroker;
import io.evenkeel.kafka.container.failure.TransactionalAcknowledgment;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.support.Acknowledgment;

/**
 * What an acknowledgment says, and until when it may be given: of a call without and with
 * a result, and in a transaction.
 */
class ManualAcknowledgmentTests {

	private final Attempt<Object, Object> attempt = WithoutBroker.attempt();

	private final ManualAcknowledgment manual = new ManualAcknowledgment(this.attempt, false);

	private final CallAcknowledgment later = new CallAcknowledgment(this.manual);

	@Test
	void nackAndAcknowledgeExcludeEachOther() {
		this.manual.nack(Duration.ofMillis(5));
		Assertions.assertThatIllegalStateException().isThrownBy(this.manual::acknowledge);
		Mockito.verify(this.attempt, Mockito.never()).acknowledge();
	}

	@Test
	void nackAfterTheReturnIsRefused() {
		Mockito.when(this.attempt.isOver()).thenReturn(true);
		Assertions.assertThatIllegalStateException().isThrownBy(() -> this.manual.nack(Duration.ZERO));
		Assertions.assertThat(this.manual.nacked()).isNull();
	}

	@Test
	void anIndexOutsideOfTheBatchIsRefused() {
		Assertions.assertThatIllegalArgumentException().isThrownBy(() -> this.manual.acknowledge(1));
		Assertions.assertThatIllegalArgumentException().isThrownBy(() -> this.manual.nack(-1, Duration.ZERO));
		Assertions.assertThatIllegalArgumentException().isThrownBy(() -> this.manual.nack(Duration.ofMillis(-1)));
	}

	/** Until the return nobody knows whether the result is a future. */
	@Test
	void whatIsAcknowledgedInsideACallCountsAtItsEnd() {
		this.later.begins(call());
		this.later.acknowledge();
		Mockito.verify(this.attempt, Mockito.never()).acknowledge();
		this.later.ends();
		Mockito.verify(this.attempt).acknowledge();
		this.later.acknowledge();
		Mockito.verify(this.attempt, Mockito.times(2)).acknowledge();
	}

	@Test
	void aFutureSaysWhenItsRecordIsDoneAndAnAcknowledgmentDoesNot() {
		CallInProgress call = call();
		this.later.begins(call);
		this.later.acknowledge();
		call.endsLater();
		this.later.acknowledge();
		this.later.ends();
		Assertions.assertThat(this.later.manual()).isNull();
		Mockito.verify(this.attempt, Mockito.never()).acknowledge();
	}

	@Test
	void aRepeatedCallBeginsWithNothingAcknowledged() {
		this.later.begins(call());
		this.later.acknowledge();
		this.later.begins(call());
		this.later.ends();
		Mockito.verify(this.attempt, Mockito.never()).acknowledge();
	}

	@Test
	void aRecordThatIsToComeAgainIsNotDone() {
		AcknowledgmentMode mode = mode(AckMode.MANUAL, null);
		Acknowledgment acknowledgment = mode.acknowledgment(this.attempt);
		Assertions.assertThat(acknowledgment).isNotNull();
		acknowledgment.nack(Duration.ofMillis(5));
		mode.succeeded(this.attempt, acknowledgment);
		Mockito.verify(this.attempt).again(Duration.ofMillis(5));
		Mockito.verify(this.attempt, Mockito.never()).returned();
	}

	@Test
	void aReturnIsNoAcknowledgment() {
		AcknowledgmentMode mode = mode(AckMode.MANUAL_IMMEDIATE, null);
		mode.succeeded(this.attempt, mode.acknowledgment(this.attempt));
		Mockito.verify(this.attempt).returned();
		Mockito.verify(this.attempt, Mockito.never()).succeeded();
		Assertions.assertThat(mode.coversEarlier()).isTrue();
	}

	@Test
	void withoutAcknowledgmentsTheReturnIsTheEnd() {
		AcknowledgmentMode mode = mode(AckMode.BATCH, null);
		Assertions.assertThat(mode.acknowledgment(this.attempt)).isNull();
		mode.succeeded(this.attempt, null);
		Mockito.verify(this.attempt).succeeded();
		Assertions.assertThat(mode.coversEarlier()).isFalse();
	}

	@Test
	void whatAHandlerLeavesIsNotDone() {
		CommonErrorHandler leaving = Mockito.mock(CommonErrorHandler.class);
		mode(AckMode.BATCH, leaving).handled(this.attempt);
		Mockito.verify(this.attempt).returned();
		Mockito.when(leaving.isAckAfterHandle()).thenReturn(true);
		mode(AckMode.BATCH, leaving).handled(this.attempt);
		Mockito.verify(this.attempt).recovered(Outcome.SKIPPED);
	}

	@Test
	void anOffsetThatATransactionCarriesIsKnownAtItsEnd() {
		TransactionalAcknowledgment<Object, Object> inside = new TransactionalAcknowledgment<>(this.attempt, true);
		Assertions.assertThat(inside.end()).isNull();
		Assertions.assertThatIllegalStateException().isThrownBy(inside::acknowledge);
		TransactionalAcknowledgment<Object, Object> beside = new TransactionalAcknowledgment<>(this.attempt, false);
		beside.end();
		beside.committed();
		beside.acknowledge();
		Mockito.verify(this.attempt).returned();
		Mockito.verify(this.attempt).acknowledge(0);
	}

	@Test
	void aNackInATransactionTakesTheLaterRecordsOutOfIt() {
		TransactionalAcknowledgment<Object, Object> inside = new TransactionalAcknowledgment<>(this.attempt, true);
		inside.nack(Duration.ofMillis(5));
		Assertions.assertThat(inside.end()).isNull();
		inside.committed();
		Mockito.verify(this.attempt).again(Duration.ofMillis(5));
		Mockito.verify(this.attempt, Mockito.never()).returned();
	}

	private static CallInProgress call() {
		return new CallInProgress(Observation.NOOP, new CallObservationRegistry(ObservationRegistry.NOOP), target(),
				true, null, (failure, call) -> {
				});
	}

	private static ListenerTarget target() {
		return new ListenerTarget((MessageListener<Object, Object>) (record) -> {
		});
	}

	private static AcknowledgmentMode mode(AckMode mode, CommonErrorHandler errors) {
		ContainerProperties properties = new ContainerProperties("t");
		properties.setAckMode(mode);
		return AcknowledgmentMode.of(properties, target(), errors, Ordering.PARTITION);
	}

}
