package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * A call has failed, and its record is acknowledged by another thread while it waits for
 * its next call: it has ended, and what waits beside it is none the worse for it.
 */
class AcknowledgedMeanwhileTests {

	private final SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 1, 100));

	private final List<Attempt<String, String>> failed = new ArrayList<>();

	/**
	 * Red when the record is taken out of the lane's list together with all behind it.
	 */
	@Test
	void nothingBehindItIsForgotten() {
		failsAt(2);
		this.engine.own(P0);
		this.engine.produce(P0, 0, 6);
		this.engine.turn();
		this.failed.get(0).acknowledge();
		this.engine.settle();
		assertThat(this.engine.called(P0)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
		assertThat(this.engine.committed(P0)).isEqualTo(6);
	}

	@Test
	void whatHasEndedBeforeItIsNotForgottenEither() {
		failsAt(0);
		this.engine.own(P0);
		this.engine.produce(P0, 0, 2);
		this.engine.turn();
		this.failed.get(0).acknowledge();
		// Before the owner has looked at what ended, the lane goes on.
		while (this.engine.worker.step()) {
			Thread.onSpinWait();
		}
		this.engine.settle();
		assertThat(this.engine.committed(P0)).isEqualTo(2);
	}

	@Test
	void whenItIsTheLastOneItsLaneIsFree() {
		failsAt(0);
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		this.failed.get(0).acknowledge();
		this.engine.pass(Duration.ofSeconds(5));
		this.engine.produce(P0, 1, 1);
		this.engine.settle();
		assertThat(this.engine.called(P0)).containsExactly(0L, 1L);
		assertThat(this.engine.committed(P0)).isEqualTo(2);
		assertThat(this.engine.dispatcher.used()).isZero();
		assertThat(this.engine.dispatcher.load(this.engine.state(P0).assignment()).queued()).isZero();
	}

	@Test
	void aHandOverCountsItAsEnded() {
		failsAt(0);
		this.engine.own(P0);
		this.engine.produce(P0, 0, 2);
		this.engine.turn();
		this.failed.get(0).acknowledge();
		this.engine.own();
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(this.engine.events).contains("drained 0 dropped 1 abandoned 0");
	}

	private void failsAt(long offset) {
		this.engine.handler = (attempt) -> {
			if (attempt.record().offset() == offset) {
				this.failed.add(attempt);
				attempt.failed(new IllegalStateException("always"));
			}
			else {
				attempt.succeeded();
			}
		};
	}

}
