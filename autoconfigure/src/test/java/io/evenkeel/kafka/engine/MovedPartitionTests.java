package io.evenkeel.kafka.engine;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Seeks while records are in hand.
 */
class MovedPartitionTests {

	private final SteppedEngine engine = new SteppedEngine();

	/** Red when the second seek only waits for what the first one has made. */
	@Test
	void twoSeeksWithARecordInHandWaitForThatRecord() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		for (int i = 0; i < 2; i++) {
			this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 0));
			this.engine.produce(P0, 0, 1);
			this.engine.turn();
			assertThat(this.engine.called(P0)).containsExactly(0L);
		}
		this.engine.calls.get(0).succeeded();
		this.engine.turn();
		assertThat(this.engine.called(P0)).containsExactly(0L, 0L);
	}

	/**
	 * A log that was cut off behind records that wait has not lost them: red when they go
	 * with the state, and what is committed passes them.
	 */
	@Test
	void aLogThatIsCutOffBehindWaitingRecordsKeepsThem() {
		SteppedEngine single = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100));
		single.own(P0);
		single.produce(P0, 0, 10);
		single.turn();
		assertThat(single.called(P0)).containsExactly(0L);
		// What a reset of the client's does, which tells nobody.
		single.consumer.seek(P0, 6);
		single.produce(P0, 6, 4);
		single.turn();
		assertThat(single.consumer.position(P0)).isZero();
		single.produce(P0, 0, 10);
		single.turn();
		assertThat(single.called(P0)).as("the first one is still in hand").containsExactly(0L);
		single.call(P0, 0).succeeded();
		single.handler = Attempt::succeeded;
		single.settle();
		assertThat(single.called(P0)).containsExactly(0L, 0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
		assertThat(single.committed(P0)).isEqualTo(10);
	}

}
