package io.evenkeel.kafka.engine;

import java.time.Duration;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Where the application is in a partition: its lowest record that has not ended, whatever
 * the client has fetched.
 */
class ApplicationPositionTests {

	private final SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 2, 100));

	@Test
	void queuedAndInHandHoldIt() {
		owned(10);
		assertThat(this.engine.consumer.position(P0)).isEqualTo(10);
		assertThat(position()).isZero();
		this.engine.call(P0, 0).succeeded();
		assertThat(position()).isEqualTo(1);
	}

	@Test
	void unacknowledgedHoldsIt() {
		SteppedEngine manual = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 2, 100, 0, true));
		manual.handler = Attempt::returned;
		manual.own(P0);
		manual.produce(P0, 0, 5);
		manual.turn();
		assertThat(manual.called(P0)).hasSize(5);
		assertThat(manual.loop.position(P0, Duration.ZERO)).hasValue(0);
		assertThat(manual.loop.view().partitions().get(P0).pending()).isEqualTo(5);
		manual.calls.get(3).acknowledge();
		assertThat(manual.loop.position(P0, Duration.ZERO)).hasValue(4);
	}

	@Test
	void whenAllHasEndedItIsTheNext() {
		this.engine.handler = Attempt::succeeded;
		owned(10);
		assertThat(position()).isEqualTo(10);
		assertThat(view().pending()).isZero();
	}

	@Test
	void beforeTheFirstRecordItIsWhereTheClientBegins() {
		owned(0);
		assertThat(position()).isZero();
	}

	@Test
	void whatIsNotKnownIsNotTold() {
		assertThat(this.engine.loop.position(new TopicPartition("other", 0), Duration.ZERO)).isEmpty();
	}

	/** Red when a seek that could not be computed was forgotten. */
	@Test
	void aSeekThatCannotBeComputedYetIsNotDone() {
		owned(3);
		PartitionState<String, String> before = this.engine.state(P0);
		assertThat(this.engine.loop.seek(P0, (consumer) -> {
			throw new TimeoutException("simulated");
		})).isFalse();
		assertThat(this.engine.state(P0)).isSameAs(before);
		assertThat(this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 1))).isTrue();
		assertThat(this.engine.state(P0)).isNotSameAs(before);
	}

	/** What a handler may ask for is there when it is called. */
	@Test
	void theViewIsPublishedBeforeTheRecords() {
		this.engine.handler = (attempt) -> this.engine.events
			.add("position " + view().position() + " pending " + view().pending());
		owned(5);
		assertThat(this.engine.events).contains("position 0 pending 5");
	}

	@Test
	void theViewHasTheAssignmentBeforeTheApplicationIsToldOfIt() {
		this.engine.onAssigned = () -> this.engine.events.add("view " + this.engine.loop.view().partitions().keySet());
		owned(0);
		assertThat(this.engine.events).contains("view [t-0]");
	}

	/** What was polled before a seek may still be in hand after it. */
	@Test
	void aRecordInHandIsPendingAfterASeekToo() {
		owned(3);
		this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 3));
		this.engine.turn();
		assertThat(view().pending()).isPositive();
		assertThat(this.engine.loop.isRunning(P0)).isTrue();
		this.engine.calls.forEach(Attempt::succeeded);
		this.engine.turn();
		assertThat(view().pending()).isZero();
		assertThat(this.engine.loop.isRunning(P0)).isFalse();
	}

	/**
	 * Everything is handled, and a seek to where it stands comes before the commit: red
	 * when the commit stands still for as long as no further record comes.
	 */
	@Test
	void whatWasHandledBeforeASeekIsCommittedAfterIt() {
		this.engine.handler = Attempt::succeeded;
		owned(6);
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(6);
		this.engine.produce(P0, 6, 4);
		this.engine.turn();
		assertThat(this.engine.committed(P0)).isEqualTo(6);
		this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, position()));
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(10);
	}

	/** What is not handled again yet is not taken back. */
	@Test
	void aSeekBackAloneCommitsNothing() {
		this.engine.handler = Attempt::succeeded;
		owned(10);
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(10);
		this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 3));
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(10);
	}

	private void owned(int records) {
		this.engine.own(P0);
		this.engine.turn();
		if (records > 0) {
			this.engine.produce(P0, 0, records);
			this.engine.turn();
		}
	}

	private long position() {
		return this.engine.loop.position(P0, Duration.ZERO).orElse(-1);
	}

	private PartitionView view() {
		PartitionView view = this.engine.loop.view().partitions().get(P0);
		if (view == null) {
			throw new AssertionError("No view of " + P0);
		}
		return view;
	}

}
