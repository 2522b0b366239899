package io.evenkeel.kafka.watch;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.ContainerDependencies;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.ListenerMeters;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.engine.EngineObserver.RebalanceEvent;
import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.engine.RebalanceLog;
import io.evenkeel.kafka.engine.RunningCall;
import io.evenkeel.kafka.engine.StopCause;
import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.Worker;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a listener is said to be doing.
 */
class ListenerStateTests {

	private static final Duration SECOND = Duration.ofSeconds(1);

	private final Told container = new Told();

	private long now = System.nanoTime();

	private final Watched watched = new Watched(this.container, this.now);

	@Test
	void aListenerThatIsReachedAndHasPartitionsRuns() {
		pass(2);
		assertThat(state()).isEqualTo(ListenerState.JOINING);
		this.container.joined = true;
		partition(false, false);
		for (int i = 0; i < 60; i++) {
			this.container.answers++;
			pass(1);
			assertThat(state()).isEqualTo(ListenerState.RUNNING);
		}
	}

	/** Red when a client that was never answered counts as running. */
	@Test
	void brokersThatWereNeverReachedAreToldWithAddressesAndSinceWhen() {
		pass(4);
		assertThat(state()).isEqualTo(ListenerState.JOINING);
		pass(3);
		ListenerReport report = this.watched.report(this.now);
		assertThat(report.state()).isEqualTo(ListenerState.NO_BROKER);
		assertThat(report.reason()).contains("BROKERS_UNREACHABLE", "no answer from [kafka-1:9092]", "for 6");
		assertThat(report.silence()).isBetween(Duration.ofSeconds(6), Duration.ofSeconds(7));
		this.container.open = 1;
		pass(1);
		assertThat(this.watched.report(this.now).reason()).contains("check security.protocol");
	}

	@Test
	void brokersThatAnswerNoMoreAreToldAfterSomeHeartbeats() {
		partition(false, false);
		this.container.answers = 7;
		pass(1);
		pass(14);
		assertThat(state()).isEqualTo(ListenerState.RUNNING);
		pass(3);
		assertThat(state()).isEqualTo(ListenerState.NO_BROKER);
		this.container.answers++;
		pass(1);
		assertThat(state()).isEqualTo(ListenerState.RUNNING);
		// A new client counts from the beginning, and that is no answer.
		this.container.answers = 0;
		pass(16);
		assertThat(state()).isEqualTo(ListenerState.NO_BROKER);
	}

	@Test
	void aListenerWithNothingToAskIsNotTakenForUnconnected() {
		Told byHand = new Told(
				new ContainerProperties(new org.springframework.kafka.support.TopicPartitionOffset("t", 0)));
		Watched watched = new Watched(byHand, this.now);
		byHand.answers = 1;
		byHand.snapshot = snapshot(true, false);
		byHand.pause();
		watched.look(this.now);
		watched.look(this.now + SECOND.toNanos() * 600);
		assertThat(watched.report(this.now + SECOND.toNanos() * 600).silence()).isNull();
	}

	@Test
	void aMemberWithoutPartitionsIsToldApartFromAMissingTopic() {
		this.container.joined = true;
		answeredFor(2);
		assertThat(state()).isEqualTo(ListenerState.NO_PARTITIONS);
		this.container.missing = List.of("t");
		answeredFor(25);
		assertThat(state()).isEqualTo(ListenerState.MISSING_TOPIC);
		assertThat(this.watched.report(this.now).reason()).contains("t");
		assertThat(this.container.questions).as("one in ten seconds").isLessThan(5);
		partition(false, false);
		answeredFor(1);
		assertThat(state()).isEqualTo(ListenerState.RUNNING);
	}

	@Test
	void aListenerThatIsHeldBackForLongIsUnderPressure() {
		partition(false, true);
		answeredFor(4);
		assertThat(state()).isEqualTo(ListenerState.RUNNING);
		answeredFor(3);
		assertThat(state()).isEqualTo(ListenerState.BACKPRESSURE);
		partition(false, false);
		answeredFor(1);
		assertThat(state()).isEqualTo(ListenerState.RUNNING);
	}

	@Test
	void aCallThatTakesLongIsStuck() {
		partition(false, false);
		long began = this.now;
		Dispatcher<String> dispatcher = new Dispatcher<>(new CompletionQueue<>(), () -> began, 1, 0);
		Worker<String> worker = new Worker<>(dispatcher, (call) -> {
			this.container.calls = () -> List.of(new RunningCall(call, Thread.currentThread(), this.now));
			answeredFor(59);
			assertThat(state()).isEqualTo(ListenerState.RUNNING);
			answeredFor(2);
			assertThat(state()).isEqualTo(ListenerState.STUCK);
			assertThat(this.watched.report(this.now).reason()).contains("t-0@42", "61 s");
			this.container.settings = new HandlerSettings(Duration.ZERO, Duration.ZERO, true);
			assertThat(state()).isEqualTo(ListenerState.RUNNING);
			call.close();
		}, () -> began, (assignment, bug) -> {
			throw new AssertionError(bug);
		});
		dispatcher.submit(List.of(new Assignment<String>("t", 0, 1).begin("r", 42, null, 0)));
		assertThat(worker.step()).isTrue();
	}

