package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.RecordDeserializationException.DeserializationExceptionOrigin;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static io.evenkeel.kafka.engine.SteppedEngine.P1;
import static org.assertj.core.api.Assertions.assertThat;

class ConsumerLoopTests {

	private final SteppedEngine engine = new SteppedEngine();

	private long produced;

	@Test
	void seekBeginsANewAssignment() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 3);
		this.engine.turn();
		this.engine.call(P0, 0).succeeded();
		this.engine.turn();
		long epoch = this.engine.state(P0).assignment().epoch();
		this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 0));
		assertThat(this.engine.state(P0).assignment().epoch()).isGreaterThan(epoch);
		this.engine.calls.forEach((call) -> call.succeeded());
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		assertThat(this.engine.called(P0)).containsExactly(0L, 1L, 2L, 0L);
		assertThat(this.engine.events.stream().filter("stale"::equals)).hasSize(2);
		this.engine.call(P0, 0).succeeded();
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(1);
	}

	/** Red when records that were polled before a seek run beside those after it. */
	@Test
	void aMovedPartitionWaitsForWhatIsInHandOfIt() {
		moveBackWhileTheFirstRecordIsInHand();
		assertThat(this.engine.called(P0)).containsExactly(0L);
		this.engine.calls.get(0).succeeded();
		this.engine.turn();
		assertThat(this.engine.called(P0)).containsExactly(0L, 0L);
	}

	@Test
	void aMovedPartitionWaitsNoLongerThanADrain() {
		moveBackWhileTheFirstRecordIsInHand();
		this.engine.pass(Duration.ofSeconds(9));
		assertThat(this.engine.called(P0)).containsExactly(0L);
		this.engine.pass(Duration.ofSeconds(2));
		assertThat(this.engine.called(P0)).containsExactly(0L, 0L);
	}

	private void moveBackWhileTheFirstRecordIsInHand() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 0));
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
	}

	@Test
	void seekLeavesTheCommittedOffsetInSight() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		this.engine.call(P0, 0).succeeded();
		this.engine.settle();
		this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 0));
		this.engine.settle();
		assertThat(this.engine.loop.snapshot().partitions().get(0).committed()).isEqualTo(1);
	}

	@Test
	void seekInsideTheAssignedCallbackBelongsToTheAssignmentThatCame() {
		this.engine.handler = Attempt::succeeded;
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(4)));
		this.engine.onAssigned = () -> {
			Assignment<?> told = this.engine.state(P0).assignment();
			this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 9));
			this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 1));
			assertThat(this.engine.state(P0).assignment().epoch()).isEqualTo(told.epoch());
			assertThat(told.isClosed()).isTrue();
		};
		this.engine.own(P0);
		this.engine.produce(P0, 1, 2);
		this.engine.settle();
		assertThat(this.engine.called(P0)).containsExactly(1L, 2L);
		assertThat(this.engine.committed(P0)).isEqualTo(3);
	}

	/**
	 * Red when a commit leaves out which leader wrote the record, or names a later one.
	 */
	@Test
	void commitNamesTheLeaderOfItsRecord() {
		this.engine.own(P0);
		List.of(7, 7, 8).forEach(this::produceUnderLeader);
		this.engine.turn();
		this.engine.call(P0, 0).succeeded();
		this.engine.settle();
		assertThat(this.engine.consumer.stored.get(P0)).isEqualTo(new OffsetAndMetadata(1, Optional.of(7), ""));
		this.engine.call(P0, 1).succeeded();
		this.engine.turn();
		this.engine.call(P0, 2).succeeded();
		this.engine.settle();
		assertThat(this.engine.consumer.stored.get(P0)).isEqualTo(new OffsetAndMetadata(3, Optional.of(8), ""));
	}

	private void produceUnderLeader(int epoch) {
		this.engine.consumer.addRecord(new ConsumerRecord<>(P0.topic(), P0.partition(), this.produced++, 0,
				TimestampType.CREATE_TIME, 1, 1, "key", "value", new RecordHeaders(), Optional.of(epoch)));
	}

	@Test
	void positionThatGoesBackBeginsANewAssignment() {
		this.engine.handler = Attempt::succeeded;
		this.engine.own(P0);
		this.engine.produce(P0, 0, 3);
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(3);
		// What a reset of the client's does, which tells nobody.
		this.engine.consumer.seek(P0, 0);
		this.engine.produce(P0, 0, 2);
		this.engine.settle();
		assertThat(this.engine.called(P0)).containsExactly(0L, 1L, 2L, 0L, 1L);
		assertThat(this.engine.committed(P0)).isEqualTo(2);
	}

	@Test
	void logThatBeginsBelowTheCommittedOffsetIsAnotherLog() {
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(100)));
		this.engine.handler = Attempt::succeeded;
		this.engine.own(P0);
		this.engine.consumer.seek(P0, 50);
		this.engine.produce(P0, 50, 2);
		this.engine.settle();
		assertThat(this.engine.called(P0)).containsExactly(50L, 51L);
		assertThat(this.engine.committed(P0)).isEqualTo(52);
	}

	@Test
	void logThatBeginsAboveTheCommittedOffsetIsCommittedFromThere() {
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(3)));
		this.engine.own(P0);
		this.engine.consumer.seek(P0, 200);
		this.engine.produce(P0, 200, 2);
		this.engine.turn();
		this.engine.call(P0, 200).succeeded();
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(201);
	}

	@Test
	void poisonRecordGoesToRecoveryInItsPlace() {
		this.engine.handler = Attempt::succeeded;
		this.engine.own(P0);
		this.engine.produce(P0, 0, 2);
		this.engine.turn();
		this.engine.consumer.pollFailures.add(poison(P0, 2));
		this.engine.turn();
		assertThat(this.engine.consumer.position(P0)).isEqualTo(3);
		this.engine.produce(P0, 3, 1);
		this.engine.settle();
		assertThat(this.engine.events).contains("recover 2");
		assertThat(this.engine.called(P0)).containsExactly(0L, 1L, 3L);
		assertThat(this.engine.committed(P0)).isEqualTo(4);
	}

	@Test
	void poisonRecordWhereThePositionWentBackIsNotSkipped() {
		this.engine.handler = Attempt::succeeded;
		this.engine.own(P0);
		this.engine.produce(P0, 0, 5);
		this.engine.turn();
		this.engine.consumer.seek(P0, 2);
		this.engine.consumer.pollFailures.add(poison(P0, 2));
		this.engine.turn();
		assertThat(this.engine.events).contains("recover 2");
	}

	@Test
	void wakeUpOfAPollIsNothing() {
		this.engine.handler = Attempt::succeeded;
		this.engine.own(P0);
		this.engine.consumer.pollFailures.add(new WakeupException());
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		assertThat(this.engine.called(P0)).containsExactly(0L);
	}

	@Test
	void ofSeveralAnswersTheFirstCountsAndTheOthersLeaveNoTrace() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 2);
		this.engine.turn();
		Attempt<String, String> retried = this.engine.call(P0, 0);
		retried.failed(new IllegalStateException("try again"));
		retried.exhausted(new IllegalStateException("hopeless"));
		retried.again(Duration.ZERO);
		Attempt<String, String> given = this.engine.call(P0, 1);
		given.exhausted(new IllegalStateException("hopeless"));
		given.failed(new IllegalStateException("try again"));
		given.succeeded();
		this.engine.pass(Duration.ofMillis(200));
		assertThat(this.engine.events).contains("recover 1").doesNotContain("recover 0", "ended SUCCESS");
		assertThat(this.engine.call(P0, 0).number()).isEqualTo(2);
	}

	@Test
	void aPendingRecoveryHoldsItsLaneAndNoSlot() {
		SteppedEngine stepped = new SteppedEngine(SteppedEngine.settings(Ordering.KEY, 1, 100));
		List<RecoveryAttempt<String, String>> pending = new ArrayList<>();
		stepped.recoverer = (recovery) -> {
			recovery.rest();
			pending.add(recovery);
		};
		stepped.handler = (attempt) -> {
			if (attempt.record().key().startsWith("poison")) {
				attempt.exhausted(new IllegalStateException("simulated"));
			}
			else {
				attempt.succeeded();
			}
		};
		stepped.own(P0);
		for (int i = 0; i < 4; i++) {
			stepped.produce(P0, i, "poison" + i);
		}
		stepped.produce(P0, 4, "poison0");
		for (int i = 5; i < 20; i++) {
			stepped.produce(P0, i, "k" + i);
		}
		stepped.turn();
		assertThat(pending).hasSize(4);
		assertThat(stepped.called(P0)).contains(5L, 19L).doesNotContain(4L);
		assertThat(stepped.dispatcher.used()).isZero();
		// Answers that cross, and more of them than are asked for.
		pending.get(0).failed(new IllegalStateException("away"));
		pending.get(0).ended(RecordHandler.Recovery.DEAD_LETTERED);
		stepped.turn();
		assertThat(stepped.called(P0)).doesNotContain(4L);
		stepped.pass(Duration.ofSeconds(2));
		assertThat(pending).hasSize(5);
		pending.get(4).ended(RecordHandler.Recovery.DEAD_LETTERED);
		pending.get(4).ended(RecordHandler.Recovery.SKIPPED);
		stepped.turn();
		assertThat(stepped.called(P0)).contains(4L);
		stepped.settle();
		assertThat(stepped.committed(P0)).isEqualTo(1);
	}

	@Test
	void aRecoveryThatEndsAfterTheHandOverCountsAsNothing() {
		List<RecoveryAttempt<String, String>> pending = new ArrayList<>();
		this.engine.recoverer = (recovery) -> {
			recovery.rest();
			pending.add(recovery);
		};
		this.engine.handler = (attempt) -> attempt.exhausted(new IllegalStateException("simulated"));
		this.engine.own(P0);
		this.engine.produce(P0, 0, 2);
		this.engine.turn();
		assertThat(pending).hasSize(2);
		this.engine.whileWaiting = () -> pending.get(0).ended(RecordHandler.Recovery.DEAD_LETTERED);
		this.engine.own();
		this.engine.turn();
		assertThat(this.engine.events).contains("drained 1 dropped 0 abandoned 1");
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		pending.get(1).ended(RecordHandler.Recovery.DEAD_LETTERED);
		this.engine.turn();
		assertThat(this.engine.events).contains("stale");
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(this.engine.dispatcher.used()).isZero();
	}

	@Test
	void failedRecordIsCalledAgainInItsPlaceAndThenRecovered() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, "a");
		this.engine.produce(P0, 1, "a");
		this.engine.produce(P0, 2, "b");
		this.engine.turn();
		this.engine.call(P0, 0).failed(new IllegalStateException("1"));
		this.engine.turn();
		assertThat(this.engine.called(P0)).containsExactly(0L, 2L);
		this.engine.pass(Duration.ofMillis(100));
		this.engine.call(P0, 0).failed(new IllegalStateException("2"));
		this.engine.pass(Duration.ofMillis(200));
		assertThat(this.engine.call(P0, 0).number()).isEqualTo(3);
		this.engine.call(P0, 0).failed(new IllegalStateException("3"));
		this.engine.turn();
		assertThat(this.engine.events).contains("recover 0", "ended DEAD_LETTERED");
		assertThat(this.engine.called(P0)).containsExactly(0L, 2L, 0L, 0L, 1L);
	}

	@Test
	void pausesAreRecomputedAfterARebalanceForgotThem() {
		this.engine.own(P0, P1);
		this.engine.paused.add(P0);
		this.engine.turn();
		assertThat(this.engine.consumer.paused()).containsExactly(P0);
		this.engine.consumer.resume(java.util.Set.of(P0));
		this.engine.own(P0);
		this.engine.turn();
		assertThat(this.engine.consumer.paused()).containsExactly(P0);
		// Somebody else has the client, and no callback tells of it.
		this.engine.consumer.resume(java.util.Set.of(P0));
		this.engine.pass(Duration.ofSeconds(5));
		assertThat(this.engine.consumer.paused()).containsExactly(P0);
		this.engine.paused.clear();
		this.engine.turn();
		assertThat(this.engine.consumer.paused()).isEmpty();
	}

	/** Red when it takes the next look at all partitions to see that a pause is gone. */
	@Test
	void aPausedPartitionThatBringsRecordsIsPausedAgainAtOnce() {
		this.engine.own(P0);
		this.engine.paused.add(P0);
		this.engine.turn();
		this.engine.consumer.resume(java.util.Set.of(P0));
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		assertThat(this.engine.consumer.paused()).containsExactly(P0);
	}

	@Test
	void usersPauseHoldsQueuedRecords() {
		SteppedEngine single = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100));
		single.own(P0);
		single.produce(P0, 0, 3);
		single.turn();
		single.paused.add(P0);
		single.turn();
		single.call(P0, 0).succeeded();
		single.turn();
		assertThat(single.called(P0)).containsExactly(0L);
		single.paused.clear();
		single.turn();
		assertThat(single.called(P0)).containsExactly(0L, 1L);
	}

	@Test
	void slowPartitionIsHeldBackAndTheOthersAreNot() {
		SteppedEngine small = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 2, 10));
		small.handler = (attempt) -> {
			if (attempt.record().partition() == 1) {
				attempt.succeeded();
			}
		};
		small.own(P0, P1);
		small.produce(P0, 0, 6);
		small.turn();
		assertThat(small.consumer.paused()).containsExactly(P0);
		small.produce(P1, 0, 20);
		small.turn();
		assertThat(small.called(P1)).hasSize(20);
		small.calls.get(0).succeeded();
		small.handler = Attempt::succeeded;
		small.turn();
		assertThat(small.consumer.paused()).isEmpty();
	}

	@Test
	void stuckPartitionsThatFillTheListenerDoNotStarveTheOthers() {
		SteppedEngine small = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 2, 10));
		small.handler = (attempt) -> {
			if (attempt.record().partition() == 1) {
				attempt.succeeded();
			}
		};
		small.consumer.keepsRecords = true;
		small.own(P0, P1);
		// One poll may bring far more than the partition's share, and the limit.
		small.produce(P0, 0, 12);
		small.turn();
		small.produce(P1, 0, 3);
		small.turn();
		assertThat(small.called(P1)).containsExactly(0L, 1L, 2L);
	}

	/** Red when what a full listener polls for its free slots is kept whole. */
	@Test
	void aFullListenerWithFreeSlotsIsOverItsLimitByAPollAtMost() {
		SteppedEngine small = new SteppedEngine(SteppedEngine.settings(Ordering.KEY, 20, 10));
		small.handler = (attempt) -> attempt.again(Duration.ofHours(1));
		small.consumer.keepsRecords = true;
		small.own(P0, P1);
		small.produce(P0, 0, 12);
		small.turn();
		small.produce(P1, 0, 50);
		small.turn();
		int pending = small.state(P0).assignment().tracker().unfinished()
				+ small.state(P1).assignment().tracker().unfinished();
		assertThat(pending).isBetween(13, 10 + 12);
		assertThat(small.called(P1)).startsWith(0L).doesNotHaveDuplicates();
	}

	/**
	 * Red when the records behind the failed one lose the attempt that they did not get.
	 */
	@Test
	void recordsBehindTheFailedOneOfABatchKeepTheirAttempts() {
		SteppedEngine batches = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100, 10, false));
		List<Integer> numbers = new ArrayList<>();
		batches.handler = (attempt) -> {
			if (attempt.record().offset() == 0) {
				attempt.failedAt(0, new IllegalStateException("always"));
			}
			else {
				numbers.add(attempt.number());
				attempt.succeeded();
			}
		};
		batches.own(P0);
		batches.produce(P0, 0, 3);
		for (int i = 0; i < 5; i++) {
			batches.pass(Duration.ofSeconds(2));
		}
		assertThat(batches.events).contains("recover 0").doesNotContain("recover 1");
		assertThat(numbers).containsExactly(1);
	}

	@Test
	void keyWhoseHashFailsKeepsTheOrderOfItsPartition() {
		io.evenkeel.kafka.engine.dispatch.LaneKeys keys = new io.evenkeel.kafka.engine.dispatch.LaneKeys(Ordering.KEY,
				(type) -> {
				});
		org.assertj.core.api.Assertions.assertThatIllegalStateException()
			.isThrownBy(() -> keys.laneKey(new Unhashable()));
	}

	private static RecordDeserializationException poison(TopicPartition partition, long offset) {
		return new RecordDeserializationException(DeserializationExceptionOrigin.VALUE, partition, offset, 0,
				TimestampType.CREATE_TIME, null, null, null, "poison", new IllegalArgumentException());
	}

	static final class Unhashable {

		@Override
		public int hashCode() {
			throw new IllegalStateException("no hash");
		}

		@Override
		public boolean equals(Object other) {
			return this == other;
		}

	}

}
