package io.evenkeel.kafka.container.failure;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.evenkeel.kafka.container.WithoutBroker;
import io.evenkeel.kafka.container.call.AcknowledgmentMode;
import io.evenkeel.kafka.container.call.CallHeaders;
import io.evenkeel.kafka.container.listener.OnExhausted;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import io.evenkeel.kafka.failure.FailureLog;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;
import org.mockito.Mockito;

import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.support.KafkaHeaders;

/**
 * A record in the hands of the application's error handler: without a slot while that may
 * wait, and without a trace in the thread afterwards.
 */
class UserErrorHandlingTests {

	private final IllegalStateException failure = new IllegalStateException("simulated");

	private final List<Throwable> fail = new ArrayList<>();

	private final WithoutBroker fixture = new WithoutBroker((record) -> {
		if (!this.fail.isEmpty()) {
			throw (RuntimeException) this.fail.remove(0);
		}
	});

	private final CommonErrorHandler handler = Mockito.mock(CommonErrorHandler.class);

	private final Attempt<Object, Object> attempt = WithoutBroker.attempt();

	@Test
	void aHandlerHasNoSlotAndItsThreadStateIsCleared() {
		Mockito.when(this.handler.isAckAfterHandle()).thenReturn(true);
		handles(true);
		Assertions.assertThat(retried()).isFalse();
		InOrder order = Mockito.inOrder(this.attempt, this.handler);
		order.verify(this.attempt).rest();
		order.verify(this.handler).handleOne(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any());
		order.verify(this.handler).clearThreadState();
		order.verify(this.attempt).recovered(Outcome.SKIPPED);
	}

	@Test
	void aHandlerThatFailsIsClearedToo() {
		Mockito.when(this.handler.handleOne(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any()))
			.thenThrow(new IllegalStateException("simulated"));
		Assertions.assertThat(retried()).isFalse();
		Mockito.verify(this.handler).clearThreadState();
		Mockito.verify(this.attempt).exhausted(this.failure);
	}

	@Test
	void eachRepeatedCallIsCountedAndHasASlot() {
		handles(false);
		Assertions.assertThat(retried()).isTrue();
		InOrder order = Mockito.inOrder(this.attempt, this.fixture.engineObserver);
		order.verify(this.attempt).resume();
		order.verify(this.fixture.engineObserver).retried("t");
		Mockito.verify(this.handler).clearThreadState();
	}

	@Test
	void aRecordOfAPartitionThatIsHandedOverIsNotCalledAgain() {
		handles(false);
		Mockito.when(this.attempt.resume()).thenReturn(false);
		Assertions.assertThat(retried()).isFalse();
		Mockito.verify(this.attempt).again(Duration.ZERO);
		Mockito.verifyNoInteractions(this.fixture.engineObserver);
		Mockito.verify(this.handler).clearThreadState();
	}

	@Test
	void theNumberOfTheCallIsNoPartOfWhatAHandlerForwards() {
		List<Object> headers = new ArrayList<>();
		new CallHeaders(null, true).add(WithoutBroker.RECORD, 3);
		Mockito.when(this.handler.handleOne(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any()))
			.then((asked) -> {
				ConsumerRecord<?, ?> record = asked.getArgument(1);
				record.headers().headers(KafkaHeaders.DELIVERY_ATTEMPT).forEach(headers::add);
				return true;
			});
		retried();
		Mockito.verify(this.handler).handleOne(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any());
		Assertions.assertThat(headers).isEmpty();
	}

	/** What it does with the consumer is what it wants, and is not carried out. */
	@Test
	void aHandlerThatSeeksBackWantsTheRecordAgain() {
		Mockito.when(this.handler.seeksAfterHandling()).thenReturn(true);
		Mockito.doAnswer((asked) -> {
			Consumer<?, ?> consumer = asked.getArgument(2);
			consumer.seek(new TopicPartition("t", 0), 7);
			consumer.pause(List.of());
			throw new IllegalStateException("Seek to current after exception");
		}).doNothing().when(this.handler).handleRemaining(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any());
		this.fail.add(this.failure);
		Assertions.assertThat(retried()).isFalse();
		Mockito.verify(this.handler, Mockito.times(2))
			.handleRemaining(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any());
		Mockito.verifyNoInteractions(this.fixture.consumer);
	}

