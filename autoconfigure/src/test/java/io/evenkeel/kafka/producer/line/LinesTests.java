package io.evenkeel.kafka.producer.line;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The lines, stepped by hand with a manual clock.
 */
class LinesTests {

	private static final long MILLI = 1_000_000;

	private final TestClient client = new TestClient();

	private final List<String> windows = new ArrayList<>();

	private long now = 5_000 * MILLI;

	private int number;

	private LineSettings settings = settings(10_000, Integer.MAX_VALUE, 5_000);

	private Lines<String, TestWaiter> lines = lines(100, 10_000);

	@Test
	void recordsAreHandedOverInOrderOnceTheTopicIsKnown() {
		List<TestWaiter> sent = join("a", 5);
		this.lines.doWork();
		assertThat(this.client.handedOver).isEmpty();
		assertThat(this.lines.mustWait("a", -1)).isTrue();
		this.client.partitions.put("a", 3);
		this.lines.changed();
		work();
		assertThat(this.client.handedOver).containsExactlyElementsOf(sent);
		assertThat(this.lines.mustWait("a", -1)).isFalse();
		assertThat(this.lines.waitingRecords()).isZero();
		assertThat(this.lines.waitingBytes()).isZero();
	}

	/** Red when the line retires before its head was handed over. */
	@Test
	void aLineExistsWhileItsHeadIsOnItsWay() {
		join("a", 1);
		this.client.partitions.put("a", 1);
		this.client.memory = 0;
		work();
		assertThat(this.lines.mustWait("a", -1)).isTrue();
		this.client.memory = 10;
		assertThat(this.lines.memoryFreed()).isTrue();
		work();
		assertThat(this.lines.mustWait("a", -1)).isFalse();
		assertThat(this.lines.memoryFreed()).isFalse();
	}

	@Test
	void attemptsFollowTheBackoff() {
		join("a", 1);
		this.lines.doWork();
		int first = this.client.probes;
		List<Long> waits = new ArrayList<>();
		for (int i = 0; i < 6; i++) {
			long wait = this.lines.doWork();
			waits.add(wait / MILLI);
			this.now += wait;
			this.lines.doWork();
		}
		assertThat(waits).containsExactly(100L, 200L, 400L, 800L, 1000L, 1000L);
		assertThat(this.client.probes - first).isEqualTo(6);
	}

	/** Red when a change counts as an attempt: eleven answers would use up three. */
	@Test
	void aChangeIsAReasonToLookButNoAttempt() {
		this.settings = settings(10_000, 3, 0);
		TestWaiter waiter = join("a", 1).get(0);
		for (int i = 0; i < 11; i++) {
			this.lines.changed();
			this.lines.doWork();
		}
		assertThat(waiter.isWaiting()).isTrue();
		assertThat(this.client.probes).isEqualTo(11);
		work(300 * MILLI);
		assertThat(waiter.end()).isEqualTo(new LineEnd<>(LineEnd.Kind.ATTEMPTS_EXHAUSTED, "a/-1/METADATA", 3));
	}

	@Test
	void aTimedOutHeadFailsItsLineInOrderAndNoOther() {
		List<TestWaiter> sent = join("a", 3);
		this.now += 9_000 * MILLI;
		TestWaiter late = join("a", 1).get(0);
		TestWaiter other = join("b", 1).get(0);
		assertThat(this.lines.expire()).isEqualTo(1_000 * MILLI);
		this.now += 1_000 * MILLI;
		this.lines.expire();
		assertThat(sent).allSatisfy((waiter) -> assertThat(waiter.end().kind()).isEqualTo(LineEnd.Kind.TIMED_OUT));
		assertThat(late.end().kind()).isEqualTo(LineEnd.Kind.TIMED_OUT);
		assertThat(late.end().cause()).isEqualTo("a/-1/METADATA");
		assertThat(other.isWaiting()).isTrue();
		assertThat(this.lines.waitingRecords()).isEqualTo(1);
	}

	@Test
	void sendsFailFastAfterATimeoutUntilTheWindowEnds() {
		join("a", 1);
		this.now += 10_000 * MILLI;
		this.lines.expire();
		assertThat(this.windows).containsExactly("a true");
		TestWaiter refused = waiter("a", -1);
		assertThat(this.lines.join(refused, false))
			.isEqualTo(new LineEnd<>(LineEnd.Kind.FAIL_FAST, "a/-1/METADATA", 0));
		assertThat(this.lines.join(waiter("b", -1), false)).isNull();
		work(5_000 * MILLI);
		assertThat(this.windows).containsExactly("a true", "a false");
		assertThat(this.lines.join(waiter("a", -1), false)).isNull();
	}

	@Test
	void aProbeThatFindsTheTopicClosesTheWindow() {
		join("a", 1);
		this.now += 10_000 * MILLI;
		this.lines.expire();
		work(300 * MILLI);
		assertThat(this.lines.mustWait("a", -1)).isTrue();
		this.client.partitions.put("a", 1);
		work(1_200 * MILLI);
		assertThat(this.windows).containsExactly("a true", "a false");
		assertThat(this.lines.mustWait("a", -1)).isFalse();
	}

