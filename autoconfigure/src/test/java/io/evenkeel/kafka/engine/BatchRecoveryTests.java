package io.evenkeel.kafka.engine;

import java.time.Duration;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static org.assertj.core.api.Assertions.assertThat;

class BatchRecoveryTests {

	/** Red when what was recovered before the failure is recovered again after it. */
	@Test
	void aRecoveryThatFailsInTheMidstOfABatchGoesOnThere() {
		SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100, 10, false));
		engine.handler = (attempt) -> attempt.exhausted(new IllegalStateException("always"));
		engine.unrecoverable.add(1L);
		engine.own(P0);
		engine.produce(P0, 0, 3);
		engine.settle();
		assertThat(engine.events).contains("recover 0", "not recovered 1").doesNotContain("recover 1");
		engine.unrecoverable.clear();
		for (int i = 0; i < 5; i++) {
			engine.pass(Duration.ofSeconds(30));
		}
		assertThat(engine.events.stream().filter((event) -> event.startsWith("recover "))).containsExactly("recover 0",
				"recover 1", "recover 2");
		assertThat(engine.committed(P0)).isEqualTo(3);
	}

	/** Red when a recovery does not look whether its record has ended meanwhile. */
	@Test
	void whatIsAcknowledgedWhileItsRecoveryWaitsIsNotRecovered() {
		SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100, 10, false));
		engine.handler = (attempt) -> attempt.exhausted(new IllegalStateException("always"));
		engine.unrecoverable.add(1L);
		engine.own(P0);
		engine.produce(P0, 0, 3);
		engine.settle();
		engine.calls.get(0).acknowledge(1);
		engine.unrecoverable.clear();
		for (int i = 0; i < 5; i++) {
			engine.pass(Duration.ofSeconds(30));
		}
		assertThat(engine.events.stream().filter((event) -> event.startsWith("recover "))).containsExactly("recover 0",
				"recover 2");
		assertThat(engine.committed(P0)).isEqualTo(3);
	}

}