	@Test
	void aHandlerOfBatchesHasNoSlotAndItsThreadStateIsCleared() {
		Mockito.when(this.handler.isAckAfterHandle()).thenReturn(true);
		Mockito
			.when(this.handler.handleBatchAndReturnRemaining(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any(),
					Mockito.any()))
			.then((asked) -> new ConsumerRecords<>(java.util.Map.of(), java.util.Map.of()));
		UserBatchErrors<Object, Object> batches = new UserBatchErrors<>(this.handler, this.fixture.calls(),
				this.fixture.context(), this.fixture.engineObserver, mode(), WithoutBroker.mock());
		Assertions.assertThat(batches.retried(this.attempt, this.failure, (from) -> null)).isFalse();
		InOrder order = Mockito.inOrder(this.attempt, this.handler);
		order.verify(this.attempt).rest();
		order.verify(this.handler)
			.handleBatchAndReturnRemaining(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any());
		order.verify(this.attempt).recovered(Outcome.SKIPPED);
		order.verify(this.handler).clearThreadState();
	}

	/** Health is to hear of it, and the batch comes again later each time. */
	@Test
	void aHandlerOfBatchesThatFailsIsARecoveryThatFails() {
		Mockito
			.when(this.handler.handleBatchAndReturnRemaining(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any(),
					Mockito.any()))
			.thenThrow(new IllegalStateException("simulated"));
		Delivery<ConsumerRecord<Object, Object>> delivery = WithoutBroker.delivery();
		Mockito.when(this.attempt.delivery()).thenReturn(delivery);
		Mockito.when(this.attempt.afterFailedRecovery()).thenReturn(Duration.ofSeconds(7));
		Recoverer<Object, Object> recoverer = recoverer();
		Assertions.assertThat(batches(recoverer).retried(this.attempt, this.failure, (from) -> null)).isFalse();
		Mockito.verify(this.attempt).again(Duration.ofSeconds(7));
		Assertions.assertThat(recoverer.failingSince()).isNotZero();
	}

	@Test
	void aRollbackProcessorHasNoSlotAndItsThreadStateIsCleared() {
		AfterRollbackProcessor<Object, Object> processor = WithoutBroker.mock();
		Mockito.when(this.attempt.resume()).thenReturn(false);
		Mockito.doAnswer((asked) -> {
			Consumer<?, ?> consumer = asked.getArgument(1);
			consumer.seek(new TopicPartition("t", 0), 7);
			return null;
		})
			.when(processor)
			.process(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any(), Mockito.anyBoolean(), Mockito.any());
		new Rollbacks<>(processor, Mockito.mock(Transactions.class), this.fixture.calls(), this.fixture.context(),
				this.fixture.engineObserver, recoverer(), false)
			.after(this.attempt, this.failure, () -> null);
		InOrder order = Mockito.inOrder(this.attempt, processor);
		order.verify(this.attempt).rest();
		order.verify(processor)
			.process(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any(), Mockito.anyBoolean(), Mockito.any());
		order.verify(this.attempt).again(Duration.ZERO);
		order.verify(processor).clearThreadState();
	}

	private void handles(boolean handled) {
		Mockito.when(this.handler.handleOne(Mockito.any(), Mockito.any(), Mockito.any(), Mockito.any()))
			.thenReturn(handled);
	}

	private Recoverer<Object, Object> recoverer() {
		return new Recoverer<>("listener", OnExhausted.DEAD_LETTER, Mockito.mock(ConsumerRecordRecoverer.class), true,
				this.fixture.calls(), new EngineObserver() {
				}, new FailureLog("listener", 5, true), NanoClock.SYSTEM);
	}

	private UserBatchErrors<Object, Object> batches(Recoverer<Object, Object> recoverer) {
		return new UserBatchErrors<>(this.handler, this.fixture.calls(), this.fixture.context(),
				this.fixture.engineObserver, mode(), recoverer);
	}

	private boolean retried() {
		return records().retried(this.attempt, this.failure,
				(from) -> this.fixture.calls().callAndWait(this.attempt.record(), this.attempt.number(), null));
	}

	private UserErrorHandling<Object, Object> records() {
		return new UserErrorHandling<>(this.handler, this.fixture.calls(), this.fixture.context(),
				this.fixture.engineObserver, mode(), WithoutBroker.mock());
	}

	private AcknowledgmentMode mode() {
		return AcknowledgmentMode.of(this.fixture.container.getContainerProperties(), this.fixture.target(),
				this.handler, Ordering.PARTITION);
	}

}