	@Test
	void whatWasAlwaysToldComesFirst() {
		partition(false, true);
		answeredFor(10);
		pass(30);
		this.container.rebalancing = true;
		assertThat(state()).isEqualTo(ListenerState.REBALANCING);
		this.container.rebalancing = false;
		this.container.pause();
		assertThat(state()).isEqualTo(ListenerState.PAUSED);
		assertThat(this.watched.report(this.now).silence()).as("for health").isNotNull();
		this.container.running = false;
		this.container.stopped(true);
		assertThat(state()).isEqualTo(ListenerState.STOPPED);
		this.container.stopped(false);
		assertThat(state()).isEqualTo(ListenerState.FAILED);
		this.container.stopped(true);
		this.container.failure = new EvenkeelContainer.Failure(StopCause.FENCED, new IllegalStateException("x"));
		assertThat(state()).isEqualTo(ListenerState.FAILED);
	}

	@Test
	void eachChangeIsToldOnce() {
		pass(1);
		assertThat(this.watched.change(this.now).report().state()).isEqualTo(ListenerState.JOINING);
		assertThat(this.watched.change(this.now)).isNull();
		partition(false, false);
		answeredFor(3);
		Watched.Change change = this.watched.change(this.now);
		assertThat(change.before()).isEqualTo(ListenerState.JOINING);
		assertThat(change.lasted()).isEqualTo(Duration.ofSeconds(3));
		assertThat(change.report().state()).isEqualTo(ListenerState.RUNNING);
		assertThat(this.watched.change(this.now)).isNull();
	}

	private void answeredFor(int seconds) {
		for (int i = 0; i < seconds; i++) {
			this.container.answers++;
			pass(1);
		}
	}

	private void pass(int seconds) {
		for (int i = 0; i < seconds; i++) {
			this.now += SECOND.toNanos();
			this.watched.look(this.now);
		}
	}

	private ListenerState state() {
		return this.watched.report(this.now).state();
	}

	private void partition(boolean userPaused, boolean backPressure) {
		this.container.snapshot = snapshot(userPaused, backPressure);
	}

	private EngineSnapshot snapshot(boolean userPaused, boolean backPressure) {
		return new EngineSnapshot(this.now, "member", 1, 0, 0,
				List.of(new EngineSnapshot.Partition(new TopicPartition("t", 0), 1, 10, 5, 0, 0, 0, 0, -1, userPaused,
						backPressure)));
	}

	/** Tells what a test wants it to tell. */
	private static final class Told extends EvenkeelContainer<String, String> {

		private boolean running = true;

		private boolean rebalancing;

		private boolean joined;

		private double answers;

		private double open;

		private int questions;

		private EvenkeelContainer.Failure failure;

		private List<String> missing = List.of();

		private Supplier<List<RunningCall>> calls = List::of;

		private HandlerSettings settings = HandlerSettings.defaults();

		private EngineSnapshot snapshot = new EngineSnapshot(0, "", 0, 0, 0, List.of());

		Told() {
			this(new ContainerProperties("t"));
		}

		Told(ContainerProperties properties) {
			super(new DefaultKafkaConsumerFactory<>(Map.of()), properties,
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
		public boolean isRebalancing() {
			return this.rebalancing;
		}

		@Override
		public EvenkeelContainer.Failure failure() {
			return this.failure;
		}

		@Override
		public EngineSnapshot snapshot() {
			return this.snapshot;
		}

		@Override
		public List<RunningCall> runningCalls() {
			return this.calls.get();
		}

		@Override
		public HandlerSettings handlerSettings() {
			return this.settings;
		}

		@Override
		public Collection<String> bootstrapServers() {
			return List.of("kafka-1:9092");
		}

		@Override
		public List<RebalanceLog.Entry> rebalances() {
			return this.joined
					? List.of(new RebalanceLog.Entry(Instant.EPOCH, RebalanceEvent.ASSIGNED, List.of(), 0, 0, 0, 0))
					: List.of();
		}

		@Override
		public CompletableFuture<List<String>> missingTopics(Collection<String> topics) {
			this.questions++;
			return CompletableFuture.completedFuture(this.missing);
		}

		@Override
		public Map<String, Map<MetricName, ? extends Metric>> metrics() {
			Map<MetricName, Metric> metrics = new HashMap<>();
			metric(metrics, "response-total", this.answers);
			metric(metrics, "connection-count", this.open);
			return Map.of("client", metrics);
		}

		private static void metric(Map<MetricName, Metric> metrics, String name, double value) {
			MetricName full = new MetricName(name, "consumer-metrics", "", Map.of("client-id", "client"));
			metrics.put(full, new Metric() {

				@Override
				public MetricName metricName() {
					return full;
				}

				@Override
				public Object metricValue() {
					return value;
				}

			});
		}

	}

}
