package io.evenkeel.kafka.producer.line;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The lines, stepped by hand with a manual clock.
 */
class LinesTests {

	private static final long MILLI = 1_000_000;

	private static final long UNKNOWN = 10_000 * MILLI;

	private final TestClient client = new TestClient();

	private final List<String> windows = new ArrayList<>();

	private final List<String> slow = new ArrayList<>();

	private int hurried;

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

	/** Red when a line fails its records under its lock: senders would stand behind. */
	@Test
	void nobodyIsHeldWhileALineFails() throws Exception {
		this.settings = settings(10_000, Integer.MAX_VALUE, 0);
		List<TestWaiter> sent = join("a", 2);
		CountDownLatch failing = new CountDownLatch(1);
		CountDownLatch joined = new CountDownLatch(1);
		sent.get(1).onEnd = () -> {
			failing.countDown();
			waitFor(joined);
		};
		this.now += 10_000 * MILLI;
		Thread timer = new Thread(this.lines::expire);
		timer.start();
		waitFor(failing);
		CompletableFuture<Void> sender = CompletableFuture.runAsync(() -> join("a", 1));
		sender.get(10, TimeUnit.SECONDS);
		joined.countDown();
		timer.join();
		assertThat(sent.get(1).end().kind()).isEqualTo(LineEnd.Kind.TIMED_OUT);
		assertThat(this.lines.waitingRecords()).isEqualTo(1);
	}

	/** Red when what is given back after the close is not looked at again. */
	@Test
	void aRecordThatIsOnItsWayWhenTheLinesCloseEnds() {
		TestWaiter waiter = join("a", 1).get(0);
		this.client.partitions.put("a", 1);
		this.client.memory = 0;
		this.client.onHandOver = this.lines::close;
		this.lines.changed();
		this.lines.doWork();
		assertThat(waiter.end().kind()).isEqualTo(LineEnd.Kind.CLOSED);
		assertThat(this.lines.waitingRecords()).isZero();
	}

	/** Red when asking for a partition that nobody waits for counts as having it. */
	@Test
	void theWindowOfAMissingPartitionStaysOpen() {
		this.client.partitions.put("a", 1);
		assertThat(this.lines.join(waiter("a", 7), true)).isNull();
		this.now += 10_000 * MILLI;
		this.lines.expire();
		work(4_000 * MILLI);
		LineEnd<String> refusal = this.lines.join(waiter("a", 7), true);
		assertThat(refusal).isNotNull();
		assertThat(refusal.kind()).isEqualTo(LineEnd.Kind.FAIL_FAST);
		work(2_000 * MILLI);
		assertThat(this.windows).containsExactly("a true", "a false");
	}

	/** Red when a record moves into a line that refuses all others. */
	@Test
	void aRecordThatMovesBehindAnOpenWindowFailsFast() {
		this.client.partitions.put("a", 1);
		assertThat(this.lines.join(waiter("a", 7), true)).isNull();
		this.now += 10_000 * MILLI;
		this.lines.expire();
		this.client.partitions.remove("a");
		TestWaiter moved = waiter("a", 7);
		this.lines.join(waiter("a", -1), false);
		this.lines.join(moved, false);
		this.client.partitions.put("a", 1);
		this.lines.changed();
		work();
		assertThat(moved.end().kind()).isEqualTo(LineEnd.Kind.FAIL_FAST);
		assertThat(this.lines.waitingRecords()).isZero();
		assertThat(this.lines.waitingBytes()).isZero();
		work(6_000 * MILLI);
		assertThat(this.windows).containsExactly("a true", "a false");
	}

