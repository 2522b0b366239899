package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.dispatch.Worker;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A listener that acknowledges by hand, from anywhere and in any order, that seeks,
 * pauses, fails, says no, is stopped and started, and whose consumer and commits fail, on
 * a log in memory. When the storm is over everything is handled, nothing is paused, and
 * the commit is at the end. {@code -Devenkeel.storm.seeds=N} runs N seeds,
 * {@code -Devenkeel.storm.seed=N} just the one that failed.
 */
class ManualStormTests {

	private static final int SEEDS = 1_500;

	private static final Logger logger = (Logger) LoggerFactory.getLogger("io.evenkeel.kafka.engine");

	private static Level level;

	@BeforeAll
	static void silence() {
		level = logger.getLevel();
		logger.setLevel(Level.OFF);
	}

	@AfterAll
	static void speak() {
		logger.setLevel(level);
	}

	@Test
	void everythingIsHandledAndCommittedAfterTheStorm() {
		Long only = Long.getLong("evenkeel.storm.seed");
		if (only != null) {
			logger.setLevel(Level.DEBUG);
			new Storm(only).run();
			return;
		}
		long seeds = Long.getLong("evenkeel.storm.seeds", SEEDS);
		long seen = 0;
		long moves = 0;
		long restarts = 0;
		for (long seed = 0; seed < seeds; seed++) {
			Storm storm = new Storm(seed);
			try {
				storm.run();
			}
			catch (Throwable ex) {
				throw new AssertionError("Failed with -Devenkeel.storm.seed=" + seed + ": " + ex.getMessage(), ex);
			}
			seen += storm.called;
			moves += storm.moves;
			restarts += storm.restarts;
		}
		// A calm would prove nothing.
		assertThat(seen).isGreaterThan(50 * seeds);
		assertThat(moves).isGreaterThan(3 * seeds);
		assertThat(restarts).isGreaterThan(seeds);
	}

