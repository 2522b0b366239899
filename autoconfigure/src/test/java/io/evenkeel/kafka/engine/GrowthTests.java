package io.evenkeel.kafka.engine;

import java.lang.management.ManagementFactory;
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

import com.sun.management.ThreadMXBean;
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
 * What a turn of the owner costs as the work around it grows: partitions that are looked
 * at, calls of the client, memory. Counted, not timed, so that it holds on any machine.
 */
class GrowthTests {

	private static final int TURNS = 200;

	@Test
	void aTurnWithRecordsCostsTheSameWithThousandsOfPartitions() {
		Cost few = turns(new Member(12, 100_000), 1);
		Cost many = turns(new Member(4_000, 100_000), 1);
		assertThat(many.looks).as("partitions looked at").isLessThanOrEqualTo(few.looks * 13 / 10);
		assertThat(many.calls).as("calls of the client").isLessThanOrEqualTo(few.calls * 13 / 10);
		assertThat(many.bytes).as("memory").isLessThanOrEqualTo(few.bytes * 13 / 10);
	}

	@Test
	void anIdleTurnLooksAtNoPartition() {
		Cost idle = turns(new Member(4_000, 100_000), 0);
		assertThat(idle.looks).isZero();
		assertThat(turns(new Member(12, 100_000), 0).calls).isEqualTo(idle.calls);
	}

	@Test
	void aTurnCostsTheSameWithAHundredTimesAsMuchPending() {
		assertThat(pending(300_000).looks).isLessThanOrEqualTo(pending(3_000).looks * 13 / 10);
		assertThat(pending(300_000).bytes).isLessThanOrEqualTo(pending(3_000).bytes * 13 / 10);
	}

	private Cost pending(int records) {
		Member member = new Member(12, 1_000_000);
		member.fill(records);
		return member.cost(() -> {
			for (int i = 0; i < TURNS; i++) {
				member.poll(1);
				member.turn();
			}
		});
	}

	/** Red when each turn of a full listener goes through all that is paused. */
	@Test
	void aTurnOfAFullListenerLooksAtNoPartition() {
		Member member = new Member(4_000, 5_000);
		member.fill(8_000);
		member.turn();
		assertThat(member.paused).hasSize(4_000);
		assertThat(turns(member, 0).looks).isZero();
	}

	/** Red when each resumed partition is searched among all. */
	@Test
	void pauseAndResumeOfAllGoThroughThemOnce() {
		Member member = new Member(4_000, 5_000);
		member.fill(8_000);
		Cost pause = member.cost(member::turn);
		Cost resume = member.cost(() -> {
			member.work();
			member.turn();
		});
		assertThat(member.paused).isEmpty();
		// Each part of the turn looks at each partition.
		assertThat(pause.looks).isLessThanOrEqualTo(8 * 4_000);
		assertThat(resume.looks).isLessThanOrEqualTo(8 * 4_000);
		assertThat(pause.calls + resume.calls).isLessThan(40);
	}

	/** Red when a commit looks at what has nothing to commit. */
	@Test
	void aCommitLooksAtWhatHasChanged() {
		Cost few = commits(new Member(12, 100_000));
		Cost many = commits(new Member(4_000, 100_000));
		// Positions move without a record, so a few are asked for theirs in each turn;
		// and all is looked at once.
		assertThat(many.looks - few.looks).isLessThanOrEqualTo(TURNS * 16 + 4 * 4_000);
		assertThat(many.committed).isBetween(few.committed - 5, few.committed + 5);
	}

	private Cost commits(Member member) {
		// The first positions of all are committed.
		for (int i = 0; i < 3 * TURNS; i++) {
			member.turn();
			member.now += Duration.ofMillis(20).toNanos();
		}
		return member.cost(() -> {
			for (int i = 0; i < TURNS; i++) {
				member.poll(1);
				member.turn();
				member.work();
				member.now += Duration.ofMillis(20).toNanos();
			}
		});
	}

	private Cost turns(Member member, int records) {
		for (int i = 0; i < TURNS; i++) {
			step(member, records);
		}
		return member.cost(() -> {
			for (int i = 0; i < TURNS; i++) {
				step(member, records);
			}
		});
	}

	private void step(Member member, int records) {
		member.poll(records);
		member.turn();
		if (records > 0) {
			member.worker.step();
		}
	}

	/** What something has cost. */
	private record Cost(long looks, long calls, long bytes, long committed) {
	}

