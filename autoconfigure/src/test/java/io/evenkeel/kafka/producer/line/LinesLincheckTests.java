package io.evenkeel.kafka.producer.line;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What senders, scheduler, timer, I/O thread and a closing thread share, while threads
 * run short programs at random, and under those interleavings of two that the model
 * checker tries: each record ends once, none overtakes an earlier one of its sender, the
 * backlog returns to nothing, and what can go has gone when the last signal was answered,
 * without waiting for a back-off.
 */
@Tag("lincheck")
class LinesLincheckTests {

	/**
	 * A line was in its map while the map still said that it was empty: a sender whose
	 * record had joined there let its next one overtake it.
	 */
	@Test
	void twoSendersMakeALine() {
		modelChecking(Making.class);
	}

	@Test
	void sendersSchedulerAndTimer() {
		stress(Topic.class);
	}

	@Test
	void recordsMoveToTheLineOfTheirPartition() {
		stress(Moving.class);
	}

	@Test
	void linesAreClosed() {
		stress(Closing.class);
	}

	@Test
	void memoryIsFreedWhileALineBeginsToWaitForIt() {
		stress(Memory.class);
	}

	private static void modelChecking(Class<?> type) {
		new ModelCheckingOptions().iterations(2)
			.invocationsPerIteration(150)
			.threads(2)
			.actorsPerThread(2)
			.actorsBefore(0)
			.actorsAfter(0)
			.minimizeFailedScenario(false)
			.check(type);
	}

	private static void stress(Class<?> type) {
		new StressOptions().iterations(20)
			.invocationsPerIteration(500)
			.threads(3)
			.actorsPerThread(4)
			.minimizeFailedScenario(false)
			.check(type);
	}

	/** Two senders whose topic is not known. */
	public static class Making extends Model {

		@Operation(nonParallelGroup = "first sender")
		public void sendFirst() {
			send(0, -1);
		}

		@Operation(nonParallelGroup = "second sender")
		public void sendSecond() {
			send(1, -1);
		}

		@Validate
		public void everyRecordEndedOnce() {
			verify();
		}

	}

	/** Two senders and the threads of the producer, on one topic. */
	public static class Topic extends Model {

		@Operation(nonParallelGroup = "first sender")
		public void sendFirst() {
			send(0, -1);
		}

		@Operation(nonParallelGroup = "second sender")
		public void sendSecond() {
			send(1, -1);
		}

		@Operation(nonParallelGroup = "scheduler")
		public void schedule() {
			turn();
		}

		@Operation(nonParallelGroup = "second sender")
		public void help() {
			this.lines.help("a", 1);
		}

		@Operation(nonParallelGroup = "timer")
		public void passTime() {
			this.now += TIMEOUT;
			this.lines.expire();
		}

		@Operation(nonParallelGroup = "cluster")
		public void learn() {
			know(1);
		}

		@Operation(nonParallelGroup = "cluster")
		public void forget() {
			know(0);
		}

		@Validate
		public void everyRecordEndedOnce() {
			verify();
		}

	}

	/** A line of a partition that is about to time out while its topic comes back. */
	public static class Moving extends Model {

		public Moving() {
			know(1);
			send(0, 1);
			know(0);
			this.now += TIMEOUT / 2;
			send(1, -1);
			send(0, 1);
			know(1);
		}

		@Operation(nonParallelGroup = "first sender")
		public void sendFirst() {
			send(0, 1);
		}

		@Operation(nonParallelGroup = "scheduler")
		public void schedule() {
			turn();
		}

		/** A worker that was relieved, and comes back. */
		@Operation(nonParallelGroup = "relieved")
		public void serveOnceMore() {
			this.lines.doWork();
			this.work.incrementAndGet();
		}

		@Operation(nonParallelGroup = "timer")
		public void passTime() {
			this.now += TIMEOUT / 2;
			this.lines.expire();
		}

		@Operation(nonParallelGroup = "cluster")
		public void grow() {
			know(2);
		}

		@Operation(nonParallelGroup = "cluster")
		public void forget() {
			know(0);
		}

		@Validate
		public void everyRecordEndedOnce() {
			verify();
		}

	}

	/** The producer is closed at any moment. */
	public static class Closing extends Model {

		public Closing() {
			send(0, -1);
			send(1, 1);
		}

		@Operation(nonParallelGroup = "first sender")
		public void sendFirst() {
			send(0, -1);
		}

		@Operation(nonParallelGroup = "scheduler")
		public void schedule() {
			turn();
		}

		@Operation(nonParallelGroup = "cluster")
		public void learn() {
			know(1);
		}

		@Operation(nonParallelGroup = "cluster")
		public void forget() {
			know(0);
		}

		@Operation(runOnce = true)
		public void close() {
			this.lines.close();
			this.closed = true;
		}

		@Validate
		public void everyRecordEndedOnce() {
			verify();
		}

	}

	/** A client with memory for one record. */
	public static class Memory extends Model {

		/** Frees that follow at once tell only once: here each tells for itself. */
		private static final long APART = 1_000_000;

		public Memory() {
			know(1);
			this.memory.set(1);
		}

		@Override
		long timeout() {
			return 1_000 * APART;
		}

		@Operation(nonParallelGroup = "first sender")
		public void sendFirst() {
			send(0, -1);
		}

		@Operation(nonParallelGroup = "second sender")
		public void sendSecond() {
			send(1, -1);
		}

		@Operation(nonParallelGroup = "scheduler")
		public void schedule() {
			turn();
		}

