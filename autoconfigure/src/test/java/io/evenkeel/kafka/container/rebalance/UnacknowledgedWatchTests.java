package io.evenkeel.kafka.container.rebalance;

import java.time.Duration;
import java.util.List;

import io.evenkeel.kafka.engine.EngineSnapshot;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

/**
 * The warning about records that nobody acknowledges.
 */
class UnacknowledgedWatchTests {

	private final UnacknowledgedWatch watch = new UnacknowledgedWatch("listener", Duration.ofSeconds(60));

	@Test
	void aRecordThatWaitsForLongIsSaidOnce() {
		Assertions.assertThat(this.watch.look(snapshot(0, 5, 1))).isFalse();
		Assertions.assertThat(this.watch.look(snapshot(59, 5, 1))).isFalse();
		Assertions.assertThat(this.watch.look(snapshot(61, 5, 1))).isTrue();
		Assertions.assertThat(this.watch.look(snapshot(62, 5, 1))).isFalse();
	}

	@Test
	void recordsThatOnlyWaitForTheirTurnAreNotMeant() {
		Assertions.assertThat(this.watch.look(snapshot(0, 5, 0))).isFalse();
		Assertions.assertThat(this.watch.look(snapshot(61, 5, 0))).isFalse();
	}

	@Test
	void theTimeBeforeTheCallDoesNotCount() {
		Assertions.assertThat(this.watch.look(snapshot(0, -600, 1))).isFalse();
		Assertions.assertThat(this.watch.look(snapshot(50, -500, 1))).isFalse();
		Assertions.assertThat(this.watch.look(snapshot(100, -400, 1))).isFalse();
		Assertions.assertThat(this.watch.look(snapshot(161, -400, 1))).isTrue();
	}

	private static EngineSnapshot snapshot(long atSeconds, long arrivedSeconds, int inFlight) {
		return new EngineSnapshot(nanos(atSeconds), "", 1, 0, 0,
				List.of(new EngineSnapshot.Partition(new TopicPartition("topic", 0), 1, 10, 5, 0, 3, inFlight, 0,
						nanos(arrivedSeconds), false, false)));
	}

	private static long nanos(long seconds) {
		return Duration.ofSeconds(1000 + seconds).toNanos();
	}

}
