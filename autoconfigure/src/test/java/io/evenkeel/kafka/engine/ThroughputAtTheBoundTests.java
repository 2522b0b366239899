package io.evenkeel.kafka.engine;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.dispatch.Worker;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a listener loses at the bound of what it holds, in a time of its own: a poll of
 * what is there takes a moment, one of what is paused lasts as long as it may, and the
 * workers handle a record in a microsecond each while there is one.
 */
class ThroughputAtTheBoundTests {

	private static final int RECORDS = 240_000;

	/**
	 * Red when the owner sits in a poll of paused partitions while its workers starve.
	 */
	@Test
	void aTenthOfTheRoomCostsLessThanATenthOfTheThroughput() {
		long wide = new World(12, 12, 100_000).run();
		assertThat(new World(12, 12, 10_000).run()).isLessThan(wide * 11 / 10);
	}

	@Test
	void thatHoldsWhereOnePartitionHasAllTheRecords() {
		long wide = new World(12, 1, 100_000).run();
		assertThat(new World(12, 1, 10_000).run()).isLessThan(wide * 11 / 10);
	}

	/** The share of each is less than a poll. */
	@Test
	void thatHoldsWithHundredsOfPartitions() {
		long wide = new World(400, 400, 100_000).run();
		assertThat(new World(400, 400, 10_000).run()).isLessThan(wide * 11 / 10);
	}

	/** Red when it polls and polls. */
	@Test
	void anOwnerWithoutRoomWaits() {
		World world = new World(12, 12, 10_000);
		world.stuck = true;
		for (int i = 0; i < 100; i++) {
			world.loop.doWork();
		}
		long start = world.now;
		for (int i = 0; i < 100; i++) {
			world.loop.doWork();
		}
		assertThat(world.now - start).isGreaterThan(Duration.ofMillis(90).toNanos());
	}