	/** One history. */
	private static final class Storm
			implements RecordHandler<String, String>, EngineCallbacks<String, String>, PauseRequests, EngineObserver {

		private static final List<TopicPartition> ALL = List.of(SteppedEngine.P0, SteppedEngine.P1);

		private static final int RECORDS = 30;

		private static final int STEPS = 300;

		private final Random random;

		private final EngineSettings settings;

		private final int mostPolled;

		private final Map<TopicPartition, Integer> ends = new HashMap<>(
				Map.of(SteppedEngine.P0, 0, SteppedEngine.P1, 0));

		private final Map<TopicPartition, OffsetAndMetadata> stored = new HashMap<>();

		/** Acknowledged, recovered, or left out by a seek that asked for it. */
		private final Map<TopicPartition, BitSet> done = Map.of(SteppedEngine.P0, new BitSet(), SteppedEngine.P1,
				new BitSet());

		private final Map<TopicPartition, BitSet> begun = Map.of(SteppedEngine.P0, new BitSet(), SteppedEngine.P1,
				new BitSet());

		private final Set<TopicPartition> userPaused = new HashSet<>();

		private final List<Attempt<String, String>> open = new ArrayList<>();

		private final List<Attempt<String, String>> unacknowledged = new ArrayList<>();

		private boolean allPaused;

		private long pauseChanges;

		private boolean calm;

		private long now = 1_000_000_000_000L;

		private Worker<ConsumerRecord<String, String>> worker;

		private Dispatcher<ConsumerRecord<String, String>> dispatcher;

		private EngineParts<String, String> parts;

		private LogClient client;

		private ConsumerLoop<String, String> loop;

		private int called;

		private int moves;

		private int restarts;

		Storm(long seed) {
			this.random = new Random(seed);
			Ordering ordering = Ordering.values()[this.random.nextInt(Ordering.values().length)];
			int concurrency = 1 + this.random.nextInt(4);
			this.mostPolled = 1 + this.random.nextInt(7);
			this.settings = new EngineSettings(ordering, concurrency, 0, concurrency + this.random.nextInt(20),
					64L << 20, Duration.ofSeconds(1), Duration.ofSeconds(5), this.random.nextBoolean(),
					Duration.ofSeconds(10), OnDrainTimeout.ABANDON, Duration.ofMillis(100),
					new RetrySettings(2, Duration.ofMillis(100), 2, Duration.ofSeconds(1), 0), true, false,
					ordering == Ordering.PARTITION && this.random.nextBoolean(), true);
		}

		void run() {
			begin();
			for (int i = 0; i < STEPS; i++) {
				step();
			}
			end();
		}

		private void begin() {
			CompletionQueue<ConsumerRecord<String, String>> completions = new CompletionQueue<>();
			this.dispatcher = new Dispatcher<>(completions, () -> this.now, this.settings.concurrency(), 0);
			RetryPlanner planner = new RetryPlanner(this.settings.retry(), (failure) -> false, () -> 0.5);
			AttemptInvoker<String, String> invoker = new AttemptInvoker<>(this, planner,
					new Acknowledgments<>(this.settings.coverEarlier()), this, (failure) -> {
						throw new AssertionError("nothing stops this listener", failure);
					});
			this.worker = new Worker<>(this.dispatcher, invoker, () -> this.now, (assignment, bug) -> {
				throw new AssertionError("The invoker threw", bug);
			});
			AssignmentTable<String, String> table = new AssignmentTable<>();
			this.parts = new EngineParts<>(table, this.dispatcher,
					new Completions<>(completions, table, this, () -> this.now), this, this, this, this.settings,
					new LaneKeys(this.settings.ordering(), (type) -> {
					}), this, () -> this.now, this::await, new RebalanceLog(Instant::now));
			connect();
		}

		private void connect() {
			this.client = new LogClient();
			this.client.updateBeginningOffsets(Map.of(SteppedEngine.P0, 0L, SteppedEngine.P1, 0L));
			this.client.store(this.stored);
			this.loop = new ConsumerLoop<>("l", this.client, this.parts);
			this.client.subscribe(List.of("t"), this.loop.rebalancer());
			this.client.rebalance(ALL);
		}

		private void step() {
			switch (this.random.nextInt(20)) {
				case 0, 1, 2 -> produce();
				case 3, 4, 5, 6, 7 -> turn();
				case 8, 9, 10 -> this.worker.step();
				case 11, 12 -> answerOne();
				case 13, 14 -> acknowledgeOne();
				case 15 -> this.now += this.random.nextInt(1_000_000_000);
				case 16 -> seek(any());
				case 17 -> pause();
				case 18 -> this.client.trouble();
				case 19 -> change();
			}
		}

		private void change() {
			switch (this.random.nextInt(4)) {
				case 0 -> {
					this.restarts++;
					stop();
					begin();
				}
				case 1 -> this.client.pollFailures.add(new KafkaException("simulated"));
				case 2 -> {
					this.client.rebalance(List.of());
					this.client.rebalance(ALL);
				}
				default -> {
					this.client.rebalance(List.of(any()));
					this.client.rebalance(ALL);
				}
			}
		}

		private TopicPartition any() {
			return ALL.get(this.random.nextInt(ALL.size()));
		}

		private void produce() {
			TopicPartition partition = any();
			this.ends.merge(partition, 1 + this.random.nextInt(5), (end, more) -> Math.min(RECORDS, end + more));
		}

		private void turn() {
			try {
				this.loop.doWork();
			}
			catch (KafkaException ex) {
				if (!"simulated".equals(ex.getMessage())) {
					throw ex;
				}
				this.restarts++;
				this.loop.abandon(Duration.ofMillis(this.random.nextInt(2000)), Duration.ofSeconds(1));
				connect();
			}
		}

		private void stop() {
			long deadline = this.now + Duration.ofMillis(this.random.nextInt(3000)).toNanos();
			try {
				this.loop.stop(deadline);
				while (!this.loop.isDrained() && this.now < deadline) {
					this.loop.doWork();
					await(50_000_000);
				}
				this.loop.close(Duration.ofSeconds(1));
			}
			catch (KafkaException ex) {
				if (!"simulated".equals(ex.getMessage())) {
					throw ex;
				}
				this.loop.abandon(Duration.ZERO, Duration.ofSeconds(1));
			}
			this.dispatcher.close();
			this.open.clear();
		}

		/** The owner waits, and the rest of the world goes on. */
		private void await(long nanos) {
			this.now += Math.max(1, nanos);
			for (int i = this.random.nextInt(4); i > 0; i--) {
				this.worker.step();
				answerOne();
				acknowledgeOne();
			}
		}

		private void seek(TopicPartition partition) {
			OptionalLong position = this.loop.position(partition, Duration.ofMillis(100));
			if (position.isEmpty() || !this.client.assignment().contains(partition)) {
				return;
			}
			this.moves++;
			boolean skip = this.random.nextInt(8) == 0;
			int most = skip ? this.ends.get(partition) : (int) position.getAsLong();
			long target = this.random.nextInt(most + 1);
			if (target > position.getAsLong()) {
				this.done.get(partition).set((int) position.getAsLong(), (int) target);
			}
			for (int i = this.random.nextInt(2); i >= 0; i--) {
				this.loop.seek(partition, (consumer) -> consumer.seek(partition, target));
			}
		}

		private void pause() {
			this.pauseChanges++;
			switch (this.random.nextInt(4)) {
				case 0 -> this.allPaused = true;
				case 1 -> this.allPaused = false;
				case 2 -> this.userPaused.add(any());
				default -> this.userPaused.remove(any());
			}
		}

		@Override
		public void handle(Attempt<String, String> attempt) {
			this.called++;
			this.begun.get(partition(attempt)).set((int) attempt.record().offset());
			if (this.calm) {
				acknowledge(attempt);
				attempt.returned();
			}
			else {
				this.open.add(attempt);
			}
		}

		private void answerOne() {
			if (this.open.isEmpty()) {
				return;
			}
			Attempt<String, String> attempt = this.open.remove(this.random.nextInt(this.open.size()));
			switch (this.random.nextInt(8)) {
				case 0 -> {
					attempt.failed(new IllegalStateException("no"));
					meanwhile(attempt);
				}
				case 1 -> {
					attempt.again(Duration.ofMillis(this.random.nextInt(500)));
					meanwhile(attempt);
				}
				case 2 -> {
					acknowledge(attempt);
					attempt.failed(new IllegalStateException("no"));
				}
				case 3, 4 -> {
					acknowledge(attempt);
					attempt.returned();
				}
				default -> {
					attempt.returned();
					this.unacknowledged.add(attempt);
				}
			}
		}

		/**
		 * An acknowledgment that was kept may be used while its record waits for a call.
		 */
		private void meanwhile(Attempt<String, String> attempt) {
			if (this.random.nextInt(3) == 0) {
				this.unacknowledged.add(attempt);
			}
		}

		private void acknowledgeOne() {
			if (!this.open.isEmpty() && this.random.nextInt(4) == 0) {
				acknowledge(this.open.get(this.random.nextInt(this.open.size())));
			}
			if (!this.unacknowledged.isEmpty()) {
				acknowledge(this.unacknowledged.remove(this.random.nextInt(this.unacknowledged.size())));
			}
		}

		private void acknowledge(Attempt<String, String> attempt) {
			int offset = (int) attempt.record().offset();
			if (this.settings.coverEarlier()) {
				BitSet covered = this.begun.get(partition(attempt)).get(0, offset);
				this.done.get(partition(attempt)).or(covered);
			}
			this.done.get(partition(attempt)).set(offset);
			attempt.acknowledge();
		}

		private static TopicPartition partition(Attempt<String, String> attempt) {
			return new TopicPartition(attempt.record().topic(), attempt.record().partition());
		}

		@Override
		public void recover(RecoveryAttempt<String, String> recovery) {
			if (!this.calm && this.random.nextInt(3) == 0) {
				throw new IllegalStateException("simulated");
			}
			ConsumerRecord<String, String> record = recovery.record();
			this.done.get(new TopicPartition(record.topic(), record.partition())).set((int) record.offset());
			recovery.ended(Recovery.DEAD_LETTERED);
		}

		@Override
		public ConsumerRecord<String, String> undeserializable(RecordDeserializationException failure) {
			throw new IllegalStateException("unused");
		}

		private void end() {
			this.calm = true;
			this.allPaused = false;
			this.userPaused.clear();
			this.pauseChanges++;
			this.client.calm();
			for (int i = 0; i < 400 && !isOver(); i++) {
				List.copyOf(this.open).forEach((attempt) -> {
					acknowledge(attempt);
					attempt.returned();
				});
				this.open.clear();
				this.unacknowledged.forEach(this::acknowledge);
				this.unacknowledged.clear();
				turn();
				while (this.worker.step()) {
					Thread.onSpinWait();
				}
				this.now += 100_000_000;
			}
			for (TopicPartition partition : ALL) {
				int end = this.ends.get(partition);
				assertThat(this.done.get(partition).cardinality()).as("handled of %s", partition).isEqualTo(end);
				assertThat(committed(partition)).as("committed of %s", partition).isEqualTo(end);
			}
			assertThat(this.client.paused()).isEmpty();
			assertThat(this.dispatcher.used()).isZero();
		}

		private boolean isOver() {
			return this.client.paused().isEmpty() && ALL.stream()
				.allMatch((partition) -> committed(partition) == this.ends.get(partition)
						&& this.done.get(partition).cardinality() == this.ends.get(partition));
		}

		private long committed(TopicPartition partition) {
			OffsetAndMetadata offset = this.stored.get(partition);
			return (offset != null) ? offset.offset() : 0;
		}

		@Override
		public boolean all() {
			return this.allPaused;
		}

		@Override
		public boolean partition(TopicPartition partition) {
			return this.userPaused.contains(partition);
		}

		@Override
		public long changes() {
			return this.pauseChanges;
		}

		/** Reads the log of its storm, from wherever it stands. */
		private final class LogClient extends SteppedEngine.Client {

			/** How many questions for a position are not answered. */
			private int silent;

			void trouble() {
				switch (Storm.this.random.nextInt(5)) {
					case 0 -> this.silent = 1 + Storm.this.random.nextInt(3);
					case 1 -> this.commitFailures.add(new RetriableCommitFailedException("simulated"));
					case 2 -> this.commitFailures.add(new RebalanceInProgressException("simulated"));
					case 3 -> this.asyncThrows.add(new CommitFailedException("simulated"));
					default -> this.committedFailures.add(new TimeoutException("simulated"));
				}
			}

			void calm() {
				this.silent = 0;
				this.commitFailures.clear();
				this.asyncThrows.clear();
				this.committedFailures.clear();
				this.pollFailures.clear();
			}

			@Override
			public synchronized long position(TopicPartition partition, Duration timeout) {
				if (this.silent > 0) {
					this.silent--;
					throw new TimeoutException("simulated");
				}
				return super.position(partition, timeout);
			}

			@Override
			public synchronized ConsumerRecords<String, String> poll(Duration timeout) {
				super.poll(timeout);
				Map<TopicPartition, List<ConsumerRecord<String, String>>> found = new HashMap<>();
				Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
				for (TopicPartition partition : assignment()) {
					long from = paused().contains(partition) ? Long.MAX_VALUE : super.position(partition);
					List<ConsumerRecord<String, String>> records = new ArrayList<>();
					for (long offset = from; offset < Storm.this.ends.get(partition)
							&& records.size() < Storm.this.mostPolled; offset++) {
						records.add(new ConsumerRecord<>(partition.topic(), partition.partition(), offset,
								"k" + (offset % 3), "v"));
					}
					if (!records.isEmpty()) {
						found.put(partition, records);
						super.seek(partition, from + records.size());
						next.put(partition, new OffsetAndMetadata(from + records.size()));
					}
				}
				return new ConsumerRecords<>(found, next);
			}

			@Override
			void store(Map<TopicPartition, OffsetAndMetadata> offsets) {
				Storm.this.stored.putAll(offsets);
				super.store(offsets);
			}

		}

	}

}
