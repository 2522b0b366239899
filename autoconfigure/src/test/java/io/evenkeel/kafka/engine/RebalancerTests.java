package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.Map;
import java.util.Set;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.offset.OffsetTracker;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static io.evenkeel.kafka.engine.SteppedEngine.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class RebalancerTests {

	private final SteppedEngine engine = new SteppedEngine();

	@Test
	void revokeWaitsForRecordsInHandThenCommitsThenTells() {
		open(P0, 2);
		this.engine.whileWaiting = () -> {
			this.engine.call(P0, 0).succeeded();
			this.engine.call(P0, 1).succeeded();
			this.engine.whileWaiting = () -> {
			};
		};
		this.engine.own();
		assertThat(this.engine.committed(P0)).isEqualTo(2);
		assertThat(this.engine.events).containsSubsequence("ended SUCCESS", "ended SUCCESS",
				"drained 2 dropped 0 abandoned 0", "commit OK", "revoked [t-0]");
	}

	@Test
	void revokeOfAnIdlePartitionWaitsForNothing() {
		this.engine.own(P0, P1);
		open(P1, 1);
		long start = this.engine.now;
		this.engine.own(P1);
		assertThat(this.engine.now).isEqualTo(start);
		assertThat(this.engine.table.get(P1)).isNotNull();
	}

	@Test
	void revokeServesTheOtherPartitionsMeanwhile() {
		this.engine.own(P0, P1);
		open(P0, 1);
		this.engine.produce(P1, 0, "same");
		this.engine.produce(P1, 1, "same");
		this.engine.turn();
		this.engine.whileWaiting = () -> {
			if (this.engine.called(P1).size() == 1) {
				this.engine.call(P1, 0).succeeded();
				this.engine.worker.step();
			}
			else {
				this.engine.call(P0, 0).succeeded();
				this.engine.whileWaiting = () -> {
				};
			}
		};
		this.engine.own(P1);
		assertThat(this.engine.called(P1)).containsExactly(0L, 1L);
	}

	@Test
	void revokeAbandonsAtTheDeadlineAndALateEndIsStale() {
		open(P0, 1);
		long start = this.engine.now;
		this.engine.own();
		assertThat(Duration.ofNanos(this.engine.now - start)).isEqualTo(Duration.ofSeconds(10));
		assertThat(this.engine.events).contains("drained 0 dropped 0 abandoned 1");
		this.engine.own(P0);
		this.engine.calls.get(0).succeeded();
		this.engine.turn();
		assertThat(this.engine.events).contains("stale").doesNotContain("ended SUCCESS");
		assertThat(this.engine.state(P0).assignment().tracker().committable()).isLessThanOrEqualTo(0);
	}

	@Test
	void whatEndsWhileTheClockPassesTheDeadlineStillCounts() {
		open(P0, 1);
		this.engine.whileWaiting = () -> {
			this.engine.now += Duration.ofSeconds(60).toNanos();
			this.engine.call(P0, 0).succeeded();
		};
		this.engine.own();
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(this.engine.events).contains("drained 1 dropped 0 abandoned 0");
	}

	/**
	 * Red when a record whose call has returned is not waited for: it would run twice.
	 */
	@Test
	void revokeWaitsForAnAcknowledgmentThatIsOnItsWay() {
		SteppedEngine covering = covering();
		long start = covering.now;
		covering.whileWaiting = () -> covering.calls.get(0).acknowledge();
		covering.own();
		assertThat(covering.committed(P0)).isEqualTo(1);
		assertThat(Duration.ofNanos(covering.now - start)).isLessThan(Duration.ofMillis(100));
	}

	/** The acknowledgment that would cover the record comes with a later one: never. */
	@Test
	void revokeWaitsForAnAcknowledgmentThatDoesNotComeAMomentOnly() {
		SteppedEngine covering = covering();
		long start = covering.now;
		covering.own();
		assertThat(Duration.ofNanos(covering.now - start)).isEqualTo(Duration.ofSeconds(1));
		assertThat(covering.committed(P0)).isLessThanOrEqualTo(0);
	}

	private static SteppedEngine covering() {
		SteppedEngine covering = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100, 0, true));
		covering.own(P0);
		covering.produce(P0, 0, 1);
		covering.turn();
		covering.call(P0, 0).returned();
		return covering;
	}

	@Test
	void queuedAndParkedRecordsAreDroppedNotWaitedFor() {
		SteppedEngine single = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100));
		single.own(P0);
		single.produce(P0, 0, 5);
		single.turn();
		single.call(P0, 0).failed(new IllegalStateException("again"));
		long start = single.now;
		single.own();
		assertThat(single.now).isEqualTo(start);
		assertThat(single.events).contains("drained 0 dropped 5 abandoned 0");
		single.pass(Duration.ofSeconds(5));
		assertThat(single.called(P0)).containsExactly(0L);
	}

	@Test
	void lostCommitsNothingAndFencesFirst() {
		open(P0, 2);
		this.engine.call(P0, 0).succeeded();
		int syncs = this.engine.consumer.syncs.size();
		int asyncs = this.engine.consumer.asyncs.size();
		this.engine.loop.rebalancer().onPartitionsLost(Set.of(P0));
		this.engine.call(P0, 1).succeeded();
		this.engine.pass(Duration.ofSeconds(2));
		assertThat(this.engine.consumer.syncs).hasSize(syncs);
		assertThat(this.engine.consumer.asyncs).hasSize(asyncs);
		assertThat(this.engine.events).contains("reset LOST 1", "lost [t-0]", "stale").doesNotContain("ended SUCCESS");
	}

	@ParameterizedTest
	@ValueSource(classes = { IllegalStateException.class, AssertionError.class, StackOverflowError.class })
	void whateverTheApplicationThrowsARevokeCommitsAndFences(Class<? extends Throwable> type) {
		open(P0, 1);
		this.engine.call(P0, 0).succeeded();
		this.engine.onRevoke = () -> sneak(type);
		Assignment<?> assignment = this.engine.state(P0).assignment();
		this.engine.own();
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(assignment.isClosed()).isTrue();
		assertThat(this.engine.table.size()).isZero();
		assertThat(this.engine.events).contains("revoked [t-0]");
	}

	@Test
	void whateverTheApplicationThrowsAnAssignedPartitionStarts() {
		this.engine.onAssigned = () -> sneak(AssertionError.class);
		open(P0, 1);
		assertThat(this.engine.called(P0)).containsExactly(0L);
	}

	@Test
	void assignedCallbackThatIsRepeatedLeavesOneLiveAssignment() {
		open(P0, 1);
		Assignment<?> first = this.engine.state(P0).assignment();
		this.engine.loop.rebalancer().onPartitionsAssigned(Set.of(P0));
		assertThat(first.isClosed()).isTrue();
		assertThat(this.engine.table.size()).isEqualTo(1);
		assertThat(this.engine.state(P0).assignment().epoch()).isGreaterThan(first.epoch());
	}

	@Test
	void partitionWaitsUntilItsCommittedOffsetCouldBeRead() {
		this.engine.consumer.committedFailures.add(new TimeoutException("no answer"));
		this.engine.consumer.committedFailures.add(new TimeoutException("no answer"));
		this.engine.own(P0);
		assertThat(this.engine.consumer.paused()).containsExactly(P0);
		assertThat(this.engine.events).contains("assigned [t-0]");
		this.engine.produce(P0, 0, 1);
		this.engine.loop.doWork();
		assertThat(this.engine.consumer.paused()).containsExactly(P0);
		this.engine.turn();
		assertThat(this.engine.called(P0)).containsExactly(0L);
	}

	@Test
	void readThatFailsForGoodFailsTheNextTurnNotTheCallback() {
		this.engine.consumer.committedFailures.add(new GroupAuthorizationException("g"));
		this.engine.consumer.committedFailures.add(new GroupAuthorizationException("g"));
		this.engine.own(P0);
		assertThat(this.engine.events).contains("assigned [t-0]");
		assertThatExceptionOfType(GroupAuthorizationException.class).isThrownBy(this.engine.loop::doWork);
	}

	@Test
	void newOwnerSkipsWhatWasCompletedOutOfOrder() {
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(1, mapOf(4, 2))));
		this.engine.handler = Attempt::succeeded;
		this.engine.own(P0);
		this.engine.produce(P0, 1, 4);
		this.engine.turn();
		assertThat(this.engine.called(P0)).doesNotContain(2L).contains(1L, 3L, 4L);
	}

	@ParameterizedTest
	@ValueSource(strings = { "somebody else's", "ek1:AAAA", "ek9:abc", "ek1:!!!" })
	void metadataThatIsNotOursIsIgnoredAndCounted(String metadata) {
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(1, metadata)));
		open(P0, 1, 1);
		assertThat(this.engine.called(P0)).containsExactly(1L);
		assertThat(this.engine.events.stream().filter("metadata ignored"::equals)).hasSize(1);
	}

	@Test
	void hugeMetadataIsIgnoredAndCounted() {
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(1, "ek1:" + "A".repeat(1 << 17))));
		open(P0, 1, 1);
		assertThat(this.engine.called(P0)).containsExactly(1L);
		assertThat(this.engine.events).contains("metadata ignored");
	}

	@Test
	void positionIsCommittedWhereNothingWasCommittedYet() {
		this.engine.own(P0);
		this.engine.pass(Duration.ofSeconds(2));
		assertThat(this.engine.committed(P0)).isZero();
	}

	@Test
	void stopDrainsWhilePollingPaused() {
		open(P0, 1);
		this.engine.produce(P0, 1, 5);
		this.engine.loop.stop(this.engine.now + Duration.ofSeconds(10).toNanos());
		this.engine.turn();
		assertThat(this.engine.loop.isDrained()).isFalse();
		assertThat(this.engine.consumer.paused()).containsExactly(P0);
		this.engine.call(P0, 0).succeeded();
		assertThat(this.engine.loop.isDrained()).isTrue();
		this.engine.loop.close(Duration.ofSeconds(1));
		assertThat(this.engine.called(P0)).containsExactly(0L);
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(this.engine.consumer.closed()).isTrue();
		assertThat(this.engine.events.stream().filter("revoked [t-0]"::equals)).hasSize(1);
	}

	/** The owner polls on while it stops: red when only its last moment is counted. */
	@Test
	void aStopCountsWhatEndedSinceItBegan() {
		open(P0, 2);
		this.engine.loop.stop(this.engine.now + Duration.ofSeconds(10).toNanos());
		this.engine.call(P0, 0).succeeded();
		this.engine.call(P0, 1).succeeded();
		this.engine.turn();
		this.engine.loop.close(Duration.ofSeconds(1));
		assertThat(this.engine.events).contains("drained 2 dropped 0 abandoned 0");
	}

	/** Red when all that a worker has taken along counts as in hand. */
	@Test
	void recordsThatAWorkerDoesNotBeginAreDropped() {
		SteppedEngine single = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100));
		single.own(P0);
		single.produce(P0, 0, 5);
		// Inside the first of five records, which ends too late.
		single.handler = (attempt) -> single.own();
		single.turn();
		assertThat(single.events).contains("drained 0 dropped 4 abandoned 1");
	}

	@Test
	void partitionThatComesDuringAStopDoesNotStart() {
		open(P0, 1);
		this.engine.loop.stop(this.engine.now + Duration.ofSeconds(10).toNanos());
		this.engine.own(P0, P1);
		this.engine.produce(P1, 0, 3);
		this.engine.turn();
		assertThat(this.engine.called(P1)).isEmpty();
		this.engine.call(P0, 0).succeeded();
		this.engine.loop.close(Duration.ofSeconds(1));
		assertThat(this.engine.committed(P1)).isEqualTo(-1);
		assertThat(this.engine.table.size()).isZero();
	}

	@Test
	void consumerThatFailedSavesWhatIsDone() {
		open(P0, 2);
		this.engine.call(P0, 0).succeeded();
		long start = this.engine.now;
		this.engine.loop.abandon(Duration.ZERO, Duration.ofSeconds(1));
		assertThat(this.engine.now).isEqualTo(start);
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(this.engine.table.size()).isZero();
	}

	@Test
	void consumerThatFailedWaitsSoLongForWhatIsInHand() {
		open(P0, 2);
		this.engine.whileWaiting = () -> {
			this.engine.call(P0, 0).succeeded();
			this.engine.whileWaiting = () -> {
			};
		};
		long start = this.engine.now;
		this.engine.loop.abandon(Duration.ofMillis(300), Duration.ofSeconds(1));
		assertThat(Duration.ofNanos(this.engine.now - start)).isEqualTo(Duration.ofMillis(300));
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(this.engine.events).contains("drained 1 dropped 0 abandoned 1");
	}

	/**
	 * A worker is not stopped by the failure: it may end one record after the other until
	 * the assignments are. Red when what has ended is looked at before they stop only:
	 * then any number of records would run twice.
	 */
	@Test
	void whatEndsBeforeTheWorkersStopIsSavedWhenTheConsumerFails() {
		open(P0, 2);
		this.engine.call(P0, 0).succeeded();
		this.engine.onEnded = () -> {
			this.engine.onEnded = () -> {
			};
			this.engine.call(P0, 1).succeeded();
		};
		this.engine.loop.abandon(Duration.ZERO, Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isEqualTo(2);
	}

	@Test
	void memberThatWasFencedLosesItsPartitionsAndCommitsNothing() {
		open(P0, 2);
		this.engine.call(P0, 0).succeeded();
		this.engine.loop.fenced();
		this.engine.loop.abandon(Duration.ZERO, Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isEqualTo(-1);
		assertThat(this.engine.events).contains("reset FENCED 1", "lost [t-0]").doesNotContain("revoked [t-0]");
		assertThat(this.engine.table.size()).isZero();
	}

	@Test
	void seekInsideARevokeLeavesNothingBehind() {
		open(P0, 1);
		this.engine.call(P0, 0).succeeded();
		this.engine.onRevoke = () -> this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 0));
		this.engine.own();
		assertThat(this.engine.table.size()).isZero();
		assertThat(this.engine.committed(P0)).isEqualTo(1);
	}

	@Test
	void secondRebalanceFindsCleanState() {
		open(P0, 1);
		this.engine.own(P1);
		this.engine.own(P0);
		this.engine.own(P0, P1);
		this.engine.produce(P0, 0, 1);
		this.engine.produce(P1, 0, 1);
		this.engine.turn();
		assertThat(this.engine.table.size()).isEqualTo(2);
		assertThat(this.engine.called(P0)).containsExactly(0L, 0L);
		assertThat(this.engine.called(P1)).containsExactly(0L);
	}

	private void open(org.apache.kafka.common.TopicPartition partition, int records) {
		open(partition, 0, records);
	}

	private void open(org.apache.kafka.common.TopicPartition partition, long from, int records) {
		if (!this.engine.consumer.assignment().contains(partition)) {
			this.engine.own(partition);
		}
		this.engine.produce(partition, from, records);
		this.engine.turn();
	}

	/**
	 * The metadata of a commit at 1 by an owner that has completed one record above it.
	 */
	private static String mapOf(int records, long completed) {
		OffsetTracker tracker = new OffsetTracker();
		for (long offset = 1; offset <= records; offset++) {
			tracker.begin(offset, 0);
		}
		tracker.complete(completed - 1);
		return tracker.commitPoint(4096).metadata();
	}

	private static void sneak(Class<? extends Throwable> type) {
		if (type == IllegalStateException.class) {
			throw new KafkaException("simulated");
		}
		if (type == StackOverflowError.class) {
			throw new StackOverflowError("simulated");
		}
		throw new AssertionError("simulated");
	}

}