	/** An engine, and what goes on around it while its owner waits. */
	private static final class World
			implements RecordHandler<String, String>, EngineCallbacks<String, String>, PauseRequests, OwnerWait {

		private static final int POLL = 500;

		/** How long a poll of so many records takes. */
		private static final long POLL_NANOS = 80_000;

		private static final long RECORD_NANOS = 1_000;

		private static final long STEP_NANOS = 20_000;

		private final List<TopicPartition> partitions = new ArrayList<>();

		private final Map<TopicPartition, Long> left = new HashMap<>();

		private final Set<TopicPartition> paused = new HashSet<>();

		private final CompletionQueue<ConsumerRecord<String, String>> queue = new CompletionQueue<>();

		private final Worker<ConsumerRecord<String, String>> worker;

		private final ConsumerLoop<String, String> loop;

		private long now = 1_000_000_000L;

		/** Until when the workers are busy with what they have taken. */
		private long workedUntil = this.now;

		private int handled;

		private boolean stuck;

		private int turn;

		World(int partitions, int loaded, int maxPending) {
			for (int i = 0; i < partitions; i++) {
				TopicPartition partition = new TopicPartition("t", i);
				this.partitions.add(partition);
				this.left.put(partition, (i < loaded) ? (long) RECORDS / loaded : 0L);
			}
			EngineSettings settings = SteppedEngine.settings(Ordering.PARTITION, 4, maxPending);
			EngineObserver observer = new EngineObserver() {
			};
			AssignmentTable<String, String> table = new AssignmentTable<>();
			Dispatcher<ConsumerRecord<String, String>> dispatcher = new Dispatcher<>(this.queue, () -> this.now, 4, 0);
			RetryPlanner planner = new RetryPlanner(RetrySettings.defaults(), (failure) -> false, () -> 0.5);
			this.worker = new Worker<>(dispatcher,
					new AttemptInvoker<>(this, planner, new Acknowledgments<>(false), observer, (failure) -> {
					}), () -> this.now, (assignment, bug) -> {
						throw new AssertionError(bug);
					});
			EngineParts<String, String> parts = new EngineParts<>(table, dispatcher,
					new Completions<>(this.queue, table, observer, () -> this.now), this, this, observer, settings,
					new LaneKeys(Ordering.PARTITION, (type) -> {
					}), this, () -> this.now, this, new RebalanceLog(Instant::now));
			this.loop = new ConsumerLoop<>("l", client(), parts);
			this.loop.rebalancer().onPartitionsAssigned(this.partitions);
		}

		/** Nanoseconds until all records are handled. */
		long run() {
			long start = this.now;
			while (this.handled < RECORDS) {
				this.loop.doWork();
				pass(STEP_NANOS);
				assertThat(this.now - start).as("%s handled, paused %s", this.handled, this.paused)
					.isLessThan(Duration.ofSeconds(10).toNanos());
			}
			// Not until the end of the poll that finds nothing more.
			return this.workedUntil - start;
		}

		/** The workers go on for a time. */
		private void pass(long nanos) {
			this.now += nanos;
			if (this.handled < RECORDS) {
				this.workedUntil = Math.max(this.workedUntil, this.now - nanos);
			}
			while (this.workedUntil < this.now && this.handled < RECORDS) {
				int before = this.handled;
				if (!this.worker.step()) {
					return;
				}
				// Four of them.
				this.workedUntil += (this.handled - before) * RECORD_NANOS / 4;
			}
		}

		@Override
		public void await(long nanos) {
			pass(nanos);
		}

		@Override
		public void awaitSignal(long nanos) {
			long until = this.now + nanos;
			while (this.now < until && !this.queue.takeSignal()) {
				pass(STEP_NANOS);
			}
		}

		private ConsumerRecords<String, String> poll(Duration timeout) {
			for (int i = 0; i < this.partitions.size(); i++) {
				TopicPartition partition = this.partitions.get(this.turn++ % this.partitions.size());
				long rest = this.left.get(partition);
				if (rest > 0 && !this.paused.contains(partition)) {
					int count = (int) Math.min(POLL, rest);
					this.left.put(partition, rest - count);
					pass(POLL_NANOS);
					return records(partition, 1_000_000 - rest, count);
				}
			}
			pass(timeout.toNanos());
			return ConsumerRecords.empty();
		}

		private static ConsumerRecords<String, String> records(TopicPartition partition, long from, int count) {
			List<ConsumerRecord<String, String>> records = new ArrayList<>();
			for (long offset = from; offset < from + count; offset++) {
				records.add(new ConsumerRecord<>(partition.topic(), partition.partition(), offset, "k", "v"));
			}
			return new ConsumerRecords<>(Map.of(partition, records),
					Map.of(partition, new OffsetAndMetadata(from + count)));
		}

		@SuppressWarnings("unchecked")
		private Consumer<String, String> client() {
			return (Consumer<String, String>) Proxy.newProxyInstance(getClass().getClassLoader(),
					new Class<?>[] { Consumer.class }, (proxy, method, args) -> switch (method.getName()) {
						case "poll" -> poll((Duration) args[0]);
						case "assignment" -> Set.copyOf(this.partitions);
						case "paused" -> Set.copyOf(this.paused);
						case "pause" -> this.paused.addAll((Collection<TopicPartition>) args[0]);
						case "resume" -> this.paused.removeAll(Set.copyOf((Collection<TopicPartition>) args[0]));
						case "position" -> 0L;
						case "committed", "metrics" -> Map.of();
						case "subscription" -> Set.of("t");
						case "groupMetadata" -> new ConsumerGroupMetadata("g");
						case "currentLag" -> OptionalLong.empty();
						case "commitAsync" -> {
							((OffsetCommitCallback) args[1])
								.onComplete((Map<TopicPartition, OffsetAndMetadata>) args[0], null);
							yield null;
						}
						default -> throw new IllegalStateException(method.getName());
					});
		}

		@Override
		public void handle(Attempt<String, String> attempt) {
			this.handled++;
			if (!this.stuck) {
				attempt.succeeded();
			}
		}

		@Override
		public void recover(RecoveryAttempt<String, String> recovery) {
			throw new IllegalStateException("unused");
		}

		@Override
		public ConsumerRecord<String, String> undeserializable(RecordDeserializationException failure) {
			throw new IllegalStateException("unused");
		}

		@Override
		public boolean all() {
			return false;
		}

		@Override
		public boolean partition(TopicPartition partition) {
			return false;
		}

		@Override
		public long changes() {
			return 0;
		}

	}

}