	/** Red when only the scheduler hands over: a fast sender would keep its line. */
	@Test
	void aSenderEmptiesTheLineOfATopicThatIsReady() {
		List<TestWaiter> sent = join("a", 20);
		this.client.partitions.put("a", 1);
		this.lines.help("a", 1);
		assertThat(this.client.handedOver).isNotEmpty().hasSizeLessThan(20);
		for (int i = 0; i < 10; i++) {
			sent.addAll(join("a", 1));
			this.lines.help("a", 1);
		}
		assertThat(this.client.handedOver).containsExactlyElementsOf(sent);
		assertThat(this.lines.mustWait("a", -1)).isFalse();
		assertThat(this.lines.waitingBytes()).isZero();
		this.lines.help("a", 1);
	}

	/** Red when two threads serve: one record would be handed over while another is. */
	@Test
	void nobodyHelpsWhileTheLineIsBeingServed() {
		List<TestWaiter> sent = join("a", 3);
		this.client.partitions.put("a", 1);
		AtomicInteger inside = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		this.client.onHandOver = () -> {
			most.accumulateAndGet(inside.incrementAndGet(), Math::max);
			CompletableFuture<Void> helper = CompletableFuture.runAsync(() -> this.lines.help("a", 1));
			assertThat(helper).succeedsWithin(10, TimeUnit.SECONDS);
			inside.decrementAndGet();
		};
		this.lines.changed();
		work();
		assertThat(most).hasValue(1);
		assertThat(this.client.handedOver).containsExactlyElementsOf(sent);
	}

	/** Red when a topic whose records take long is served as long as it has any. */
	@Test
	void aSlowTopicGivesTheOthersTheirTurn() {
		join("a", 50);
		join("b", 1);
		this.client.partitions.put("a", 1);
		this.client.partitions.put("b", 1);
		this.client.onHandOver = () -> this.now += 15 * MILLI;
		this.lines.changed();
		this.lines.doWork();
		this.lines.doWork();
		assertThat(this.client.handedOver).extracting(TestWaiter::topic).contains("b").hasSizeLessThan(10);
	}

	/** Red when freed memory is found by the back-off of attempts only. */
	@Test
	void memoryIsLookedForAgainSoon() {
		TestWaiter waiter = join("a", 1).get(0);
		this.client.partitions.put("a", 1);
		this.client.memory = 0;
		this.lines.changed();
		assertThat(this.lines.doWork()).isLessThanOrEqualTo(20 * MILLI);
		this.client.memory = 1;
		work(20 * MILLI);
		assertThat(this.client.handedOver).containsExactly(waiter);
	}

