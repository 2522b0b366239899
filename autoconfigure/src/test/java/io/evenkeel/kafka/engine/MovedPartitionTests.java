package io.evenkeel.kafka.engine;

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

}