	@Test
	void noWindowOpensForMemory() {
		this.client.partitions.put("a", 1);
		this.client.memory = 0;
		TestWaiter waiter = join("a", 1).get(0);
		work();
		this.now += 10_000 * MILLI;
		this.lines.expire();
		assertThat(waiter.end().cause()).isEqualTo("a/-1/MEMORY");
		assertThat(this.windows).isEmpty();
	}

	@Test
	void aRefusedTopicFailsItsLineAtOnceAndOpensNoWindow() {
		List<TestWaiter> sent = join("a", 2);
		this.client.refusals.put("a", "not authorized");
		this.lines.doWork();
		assertThat(sent).allSatisfy((waiter) -> assertThat(waiter.end())
			.isEqualTo(new LineEnd<>(LineEnd.Kind.REFUSED, "not authorized", 1)));
		assertThat(this.windows).isEmpty();
	}

	@Test
	void oneRecordOrByteTooManyIsRefused() {
		this.lines = lines(3, 1_000);
		join("a", 2);
		assertThat(this.lines.join(new TestWaiter(7, "b", -1, 990, this.now), false).kind())
			.isEqualTo(LineEnd.Kind.BUFFER_FULL);
		join("b", 1);
		assertThat(this.lines.join(waiter("c", -1), false).kind()).isEqualTo(LineEnd.Kind.BUFFER_FULL);
		assertThat(this.lines.waitingRecords()).isEqualTo(3);
		assertThat(this.lines.waitingBytes()).isEqualTo(30);
	}

	@Test
	void aMissingPartitionHoldsOnlyItself() {
		TestWaiter first = waiter("a", -1);
		TestWaiter missing = waiter("a", 4);
		TestWaiter third = waiter("a", 1);
		for (TestWaiter waiter : List.of(first, missing, third)) {
			this.lines.join(waiter, false);
		}
		this.client.partitions.put("a", 2);
		work();
		assertThat(this.client.handedOver).containsExactly(first, third);
		assertThat(this.lines.mustWait("a", -1)).isFalse();
		assertThat(this.lines.mustWait("a", 1)).isFalse();
		assertThat(this.lines.mustWait("a", 4)).isTrue();
		assertThat(this.lines.waitingRecords()).isEqualTo(1);
		this.client.partitions.put("a", 8);
		this.lines.changed();
		work();
		assertThat(this.client.handedOver).containsExactly(first, third, missing);
		assertThat(this.lines.waitingRecords()).isZero();
	}

	@Test
	void metadataLostOnTheWayKeepsTheRecord() {
		this.client.partitions.put("a", 1);
		this.client.losesMetadata.add("a");
		List<TestWaiter> sent = join("a", 2);
		work();
		assertThat(sent).allMatch(TestWaiter::isWaiting);
		this.client.losesMetadata.clear();
		work(1_500 * MILLI);
		assertThat(this.client.handedOver).containsExactlyElementsOf(sent);
	}

	@Test
	void closingFailsWhatWaitsAndWhatJoinsLater() {
		List<TestWaiter> sent = join("a", 2);
		assertThat(this.lines.close()).isEqualTo(2);
		assertThat(sent).allSatisfy((waiter) -> assertThat(waiter.end().kind()).isEqualTo(LineEnd.Kind.CLOSED));
		TestWaiter late = waiter("b", -1);
		this.lines.join(late, false);
		assertThat(late.end().kind()).isEqualTo(LineEnd.Kind.CLOSED);
		assertThat(this.lines.waitingRecords()).isZero();
	}

	private List<TestWaiter> join(String topic, int count) {
		List<TestWaiter> result = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			TestWaiter waiter = waiter(topic, -1);
			assertThat(this.lines.join(waiter, false)).isNull();
			result.add(waiter);
		}
		return result;
	}

	private TestWaiter waiter(String topic, int partition) {
		return new TestWaiter(this.number++, topic, partition, 10, this.now);
	}

	private void work() {
		for (int i = 0; i < 10; i++) {
			this.lines.doWork();
		}
	}

	private void work(long duration) {
		long end = this.now + duration;
		while (this.now < end) {
			long wait = this.lines.doWork();
			this.now = Math.min(end, this.now + Math.min(wait, 50 * MILLI));
		}
		this.lines.doWork();
	}

	private Lines<String, TestWaiter> lines(int maxRecords, long maxBytes) {
		return new Lines<>(this.client, (topic) -> this.settings, maxRecords, maxBytes, () -> this.now, () -> 0.5,
				new LineListener() {

					@Override
					public void failFast(String topic, boolean open) {
						LinesTests.this.windows.add(topic + " " + open);
					}

				});
	}

	private static LineSettings settings(long timeoutMillis, int maxAttempts, long failFastMillis) {
		return new LineSettings(timeoutMillis * MILLI, maxAttempts, new Backoff(100 * MILLI, 2, 1_000 * MILLI, 0),
				failFastMillis * MILLI);
	}

}
