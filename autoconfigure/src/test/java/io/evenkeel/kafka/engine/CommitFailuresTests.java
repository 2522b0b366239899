package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.Map;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Commits that fail in a way that the next one must do differently.
 */
class CommitFailuresTests {

	private SteppedEngine engine = new SteppedEngine();

	/** Red when a commit that was never sent counts as one in flight. */
	@Test
	void aBackgroundCommitThatThrowsIsSentAgain() {
		threeRecords();
		this.engine.calls.forEach(Attempt::succeeded);
		this.engine.consumer.asyncThrows.add(new RebalanceInProgressException("simulated"));
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.consumer.asyncThrows).isEmpty();
		assertThat(this.engine.committed(P0)).isZero();
		this.engine.pass(Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isEqualTo(3);
	}

	/** Red when a hand-over waits for the answer to a commit that was never sent. */
	@Test
	void aHandOverDoesNotWaitForABackgroundCommitThatThrew() {
		threeRecords();
		this.engine.call(P0, 0).succeeded();
		this.engine.consumer.asyncThrows.add(new RebalanceInProgressException("simulated"));
		this.engine.pass(Duration.ofSeconds(1));
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(0)));
		this.engine.call(P0, 1).succeeded();
		this.engine.call(P0, 2).succeeded();
		long start = this.engine.now;
		this.engine.own();
		assertThat(this.engine.committed(P0)).isEqualTo(3);
		assertThat(this.engine.now - start).isLessThan(Duration.ofSeconds(1).toNanos());
	}

	@Test
	void metadataIsShrunkInTheBackgroundUntilTheOffsetIsCommitted() {
		secondOfThreeUnfinished();
		for (int i = 0; i < 15; i++) {
			this.engine.pass(Duration.ofSeconds(1));
		}
		assertThat(this.engine.committed(P0)).isEqualTo(1);
	}

	@Test
	void metadataIsShrunkInAHandOverUntilTheOffsetIsCommitted() {
		secondOfThreeUnfinished();
		this.engine.own();
		assertThat(this.engine.consumer.asyncs).isEmpty();
		assertThat(this.engine.committed(P0)).isEqualTo(1);
	}

	/**
	 * A member of the new protocol is refused as long as its heartbeat has not brought
	 * the new epoch: that may be more than once.
	 */
	@Test
	void handOverInsistsWhenTheNewProtocolRefusesTwice() {
		this.engine = new SteppedEngine(
				Changed.of(SteppedEngine.settings(Ordering.KEY, 8, 100), "consumerProtocol", true));
		threeRecords();
		this.engine.calls.forEach(Attempt::succeeded);
		for (int i = 0; i < 3; i++) {
			this.engine.consumer.commitFailures.add(new CommitFailedException());
		}
		this.engine.own();
		assertThat(this.engine.consumer.syncs).hasSize(4);
		assertThat(this.engine.committed(P0)).isEqualTo(3);
	}

	private void secondOfThreeUnfinished() {
		threeRecords();
		this.engine.call(P0, 0).succeeded();
		this.engine.call(P0, 2).succeeded();
		this.engine.consumer.mostMetadata = 3;
	}

	private void threeRecords() {
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(0)));
		this.engine.own(P0);
		this.engine.produce(P0, 0, 3);
		this.engine.turn();
	}

}
