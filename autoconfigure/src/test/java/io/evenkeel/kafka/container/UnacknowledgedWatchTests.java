package io.evenkeel.kafka.container;

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
		Assertions.assertThat(this.watch.look(snapshot(59, 1))).isFalse();
		Assertions.assertThat(this.watch.look(snapshot(61, 1))).isTrue();
		Assertions.assertThat(this.watch.look(snapshot(62, 1))).isFalse();
	}

	@Test
	void recordsThatOnlyWaitForTheirTurnAreNotMeant() {
		Assertions.assertThat(this.watch.look(snapshot(61, 0))).isFalse();
	}

	private static EngineSnapshot snapshot(long ageSeconds, int inFlight) {
		long now = Duration.ofSeconds(1000).toNanos();
		return new EngineSnapshot(now, "", 1, 0, 0, List.of(new EngineSnapshot.Partition(new TopicPartition("topic", 0),
				1, 10, 5, 0, 3, inFlight, 0, now - Duration.ofSeconds(ageSeconds).toNanos(), false, false)));
	}

}
