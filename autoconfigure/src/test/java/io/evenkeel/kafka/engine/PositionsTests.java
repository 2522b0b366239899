package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.Map;
import java.util.Set;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.offset.CompletedOffsets;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * When the consumer's position may be taken for what is done, and when not.
 */
class PositionsTests {

	private final SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100));

	/**
	 * Records that a poll brings to what is being handed over are never begun: red when
	 * the position behind them is committed.
	 */
	@Test
	void whatAStoppingPartitionFetchesIsNotCommitted() {
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(0)));
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		this.engine.loop.stop(this.engine.now + Duration.ofSeconds(10).toNanos());
		// Fetched before the pause of the stop took effect.
		this.engine.consumer.resume(Set.of(P0));
		this.engine.produce(P0, 1, 3);
		this.engine.consumer.poll(Duration.ZERO);
		assertThat(this.engine.consumer.position(P0)).isEqualTo(4);
		this.engine.call(P0, 0).succeeded();
		this.engine.pass(Duration.ofSeconds(2));
		this.engine.loop.close(Duration.ofSeconds(1));
		assertThat(this.engine.committed(P0)).isEqualTo(1);
	}

	/**
	 * As long as the committed offset is not known, what the previous owner has completed
	 * is not known either: red when the position is taken for done all the same.
	 */
	@Test
	void thePositionIsNotLearnedBeforeTheCommittedOffsetWasRead() {
		this.engine.consumer.store(Map.of(P0, new OffsetAndMetadata(2)));
		for (int i = 0; i < 1000; i++) {
			this.engine.consumer.committedFailures.add(new TimeoutException("simulated"));
		}
		this.engine.own(P0);
		this.engine.consumer.seek(P0, 7);
		this.engine.table.view().forEach((state) -> state.assignment().tracker().position(0));
		this.engine.pass(Duration.ofSeconds(2));
		assertThat(this.engine.state(P0).isRestored()).isFalse();
		assertThat(this.engine.state(P0).assignment().tracker().position()).isZero();
	}

	/** A position below the committed offset is no reason to commit it. */
	@Test
	void aCommitNeverGoesBackWithinAnAssignment() {
		PartitionState<String, String> state = new PartitionState<>(P0, new Assignment<>("t", 0, 1),
				new ChangedStates<>());
		state.restore(10, "", CompletedOffsets.decode(null, 10));
		state.assignment().tracker().position(7);
		assertThat(state.toCommit(true)).isNull();
		state.assignment().tracker().position(11);
		assertThat(state.toCommit(true).offset()).isEqualTo(11);
	}

}