		@Operation(nonParallelGroup = "client")
		public void acknowledge() {
			this.now += APART;
			if (this.memory.compareAndSet(0, 1) && this.lines.memoryFreed()) {
				this.work.incrementAndGet();
			}
		}

		@Validate
		public void everyRecordEndedOnce() {
			verify();
		}

	}

	/** The lines, a client, and what a producer around them does. */
	abstract static class Model implements LineClient<String, TestWaiter> {

		static final long TIMEOUT = 1_000;

		final AtomicInteger work = new AtomicInteger();

		final Lines<String, TestWaiter> lines = new Lines<>(this,
				(topic) -> new LineSettings(timeout(), timeout(), Integer.MAX_VALUE, new Backoff(100, 1, 100, 0), 100),
				100, 1_000, () -> this.now, () -> 0.5, new LineListener() {

					@Override
					public void released(String topic) {
						Model.this.work.incrementAndGet();
					}

				});

		final AtomicInteger memory = new AtomicInteger(Integer.MAX_VALUE);

		volatile long now = 1;

		volatile boolean closed;

		private final AtomicInteger numbers = new AtomicInteger();

		private final ConcurrentLinkedQueue<TestWaiter> sent = new ConcurrentLinkedQueue<>();

		private final ConcurrentLinkedQueue<TestWaiter> handedOver = new ConcurrentLinkedQueue<>();

		private final ConcurrentLinkedQueue<TestWaiter> passed = new ConcurrentLinkedQueue<>();

		/** Per sender and partition, written by the sender only. */
		private final List<Map<Integer, TestWaiter>> last = List.of(new HashMap<>(), new HashMap<>());

		private final Map<TestWaiter, Integer> senders = new ConcurrentHashMap<>();

		private volatile int partitions;

		private int answered;

		private long wait = 0;

		long timeout() {
			return TIMEOUT;
		}

		void send(int sender, int partition) {
			TestWaiter waiter = new TestWaiter(this.numbers.incrementAndGet(), "a", partition, 1, this.now);
			this.sent.add(waiter);
			this.senders.put(waiter, sender);
			TestWaiter before = this.last.get(sender).put(partition, waiter);
			if (!this.lines.mustWait("a", partition)) {
				if (before != null && before.ends.get() != 1) {
					// A line fails its records without its lock, so this one may be about
					// to.
					this.passed.add(before);
				}
				int known = this.partitions;
				if (known > 0 && partition < known) {
					waiter.take();
					if (handOver(waiter) == HandOver.DONE) {
						return;
					}
					waiter.giveBack();
				}
				join(waiter, known > 0 && partition >= known);
				return;
			}
			join(waiter, false);
		}

		private void join(TestWaiter waiter, boolean partitionMissing) {
			LineEnd<String> refusal = this.lines.join(waiter, partitionMissing);
			if (refusal != null) {
				waiter.fail(refusal);
			}
			this.work.incrementAndGet();
		}

		/** One step of the worker, unless it would sleep. */
		void turn() {
			int seen = this.work.get();
			if (seen != this.answered || this.wait == 0) {
				this.wait = this.lines.doWork();
				this.answered = seen;
			}
		}

		void know(int count) {
			this.partitions = count;
			this.lines.changed();
			this.work.incrementAndGet();
		}

		void verify() {
			settle();
			if (this.memory.get() > 0) {
				int known = this.partitions;
				for (TestWaiter waiter : this.sent) {
					check(waiter.ends.get() == 1 || known == 0 || known <= waiter.partition(),
							waiter + " waits for a signal that will not come");
				}
			}
			check(!this.closed || this.lines.waitingRecords() == 0, "a record waits in a closed line");
			this.memory.set(Integer.MAX_VALUE);
			know(2);
			settle();
			for (TestWaiter waiter : this.sent) {
				check(waiter.ends.get() == 1, waiter + " did not end once");
			}
			check(this.lines.waitingRecords() == 0 && this.lines.waitingBytes() == 0, "the backlog is not empty");
			check(!this.lines.mustWait("a", -1) && !this.lines.mustWait("a", 1), "a line is left");
			for (TestWaiter waiter : this.passed) {
				check(waiter.end() != null, waiter + " was on its way when a later one went to the client");
			}
			Map<String, Integer> latest = new HashMap<>();
			for (TestWaiter waiter : this.handedOver) {
				Integer before = latest.put(this.senders.get(waiter) + "/" + waiter.partition(), waiter.number);
				check(before == null || before < waiter.number, waiter + " was overtaken by " + before);
			}
		}

		/** Let the scheduler run until it would sleep; time stands still. */
		private void settle() {
			for (int i = 0; i < 50 && (this.work.get() != this.answered || this.wait == 0); i++) {
				turn();
			}
		}

		private static void check(boolean holds, String otherwise) {
			if (!holds) {
				throw new IllegalStateException(otherwise);
			}
		}

		@Override
		public Probe<String> probe(String topic, long since) {
			int count = this.partitions;
			return (count > 0) ? Probe.known(count) : Probe.unknown();
		}

		@Override
		public HandOver handOver(TestWaiter waiter) {
			int count = this.partitions;
			if (count == 0 || waiter.partition() >= count) {
				return HandOver.NO_METADATA;
			}
			int left;
			do {
				left = this.memory.get();
				if (left == 0) {
					return HandOver.NO_MEMORY;
				}
			}
			while (!this.memory.compareAndSet(left, left - 1));
			this.handedOver.add(waiter);
			waiter.handedOver();
			return HandOver.DONE;
		}

		@Override
		public String diagnose(String topic, int partition, long since, Obstacle obstacle) {
			return "slow";
		}

	}

}
