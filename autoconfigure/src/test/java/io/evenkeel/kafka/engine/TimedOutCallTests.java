package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * A call that took longer than it may has failed, however it ends.
 */
class TimedOutCallTests {

	private final SteppedEngine engine = new SteppedEngine();

	/** Red when a call that swallows the interrupt counts as a success. */
	@Test
	void aCallThatReturnsAllTheSameIsMadeAgain() {
		this.engine.handler = (attempt) -> {
			interrupt(attempt.number() == 1);
			attempt.succeeded();
		};
		run();
		assertThat(this.engine.called(P0)).containsExactly(0L, 0L);
		assertThat(this.engine.events).contains("retried 0: HandlerTimeoutException", "ended SUCCESS");
	}

	@Test
	void whatItFailedWithIsTheCause() {
		List<Throwable> failures = new ArrayList<>();
		this.engine.recoverer = (recovery) -> {
			failures.add(recovery.failure());
			recovery.ended(RecordHandler.Recovery.SKIPPED);
		};
		this.engine.handler = (attempt) -> {
			interrupt(true);
			attempt.failed(new IllegalStateException("interrupted"));
		};
		run();
		assertThat(failures).singleElement()
			.isInstanceOf(HandlerTimeoutException.class)
			.extracting(Throwable::getCause)
			.isInstanceOf(IllegalStateException.class);
	}

	@Test
	void aCallThatReturnsWithoutAnAcknowledgmentIsMadeAgain() {
		this.engine.handler = (attempt) -> {
			interrupt(attempt.number() == 1);
			attempt.returned();
			if (attempt.number() == 2) {
				attempt.acknowledge();
			}
		};
		run();
		assertThat(this.engine.called(P0)).containsExactly(0L, 0L);
	}

	@Test
	void oneThatHasAcknowledgedIsDone() {
		this.engine.handler = (attempt) -> {
			attempt.acknowledge();
			interrupt(true);
			attempt.returned();
		};
		run();
		assertThat(this.engine.called(P0)).containsExactly(0L);
		assertThat(this.engine.committed(P0)).isEqualTo(1);
	}

	private void interrupt(boolean wanted) {
		if (wanted) {
			this.engine.worker.running((call, thread) -> assertThat(call.timeOut(thread)).isTrue());
			assertThat(Thread.interrupted()).isTrue();
		}
	}

	private void run() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		for (int i = 0; i < 5; i++) {
			this.engine.pass(Duration.ofSeconds(2));
		}
	}

}
