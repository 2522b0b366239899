package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RestartBackOffTests {

	private final RestartBackOff backOff = new RestartBackOff(Duration.ofSeconds(1), Duration.ofSeconds(30));

	private long now = -5_000_000_000L;

	@Test
	void doublesWithEachFailureUpToTheMost() {
		List<Long> seconds = new ArrayList<>();
		for (int i = 0; i < 100; i++) {
			seconds.add(fail().toSeconds());
		}
		assertThat(seconds).startsWith(1L, 2L, 4L, 8L, 16L, 30L, 30L).endsWith(30L);
	}

	@Test
	void beginsAnewAfterAMinuteOfHealth() {
		fail();
		fail();
		pass(Duration.ofSeconds(61));
		assertThat(fail()).isEqualTo(Duration.ofSeconds(1));
		assertThat(fail()).isEqualTo(Duration.ofSeconds(2));
	}

	@Test
	void goesOnAfterLessThanAMinuteOfHealth() {
		fail();
		fail();
		pass(Duration.ofSeconds(59));
		assertThat(fail()).isEqualTo(Duration.ofSeconds(4));
		// Each failure begins another minute.
		pass(Duration.ofSeconds(59));
		assertThat(fail()).isEqualTo(Duration.ofSeconds(8));
	}

	private Duration fail() {
		return this.backOff.next(this.now);
	}

	private void pass(Duration time) {
		this.now += time.toNanos();
		this.backOff.healthy(this.now);
	}

}
