package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.Map;
import java.util.Set;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.IllegalGenerationException;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static io.evenkeel.kafka.engine.SteppedEngine.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class CommitterTests {

	private final SteppedEngine engine = new SteppedEngine();

	/** Nothing of it is queued or in hand any more: only its end is news. */
	@Test
	void whatIsAcknowledgedLaterIsCommitted() {
		this.engine.handler = Attempt::returned;
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isZero();
		this.engine.calls.get(0).acknowledge();
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(1);
	}

	/** A turn looks at what has changed: here nothing changes any more. */
	@Test
	void whatAFailedCommitWasAboutIsCommittedWithoutAFurtherRecord() {
		this.engine.handler = Attempt::succeeded;
		this.engine.own(P0);
		this.engine.settle();
		this.engine.consumer.commitFailures.add(new RetriableCommitFailedException("simulated"));
		this.engine.consumer.asyncThrows.add(new RebalanceInProgressException());
		this.engine.produce(P0, 0, 2);
		this.engine.settle();
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(2);
	}

	@Test
	void nothingIsCommittedBeforeTheInterval() {
		threeDone();
		this.engine.turn();
		assertThat(this.engine.committed(P0)).isZero();
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isEqualTo(3);
	}

	@Test
	void commitNeverPassesAnUnfinishedRecord() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 3);
		this.engine.turn();
		this.engine.call(P0, 0).succeeded();
		this.engine.call(P0, 2).succeeded();
		this.engine.pass(Duration.ofSeconds(2));
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(this.engine.consumer.stored.get(P0).metadata()).startsWith("ek1:");
	}

	@ParameterizedTest
	@ValueSource(classes = { RebalanceInProgressException.class, CommitFailedException.class,
			StaleMemberEpochException.class, RetriableCommitFailedException.class, TimeoutException.class,
			UnknownMemberIdException.class, IllegalGenerationException.class })
	void backgroundCommitThatFailsIsSuperseded(Class<? extends RuntimeException> failure) throws Exception {
		threeDone();
		this.engine.consumer.commitFailures.add(make(failure));
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isZero();
		assertThat(this.engine.state(P0).committedOffset()).isZero();
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isEqualTo(3);
		assertThat(this.engine.events).doesNotContain("reset FENCED 1");
	}

	@Test
	void commitRefusedWhileStillOwnerKeepsTheState() {
		threeDone();
		long epoch = this.engine.state(P0).assignment().epoch();
		this.engine.consumer.commitFailures.add(new CommitFailedException());
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.state(P0).assignment().epoch()).isEqualTo(epoch);
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isEqualTo(3);
	}

	@Test
	void commitRefusedResetsWhatIsNotOwnedAnyMoreAndTellsTheApplication() {
		this.engine.own(P0, P1);
		this.engine.produce(P0, 0, 1);
		this.engine.produce(P1, 0, 1);
		this.engine.turn();
		this.engine.call(P0, 0).succeeded();
		this.engine.consumer.commitFailures.add(new CommitFailedException());
		this.engine.consumer.reportedAssignment = Set.of(P0);
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.table.get(P1)).isNull();
		assertThat(this.engine.table.get(P0)).isNotNull();
		assertThat(this.engine.events).contains("reset FENCED 1", "lost [t-1]");
		this.engine.call(P1, 0).succeeded();
		this.engine.turn();
		assertThat(this.engine.events).contains("stale");
	}

	@Test
	void onlyOneBackgroundCommitIsInFlight() {
		threeDone();
		this.engine.consumer.holdAnswers = true;
		this.engine.pass(Duration.ofSeconds(1));
		this.engine.produce(P0, 3, 1);
		this.engine.turn();
		this.engine.call(P0, 3).succeeded();
		int sent = this.engine.consumer.asyncs.size();
		this.engine.pass(Duration.ofSeconds(5));
		assertThat(this.engine.consumer.asyncs).hasSize(sent);
		assertThat(this.engine.state(P0).committedOffset()).isZero();
		this.engine.consumer.holdAnswers = false;
		this.engine.consumer.answer.run();
		assertThat(this.engine.state(P0).committedOffset()).isEqualTo(3);
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isEqualTo(4);
	}

	@Test
	void answerThatComesAfterTheAssignmentIsGoneChangesNothing() {
		threeDone();
		this.engine.consumer.holdAnswers = true;
		this.engine.pass(Duration.ofSeconds(1));
		Runnable answer = this.engine.consumer.answer;
		this.engine.consumer.answer = null;
		this.engine.loop.rebalancer().onPartitionsLost(Set.of(P0));
		this.engine.loop.rebalancer().onPartitionsAssigned(Set.of(P0));
		answer.run();
		assertThat(this.engine.state(P0).committedOffset()).isZero();
	}

	@Test
	void commitInFlightOfAReplacedAssignmentIsAnsweredBeforeTheHandOver() {
		threeDone();
		this.engine.consumer.holdAnswers = true;
		this.engine.pass(Duration.ofSeconds(1));
		this.engine.loop.rebalancer().onPartitionsAssigned(Set.of(P0));
		// Nothing has been fetched for the new one: it has nothing of its own to commit.
		this.engine.consumer.seek(P0, 0);
		this.engine.own();
		assertThat(this.engine.consumer.answer).isNull();
	}

	@Test
	void fencedInstanceIsFatalInTheBackground() {
		threeDone();
		this.engine.consumer.commitFailures.add(new FencedInstanceIdException("fenced"));
		assertThatExceptionOfType(FencedInstanceIdException.class)
			.isThrownBy(() -> this.engine.pass(Duration.ofSeconds(1)));
	}

	@Test
	void unknownErrorFailsTheConsumer() {
		threeDone();
		this.engine.consumer.commitFailures.add(new GroupAuthorizationException("g"));
		assertThatExceptionOfType(GroupAuthorizationException.class)
			.isThrownBy(() -> this.engine.pass(Duration.ofSeconds(1)));
	}

	@Test
	void metadataThatIsTooLargeIsShrunkUntilItFits() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 3);
		this.engine.turn();
		this.engine.call(P0, 1).succeeded();
		this.engine.call(P0, 2).succeeded();
		this.engine.produce(P0, 3, 1);
		for (int i = 0; i < 13; i++) {
			this.engine.consumer.commitFailures.add(new OffsetMetadataTooLarge("too large"));
		}
		this.engine.own();
		assertThat(this.engine.consumer.commitFailures).hasSizeLessThan(13);
		assertThat(this.engine.events).contains("revoked [t-0]");
	}

	@ParameterizedTest
	@ValueSource(classes = { RebalanceInProgressException.class, CommitFailedException.class, TimeoutException.class,
			WakeupException.class })
	void handOverCommitsAgainWhileTimeRemains(Class<? extends RuntimeException> failure) throws Exception {
		threeDone();
		this.engine.consumer.commitFailures.add(make(failure));
		this.engine.own();
		assertThat(this.engine.committed(P0)).isEqualTo(3);
		assertThat(this.engine.consumer.syncs).hasSize(2);
	}

	@Test
	void handOverGivesUpAtTheCommitTimeout() {
		threeDone();
		for (int i = 0; i < 1000; i++) {
			this.engine.consumer.commitFailures.add(new RebalanceInProgressException());
		}
		long start = this.engine.now;
		this.engine.own();
		assertThat(Duration.ofNanos(this.engine.now - start)).isBetween(Duration.ofSeconds(5), Duration.ofMillis(5100));
		assertThat(this.engine.committed(P0)).isZero();
		assertThat(this.engine.table.size()).isZero();
	}

	@Test
	void handOverDoesNotInsistWhenTheClassicGroupRefusesTwice() {
		threeDone();
		for (int i = 0; i < 10; i++) {
			this.engine.consumer.commitFailures.add(new CommitFailedException());
		}
		this.engine.own();
		assertThat(this.engine.consumer.syncs).hasSize(2);
	}

	@ParameterizedTest
	@ValueSource(classes = { KafkaException.class, FencedInstanceIdException.class })
	void handOverGoesOnWhenTheCommitFailsForGood(Class<? extends RuntimeException> failure) throws Exception {
		threeDone();
		this.engine.consumer.commitFailures.add(make(failure));
		this.engine.own();
		assertThat(this.engine.consumer.syncs).hasSize(1);
		assertThat(this.engine.events).contains("revoked [t-0]");
	}

	@Test
	void withoutAGroupNothingIsCommitted() {
		EngineSettings with = SteppedEngine.settings(Ordering.KEY, 1, 10);
		SteppedEngine alone = new SteppedEngine(new EngineSettings(with.ordering(), 1, 0, 10, with.maxPendingBytes(),
				with.commitInterval(), with.commitTimeout(), false, with.drainTimeout(), with.onDrainTimeout(),
				with.pollTimeout(), with.retry(), false, false, false, false));
		alone.handler = Attempt::succeeded;
		alone.own(P0);
		alone.produce(P0, 0, 2);
		alone.pass(Duration.ofSeconds(3));
		alone.own();
		assertThat(alone.called(P0)).containsExactly(0L, 1L);
		assertThat(alone.consumer.asyncs).isEmpty();
		assertThat(alone.consumer.syncs).isEmpty();
	}

	private void threeDone() {
		this.engine.consumer.store(Map.of(P0, new org.apache.kafka.clients.consumer.OffsetAndMetadata(0)));
		this.engine.handler = (attempt) -> {
		};
		this.engine.own(P0);
		this.engine.produce(P0, 0, 3);
		this.engine.turn();
		for (long offset = 0; offset < 3; offset++) {
			this.engine.call(P0, offset).succeeded();
		}
	}

	private static RuntimeException make(Class<? extends RuntimeException> type) throws Exception {
		try {
			return type.getConstructor(String.class).newInstance("simulated");
		}
		catch (NoSuchMethodException ex) {
			return type.getConstructor().newInstance();
		}
	}

}
