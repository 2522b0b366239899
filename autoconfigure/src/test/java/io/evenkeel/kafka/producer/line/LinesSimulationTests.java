package io.evenkeel.kafka.producer.line;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Thousands of seeded histories of one sending thread, the scheduler and the timer, whose
 * turns come in any order. After each: every record ended once, none later than its
 * deadline allows, and none overtook an earlier one of its topic and partition.
 */
class LinesSimulationTests {

	private static final long MILLI = 1_000_000;

	private static final long TIMEOUT = 3_000 * MILLI;

	@ParameterizedTest
	@ValueSource(longs = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 })
	void everyHistoryKeepsThePromises(long block) {
		for (long seed = block * 400; seed < (block + 1) * 400; seed++) {
			new History(seed).play();
		}
	}

	private static final class History {

		private static final String[] TOPICS = { "a", "b", "c" };

		private final Random random;

		private final long seed;

		private final TestClient client = new TestClient();

		private final Lines<String, TestWaiter> lines;

		private final List<TestWaiter> sent = new ArrayList<>();

		private final Map<TestWaiter, Long> endedAt = new HashMap<>();

		private long now = 1;

		private long schedulerAt;

		private long timerAt;

		History(long seed) {
			this.seed = seed;
			this.random = new Random(seed);
			LineSettings settings = new LineSettings(TIMEOUT, TIMEOUT,
					this.random.nextBoolean() ? Integer.MAX_VALUE : 4, new Backoff(100 * MILLI, 2, 1_000 * MILLI, 0.2),
					this.random.nextBoolean() ? 500 * MILLI : 0);
			this.lines = new Lines<>(this.client, (topic) -> settings, 50, 400, () -> this.now, this.random::nextDouble,
					LineListener.NONE);
		}

		void play() {
			for (int step = 0; step < 400; step++) {
				turn();
				assertThat(this.lines.waitingRecords()).as("seed %s", this.seed)
					.isEqualTo(this.sent.stream().filter(TestWaiter::isWaiting).count());
			}
			for (String topic : TOPICS) {
				this.client.partitions.put(topic, 4);
			}
			this.client.losesMetadata.clear();
			this.client.memory = Integer.MAX_VALUE;
			for (int step = 0; step < 200; step++) {
				this.now += 50 * MILLI;
				runDue();
			}
			verify();
		}

		private void turn() {
			switch (this.random.nextInt(10)) {
				case 0, 1, 2, 3 -> send();
				case 4 -> change();
				case 5 -> {
					this.client.memory = this.random.nextInt(6);
					if (this.lines.memoryFreed()) {
						this.schedulerAt = this.now;
					}
				}
				case 6 -> this.now += this.random.nextInt(800) * MILLI;
				default -> this.now += this.random.nextInt(60) * MILLI;
			}
			if (this.random.nextInt(3) > 0) {
				runDue();
			}
		}

		private void send() {
			String topic = TOPICS[this.random.nextInt(TOPICS.length)];
			int partition = this.random.nextInt(3) == 0 ? this.random.nextInt(4) : -1;
			TestWaiter waiter = new TestWaiter(this.sent.size(), topic, partition, 1 + this.random.nextInt(12),
					this.now);
			this.sent.add(waiter);
			boolean partitionMissing = false;
			if (!this.lines.mustWait(topic, partition)) {
				int known = this.client.probe(topic, this.now).partitions();
				if (known > 0 && partition < known && waiter.take()) {
					if (this.client.handOver(waiter) == HandOver.DONE) {
						ended();
						return;
					}
					waiter.giveBack();
				}
				partitionMissing = known > 0 && partition >= known;
			}
			LineEnd<String> refusal = this.lines.join(waiter, partitionMissing);
			if (refusal != null) {
				waiter.fail(refusal);
			}
			this.schedulerAt = this.now;
			this.timerAt = this.now;
			ended();
		}

		private void change() {
			String topic = TOPICS[this.random.nextInt(TOPICS.length)];
			switch (this.random.nextInt(5)) {
				case 0 -> this.client.partitions.remove(topic);
				case 1 -> this.client.losesMetadata.add(topic);
				case 2 -> this.client.losesMetadata.remove(topic);
				default -> this.client.partitions.put(topic, 1 + this.random.nextInt(4));
			}
			this.lines.changed();
			this.schedulerAt = this.now;
		}

		private void runDue() {
			for (int i = 0; i < 20 && (this.now >= this.schedulerAt || this.now >= this.timerAt); i++) {
				if (this.now >= this.schedulerAt) {
					long wait = this.lines.doWork();
					this.schedulerAt = (wait == LineWorker.UNTIL_SIGNALLED) ? Long.MAX_VALUE : this.now + wait;
				}
				if (this.now >= this.timerAt) {
					long wait = this.lines.expire();
					this.timerAt = (wait == LineWorker.UNTIL_SIGNALLED) ? Long.MAX_VALUE : this.now + wait;
				}
				ended();
			}
		}

		private void ended() {
			for (TestWaiter waiter : this.sent) {
				if (waiter.ends.get() > 0) {
					this.endedAt.putIfAbsent(waiter, this.now);
				}
			}
		}

		private void verify() {
			Map<String, Integer> last = new HashMap<>();
			for (TestWaiter waiter : this.client.handedOver) {
				// A record without a partition may go to any, so it is ordered with its
				// like.
				String lane = waiter.topic() + "/" + waiter.partition();
				Integer before = last.put(lane, waiter.number);
				assertThat(before == null || before < waiter.number)
					.as("seed %s: %s after %s", this.seed, waiter, before)
					.isTrue();
			}
			for (TestWaiter waiter : this.sent) {
				assertThat(waiter.ends).as("seed %s: ends of %s", this.seed, waiter).hasValue(1);
				// The largest step of the clock passes between a deadline and its turn.
				assertThat(this.endedAt.get(waiter) - waiter.startedAt()).as("seed %s: wait of %s", this.seed, waiter)
					.isLessThanOrEqualTo(TIMEOUT + 5_000 * MILLI);
			}
			assertThat(this.lines.waitingRecords()).isZero();
			assertThat(this.lines.waitingBytes()).isZero();
		}

	}

}
