package io.evenkeel.kafka.engine;

import java.util.Map;
import java.util.concurrent.CompletableFuture;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static io.evenkeel.kafka.engine.SteppedEngine.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Commits that the application asks for with the consumer it was given.
 */
class UserCommitsTests {

	/**
	 * The listener acknowledges by hand, with the consumer in place of the
	 * acknowledgment.
	 */
	@Test
	void whereItAcknowledgesByHandACommitSaysWhatIsDone() {
		SteppedEngine engine = manual();
		CompletableFuture<Void> result = commit(engine, P0, 3, true);
		assertThat(result).isCompleted();
		assertThat(engine.committed(P0)).isEqualTo(3);
		commit(engine, P0, 5, true);
		assertThat(engine.committed(P0)).isEqualTo(5);
	}

	@Test
	void neverBeyondARecordThatHasNotEnded() {
		SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.KEY, 8, 100));
		engine.own(P0);
		engine.produce(P0, 0, 5);
		engine.turn();
		engine.call(P0, 0).succeeded();
		engine.call(P0, 2).succeeded();
		CompletableFuture<Void> result = commit(engine, P0, 5, true);
		assertThat(result).isCompleted();
		assertThat(engine.committed(P0)).isEqualTo(1);
	}

	@Test
	void whatIsNotHereIsNotCommitted() {
		SteppedEngine engine = manual();
		CompletableFuture<Void> result = commit(engine, P1, 3, true);
		assertThatThrownBy(result::join).hasCauseInstanceOf(CommitFailedException.class);
		assertThat(engine.committed(P1)).isEqualTo(-1);
	}

	/** Red when it waits for the interval, or holds the owner until it is answered. */
	@Test
	void oneThatNobodyWaitsForIsSentWithTheNextTurn() {
		SteppedEngine engine = manual();
		engine.turn();
		engine.consumer.holdAnswers = true;
		CompletableFuture<Void> result = commit(engine, P0, 2, false);
		engine.loop.doWork();
		assertThat(engine.consumer.asyncs).isNotEmpty();
		assertThat(result).isNotDone();
		engine.consumer.answer.run();
		assertThat(result).isCompleted();
		assertThat(engine.committed(P0)).isEqualTo(2);
	}

	@Test
	void theFailureIsTold() {
		SteppedEngine engine = manual();
		engine.turn();
		engine.consumer.commitFailures.add(new TimeoutException("simulated"));
		CompletableFuture<Void> result = commit(engine, P0, 2, false);
		engine.loop.doWork();
		assertThatThrownBy(result::join).hasCauseInstanceOf(TimeoutException.class);
	}

	@Test
	void aCommitOfWhatWasRevokedFails() {
		SteppedEngine engine = manual();
		engine.turn();
		engine.consumer.holdAnswers = true;
		CompletableFuture<Void> result = commit(engine, P0, 2, false);
		engine.loop.doWork();
		engine.own(P1);
		engine.consumer.holdAnswers = false;
		engine.turn();
		assertThat(result).isDone();
	}

	private static SteppedEngine manual() {
		SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 2, 100, 0, true));
		engine.handler = Attempt::returned;
		engine.own(P0);
		engine.produce(P0, 0, 5);
		engine.turn();
		return engine;
	}

	private static CompletableFuture<Void> commit(SteppedEngine engine, TopicPartition partition, long offset,
			boolean wait) {
		CompletableFuture<Void> result = new CompletableFuture<>();
		engine.loop.userCommits().add(Map.of(partition, new OffsetAndMetadata(offset)), wait, result);
		engine.loop.userCommits().commit();
		return result;
	}

}