	private static void waitFor(CountDownLatch latch) {
		try {
			assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
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

	/**
	 * Red when a line that failed lives on: its next head would wait for its back-off.
	 */
	@Test
	void withoutAWindowTheNextRecordIsAskedForAnew() {
		this.settings = settings(10_000, Integer.MAX_VALUE, 0);
		this.lines = lines(100, 10_000);
		join("a", 1);
		work(9_000 * MILLI);
		this.now += 1_000 * MILLI;
		this.lines.expire();
		TestWaiter next = join("a", 1).get(0);
		long wait = this.lines.doWork();
		assertThat(wait).isLessThanOrEqualTo(120 * MILLI);
		this.client.partitions.put("a", 1);
		work(120 * MILLI);
		assertThat(this.client.handedOver).containsExactly(next);
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

	/** Red when an unknown topic is waited for as long as an unreachable cluster. */
	@Test
	void whatTheClusterDoesNotKnowFailsSooner() {
		this.settings = settings(60_000, Integer.MAX_VALUE, 5_000);
		this.client.unknown.add("a");
		TestWaiter missing = join("a", 1).get(0);
		TestWaiter silent = join("b", 1).get(0);
		work(200 * MILLI);
		assertThat(this.hurried).isOne();
		expireAt(missing.startedAt() + UNKNOWN - MILLI);
		assertThat(missing.end()).isNull();
		expireAt(missing.startedAt() + UNKNOWN);
		assertThat(missing.end().kind()).isEqualTo(LineEnd.Kind.UNKNOWN_TOPIC);
		assertThat(silent.end()).isNull();
		expireAt(silent.startedAt() + 60_000 * MILLI);
		assertThat(silent.end().kind()).isEqualTo(LineEnd.Kind.TIMED_OUT);
	}

	/** Red when the first answer after an outage ends everything that waited. */
	@Test
	void theFirstAnswerAfterAnOutageEndsNothing() {
		this.settings = settings(60_000, Integer.MAX_VALUE, 5_000);
		TestWaiter waiter = join("a", 1).get(0);
		work(30_000 * MILLI);
		this.client.unknown.add("a");
		this.lines.changed();
		this.lines.doWork();
		expireAt(this.now + UNKNOWN / 2 - MILLI);
		assertThat(waiter.end()).isNull();
		this.client.unknown.remove("a");
		this.client.partitions.put("a", 1);
		this.lines.changed();
		work();
		assertThat(this.client.handedOver).containsExactly(waiter);
	}

	/** Red when a cluster that fell silent counts as one that does not know. */
	@Test
	void aClusterThatFallsSilentSaysNothing() {
		this.settings = settings(60_000, Integer.MAX_VALUE, 5_000);
		this.client.unknown.add("a");
		TestWaiter waiter = join("a", 1).get(0);
		work(2_000 * MILLI);
		this.client.unknown.clear();
		work(2_000 * MILLI);
		expireAt(waiter.startedAt() + UNKNOWN);
		assertThat(waiter.end()).isNull();
	}

	/** Red when a line that waits for an unknown partition waits for the long time. */
	@Test
	void aPartitionThatTheClusterDoesNotKnowFailsSooner() {
		this.settings = settings(60_000, Integer.MAX_VALUE, 0);
		this.client.partitions.put("a", 2);
		this.client.unknown.add("a");
		TestWaiter waiter = waiter("a", 4);
		this.lines.join(waiter, true);
		work(200 * MILLI);
		expireAt(waiter.startedAt() + UNKNOWN);
		assertThat(waiter.end().kind()).isEqualTo(LineEnd.Kind.UNKNOWN_TOPIC);
	}

	/** Red when each record, or none, says that it waits. */
	@Test
	void aLongWaitIsToldOncePerLine() {
		join("a", 5);
		expireAt(this.now + 2_900 * MILLI);
		assertThat(this.slow).isEmpty();
		assertThat(this.lines.expire()).isLessThanOrEqualTo(100 * MILLI);
		expireAt(this.now + 100 * MILLI);
		expireAt(this.now + 100 * MILLI);
		join("a", 5);
		expireAt(this.now + 100 * MILLI);
		assertThat(this.slow).containsExactly("a/-1/METADATA");
	}

	/** Red when a cluster that is being started has everything fail at once. */
	@Test
	void nothingFailsAtOnceBeforeTheFirstWaitCouldBeOver() {
		this.settings = settings(10_000, 3, 5_000);
		this.client.answers = false;
		TestWaiter first = join("a", 1).get(0);
		work(2_000 * MILLI);
		assertThat(first.end().kind()).isEqualTo(LineEnd.Kind.ATTEMPTS_EXHAUSTED);
		assertThat(this.windows).isEmpty();
		this.now += 10_000 * MILLI;
		join("a", 1);
		work(2_000 * MILLI);
		assertThat(this.windows).containsExactly("a true");
	}

	private void expireAt(long time) {
		this.now = time;
		this.lines.expire();
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

					@Override
					public void slow(String topic, int partition, long startedAt, Obstacle obstacle) {
						LinesTests.this.slow.add(topic + "/" + partition + "/" + obstacle);
					}

					@Override
					public void hurried(String topic) {
						LinesTests.this.hurried++;
					}

				});
	}

	private static LineSettings settings(long timeoutMillis, int maxAttempts, long failFastMillis) {
		return new LineSettings(timeoutMillis * MILLI, Math.min(timeoutMillis, UNKNOWN / MILLI) * MILLI, maxAttempts,
				new Backoff(100 * MILLI, 2, 1_000 * MILLI, 0), failFastMillis * MILLI);
	}

}