	/** A loop whose client does nothing but count. */
	private static final class Member
			implements RecordHandler<String, String>, EngineCallbacks<String, String>, PauseRequests {

		private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

		private final AssignmentTable<String, String> table = new AssignmentTable<>();

		private final Set<TopicPartition> assigned = new HashSet<>();

		private final List<TopicPartition> partitions = new ArrayList<>();

		private final Set<TopicPartition> paused = new HashSet<>();

		private final Map<TopicPartition, Long> ends = new HashMap<>();

		private final Worker<ConsumerRecord<String, String>> worker;

		private final ConsumerLoop<String, String> loop;

		private final ConsumerGroupMetadata group = new ConsumerGroupMetadata("g");

		private ConsumerRecords<String, String> next = ConsumerRecords.empty();

		private long now = 1_000_000_000L;

		private long calls;

		private long committed;

		private int turn;

		Member(int partitions, int maxPending) {
			EngineSettings settings = SteppedEngine.settings(Ordering.PARTITION, 1, maxPending);
			EngineObserver observer = new EngineObserver() {
			};
			CompletionQueue<ConsumerRecord<String, String>> queue = new CompletionQueue<>();
			Dispatcher<ConsumerRecord<String, String>> dispatcher = new Dispatcher<>(queue, () -> this.now, 1, 0);
			this.worker = new Worker<>(dispatcher,
					new AttemptInvoker<>(this,
							new RetryPlanner(RetrySettings.defaults(), (failure) -> false, () -> 0.5),
							new Acknowledgments<>(false), observer, (failure) -> {
							}),
					() -> this.now, (assignment, bug) -> {
						throw new AssertionError(bug);
					});
			EngineParts<String, String> parts = new EngineParts<>(this.table, dispatcher,
					new Completions<>(queue, this.table, observer, () -> this.now), this, this, observer, settings,
					new LaneKeys(Ordering.PARTITION, (type) -> {
					}), this, () -> this.now, (nanos) -> {
					}, new RebalanceLog(Instant::now));
			this.loop = new ConsumerLoop<>("l", client(), parts);
			for (int i = 0; i < partitions; i++) {
				this.partitions.add(new TopicPartition("t", i));
			}
			this.assigned.addAll(this.partitions);
			this.loop.rebalancer().onPartitionsAssigned(this.partitions);
			turn();
		}

		private Cost cost(Runnable action) {
			long looks = this.table.looks();
			long calls = this.calls;
			long committed = this.committed;
			long bytes = this.threads.getCurrentThreadAllocatedBytes();
			action.run();
			return new Cost(this.table.looks() - looks, this.calls - calls,
					this.threads.getCurrentThreadAllocatedBytes() - bytes, this.committed - committed);
		}

		private void turn() {
			this.loop.doWork();
		}

		private void work() {
			while (this.worker.step()) {
				Thread.onSpinWait();
			}
		}

		/** Let the next poll bring so many records of one of the first ten partitions. */
		private void poll(int records) {
			if (records > 0) {
				this.next = records(this.partitions.get(this.turn++ % 10), records);
			}
		}

		/** Have so many records pending, all over the partitions. */
		private void fill(int records) {
			int each = Math.max(1, records / this.partitions.size());
			for (int i = 0; i * each < records; i++) {
				this.next = records(this.partitions.get(i % this.partitions.size()), each);
				this.loop.doWork();
			}
		}

		private ConsumerRecords<String, String> records(TopicPartition partition, int count) {
			List<ConsumerRecord<String, String>> records = new ArrayList<>();
			long offset = this.ends.getOrDefault(partition, 0L);
			for (int i = 0; i < count; i++) {
				records.add(new ConsumerRecord<>(partition.topic(), partition.partition(), offset++, "k", "v"));
			}
			this.ends.put(partition, offset);
			return new ConsumerRecords<>(Map.of(partition, records), Map.of(partition, new OffsetAndMetadata(offset)));
		}

		@SuppressWarnings("unchecked")
		private Consumer<String, String> client() {
			return (Consumer<String, String>) Proxy.newProxyInstance(getClass().getClassLoader(),
					new Class<?>[] { Consumer.class }, (proxy, method, args) -> {
						this.calls++;
						return switch (method.getName()) {
							case "poll" -> {
								ConsumerRecords<String, String> polled = this.next;
								this.next = ConsumerRecords.empty();
								yield polled;
							}
							case "assignment" -> this.assigned;
							case "paused" -> Set.copyOf(this.paused);
							case "pause" -> this.paused.addAll((Collection<TopicPartition>) args[0]);
							case "resume" -> this.paused.removeAll(new HashSet<>((Collection<TopicPartition>) args[0]));
							case "position" -> this.ends.getOrDefault(args[0], 0L);
							case "committed", "metrics" -> Map.of();
							case "subscription" -> Set.of("t");
							case "groupMetadata" -> this.group;
							case "currentLag" -> OptionalLong.empty();
							case "commitAsync" -> {
								Map<TopicPartition, OffsetAndMetadata> offsets = (Map<TopicPartition, OffsetAndMetadata>) args[0];
								this.committed += offsets.size();
								((OffsetCommitCallback) args[1]).onComplete(offsets, null);
								yield null;
							}
							default -> throw new IllegalStateException(method.getName());
						};
					});
		}

		@Override
		public void handle(Attempt<String, String> attempt) {
			attempt.succeeded();
		}

		@Override
		public void recover(RecoveryAttempt<String, String> recovery) {
			recovery.ended(Recovery.SKIPPED);
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
