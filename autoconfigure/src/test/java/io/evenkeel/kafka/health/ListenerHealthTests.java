package io.evenkeel.kafka.health;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.container.ContainerDependencies;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.ListenerMeters;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.engine.EngineSnapshot;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

import org.springframework.boot.health.contributor.Status;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the health of a listener is told from.
 */
class ListenerHealthTests {

	private static final long NOW = System.nanoTime();

	private static final long LONG_AGO = NOW - Duration.ofMinutes(11).toNanos();

	private final Told container = new Told();

	@Test
	void aListenerThatWasStoppedAbnormallyIsDown() {
		this.container.running = false;
		assertThat(condition().status()).isEqualTo(Status.UP);
		this.container.stopped(false);
		assertThat(condition().status()).isEqualTo(Status.DOWN);
		assertThat(condition().reason()).contains("stopped abnormally");
		this.container.stopped(true);
		assertThat(condition().status()).isEqualTo(Status.UP);
	}

	@Test
	void anOldRecordIsDown() {
		partition(3, 0, false);
		assertThat(condition().status()).isEqualTo(Status.DOWN);
	}

	@Test
	void recordsThatWaitForTheEndOfAPauseAreNotLate() {
		this.container.pause();
		partition(3, 0, true);
		assertThat(condition().status()).isEqualTo(Status.OUT_OF_SERVICE);
	}

	@Test
	void aCallThatDoesNotEndIsLateInAPauseToo() {
		this.container.pause();
		partition(0, 1, true);
		assertThat(condition().status()).isEqualTo(Status.DOWN);
	}

	private void partition(int queued, int inFlight, boolean paused) {
		this.container.snapshot = new EngineSnapshot(NOW, "member", 1, inFlight, 0,
				List.of(new EngineSnapshot.Partition(new TopicPartition("t", 0), 1, 10, 5, 0, queued, inFlight, 0,
						LONG_AGO, paused, false)));
	}

	private ListenerCondition condition() {
		return ListenerCondition.of(this.container, Duration.ofMinutes(10), NOW);
	}

	/** Tells what a test wants it to tell. */
	private static final class Told extends EvenkeelContainer<String, String> {

		private boolean running = true;

		private EngineSnapshot snapshot = new EngineSnapshot(0, "", 0, 0, 0, List.of());

		Told() {
			super(new DefaultKafkaConsumerFactory<>(Map.of()), new ContainerProperties("t"),
					new ContainerDependencies((id) -> ContainerSettings.defaults(), ListenerMeters.NONE, (suffix) -> {
						throw new IllegalStateException("No record is recovered here");
					}));
		}

		void stopped(boolean normally) {
			setStoppedNormally(normally);
		}

		@Override
		public boolean isRunning() {
			return this.running;
		}

		@Override
		public EngineSnapshot snapshot() {
			return this.snapshot;
		}

	}

}
