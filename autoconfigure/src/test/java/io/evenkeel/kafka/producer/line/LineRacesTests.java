package io.evenkeel.kafka.producer.line;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Races that were found or feared, each played by hand: the test does what the other
 * thread would do, exactly at the moment where it hurts.
 */
class LineRacesTests {

	private static final long MILLI = 1_000_000;

	private final TestClient client = new TestClient();

	private final List<Thread> threads = new CopyOnWriteArrayList<>();

	private final List<LineWorker> workers = new ArrayList<>();

	private final AtomicLong now = new AtomicLong(1);

	private final AtomicInteger number = new AtomicInteger();

	private final Lines<String, TestWaiter> lines = new Lines<>(this.client,
			(topic) -> new LineSettings(10_000 * MILLI, 10_000 * MILLI, Integer.MAX_VALUE,
					new Backoff(5_000 * MILLI, 1, 5_000 * MILLI, 0), 1_000 * MILLI),
			100, 10_000, this.now::get, () -> 0.5, LineListener.NONE);

	@AfterEach
	void stop() {
		this.workers.forEach(LineWorker::stop);
	}

	/**
	 * The line of the partition times out while a record moves there from the topic's
	 * line: it was in both, taken, and the line that failed dropped it unanswered.
	 */
	@Test
	void aRecordThatMovesIsNotDroppedByTheLineThatFails() {
		this.client.partitions.put("a", 1);
		TestWaiter first = waiter("a", 1);
		assertThat(this.lines.join(first, true)).isNull();
		this.now.addAndGet(5_000 * MILLI);
		this.client.partitions.remove("a");
		assertThat(this.lines.join(waiter("a", -1), false)).isNull();
		TestWaiter moving = waiter("a", 1);
		assertThat(this.lines.join(moving, false)).isNull();
		this.client.partitions.put("a", 1);
		this.lines.changed();
		moving.beforeGiveBack = () -> {
			this.now.set(first.startedAt() + 10_000 * MILLI);
			this.lines.expire();
		};
		this.lines.doWork();
		assertThat(first.end().kind()).isEqualTo(LineEnd.Kind.TIMED_OUT);
		this.now.set(moving.startedAt() + 10_000 * MILLI);
		this.lines.expire();
		assertThat(moving.ends).hasValue(1);
		assertThat(this.lines.waitingRecords()).isZero();
	}

	/** Red when closing forgets what is being handed over and comes back. */
	@Test
	void aRecordThatComesBackAfterTheLinesWereClosedFails() {
		this.client.partitions.put("a", 1);
		this.client.memory = 0;
		TestWaiter waiter = waiter("a", -1);
		this.lines.join(waiter, false);
		this.client.duringHandOver = this.lines::close;
		this.lines.doWork();
		assertThat(waiter.ends).hasValue(1);
		assertThat(waiter.end().kind()).isEqualTo(LineEnd.Kind.CLOSED);
		assertThat(this.lines.waitingRecords()).isZero();
	}

	/** Red when closing forgets a record on its way to the line of its partition. */
	@Test
	void aRecordThatMovesWhileTheLinesAreClosedFails() {
		TestWaiter moving = waiter("a", 1);
		this.lines.join(moving, false);
		this.client.partitions.put("a", 1);
		moving.beforeGiveBack = this.lines::close;
		this.lines.changed();
		this.lines.doWork();
		assertThat(moving.ends).hasValue(1);
		assertThat(this.lines.waitingRecords()).isZero();
	}

	/** Red when a line begins to wait for memory without asking once more. */
	@Test
	void memoryFreedWhileTheClientRefusesIsNotMissed() {
		this.client.partitions.put("a", 1);
		this.client.memory = 0;
		TestWaiter waiter = waiter("a", -1);
		this.lines.join(waiter, false);
		this.client.duringHandOver = () -> {
			this.client.memory = 1;
			this.lines.memoryFreed();
			this.client.duringHandOver = () -> {
			};
		};
		long wait = this.lines.doWork();
		assertThat((wait == 0) ? this.lines.doWork() : wait).isZero();
		assertThat(waiter.ends).hasValue(1);
	}

	/** Red when freed memory wakes nobody: the back-off here is five seconds. */
	@Test
	void freedMemoryWakesTheLine() {
		this.client.partitions.put("a", 1);
		this.client.memory = 0;
		TestWaiter waiter = waiter("a", -1);
		this.lines.join(waiter, false);
		while (this.lines.doWork() == 0) {
			assertThat(waiter.isWaiting()).isTrue();
		}
		this.client.memory = 1;
		assertThat(this.lines.memoryFreed()).isTrue();
		this.lines.doWork();
		assertThat(waiter.ends).hasValue(1);
	}

	/** Red when a line can retire although a record has just joined, or admits then. */
	@Test
	void whoeverFindsARetiredLineMakesANewOne() {
		Line<String, TestWaiter> line = new Line<>("a", -1, new LineSettings(1, 1, 1, new Backoff(1, 1, 1, 0), 0),
				new Backlog(10, 10), LineListener.NONE, 0);
		TestWaiter waiter = waiter("a", -1);
		assertThat(line.join(waiter, false, 0).first()).isTrue();
		assertThat(line.retire(0, true)).isFalse();
		line.removeHead(waiter, true);
		assertThat(line.retire(0, true)).isTrue();
		assertThat(line.join(waiter("a", -1), false, 0).gone()).isTrue();
		assertThat(line.adopt(waiter("a", -1))).isFalse();
	}

	/** Red when the head leaves its line before it was handed over. */
	@Test
	void theLineHoldsItsSendersWhileItsHeadIsOnItsWay() {
		this.client.partitions.put("a", 1);
		this.lines.join(waiter("a", -1), false);
		List<Boolean> seen = new ArrayList<>();
		this.client.duringHandOver = () -> {
			seen.add(this.lines.mustWait("a", -1));
			seen.add(this.lines.waitingRecords() == 1);
		};
		this.lines.doWork();
		assertThat(seen).containsExactly(true, true);
		assertThat(this.lines.waitingRecords()).isZero();
	}

	/** Red when deadlines are fired by the thread that hands over. */
	@Test
	void aDeadlineFiresWhileAHandOverIsStuck() {
		this.client.partitions.put("a", 1);
		CountDownLatch stuck = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		this.client.duringHandOver = () -> {
			stuck.countDown();
			awaitQuietly(release);
		};
		TestWaiter handing = waiter("a", -1);
		TestWaiter waiting = waiter("b", -1);
		this.lines.join(handing, false);
		LineWorker scheduler = worker(this.lines::doWork);
		LineWorker timer = worker(this.lines::expire);
		scheduler.start();
		awaitQuietly(stuck);
		this.lines.join(waiting, false);
		this.now.addAndGet(10_000 * MILLI);
		timer.start();
		await().atMost(Duration.ofSeconds(10)).until(() -> waiting.ends.get() == 1);
		assertThat(handing.ends).hasValue(0);
		release.countDown();
		await().atMost(Duration.ofSeconds(10)).until(() -> handing.ends.get() == 1);
	}

	/** Red when a line waits for what another line's hand-over waits for. */
	@Test
	void othersGoOnWhileAHandOverIsStuck() {
		CountDownLatch release = new CountDownLatch(1);
		AtomicInteger stuck = new AtomicInteger();
		LineWorker[] workers = new LineWorker[2];
		LineClient<String, TestWaiter> slow = new LineClient<>() {

			@Override
			public Probe<String> probe(String topic, long since) {
				return Probe.known(1);
			}

			@Override
			public HandOver handOver(TestWaiter waiter) {
				if (workers[0].detach()) {
					workers[1].signal();
				}
				try {
					if (waiter.topic().startsWith("slow")) {
						stuck.incrementAndGet();
						awaitQuietly(release);
					}
					waiter.handedOver();
					return HandOver.DONE;
				}
				finally {
					workers[0].attach();
				}
			}

			@Override
			public String diagnose(String topic, int partition, long since, Obstacle obstacle) {
				return "slow";
			}

		};
		Lines<String, TestWaiter> lines = new Lines<>(slow,
				(topic) -> new LineSettings(60_000 * MILLI, 60_000 * MILLI, Integer.MAX_VALUE,
						new Backoff(MILLI, 1, MILLI, 0), 0),
				100, 10_000, System::nanoTime, () -> 0.5, new LineListener() {

					@Override
					public void released(String topic) {
						workers[0].signal();
					}

				});
		workers[0] = worker(lines::doWork);
		workers[1] = worker(() -> workers[0].watch(System.nanoTime()));
		List<TestWaiter> slows = new ArrayList<>();
		List<TestWaiter> others = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			slows.add(new TestWaiter(i, "slow" + i, -1, 1, System.nanoTime()));
			slows.add(new TestWaiter(10 + i, "slow" + i, -1, 1, System.nanoTime()));
		}
		for (int i = 0; i < 10; i++) {
			others.add(new TestWaiter(100 + i, "other" + i, -1, 1, System.nanoTime()));
		}
		slows.forEach((waiter) -> lines.join(waiter, false));
		others.forEach((waiter) -> lines.join(waiter, false));
		workers[1].start();
		workers[0].start();
		await().atMost(Duration.ofSeconds(20))
			.until(() -> others.stream().allMatch((waiter) -> waiter.ends.get() == 1) && stuck.get() == 3);
		assertThat(slows).allMatch((waiter) -> waiter.ends.get() == 0);
		release.countDown();
		await().atMost(Duration.ofSeconds(20)).until(() -> slows.stream().allMatch((waiter) -> waiter.ends.get() == 1));
		// The worker and its watch are left.
		await().atMost(Duration.ofSeconds(20)).until(() -> this.threads.stream().filter(Thread::isAlive).count() == 2);
	}

	/** Red when whoever finds a line in other hands is not told when it is free. */
	@Test
	void aLineThatWasBusyIsLookedAtAgain() {
		List<String> released = new ArrayList<>();
		Lines<String, TestWaiter> busy = new Lines<>(this.client,
				(topic) -> new LineSettings(10_000 * MILLI, 10_000 * MILLI, Integer.MAX_VALUE,
						new Backoff(5_000 * MILLI, 1, 5_000 * MILLI, 0), 0),
				100, 10_000, this.now::get, () -> 0.5, new LineListener() {

					@Override
					public void released(String topic) {
						released.add(topic);
					}

				});
		this.client.partitions.put("a", 1);
		busy.join(waiter("a", -1), false);
		List<Long> waits = new ArrayList<>();
		this.client.duringHandOver = () -> waits.add(busy.doWork());
		busy.help("a", 1);
		assertThat(waits).containsExactly(LineWorker.UNTIL_SIGNALLED);
		assertThat(released).containsExactly("a");
		assertThat(this.client.handedOver).hasSize(1);
	}

	/** Red when a user's partitioner that hangs keeps others from their deadline. */
	@Test
	void whatWaitsBehindAStuckHandOverFailsInTime() {
		this.client.partitions.put("a", 1);
		TestWaiter head = waiter("a", -1);
		TestWaiter second = waiter("a", -1);
		TestWaiter third = waiter("a", -1);
		this.lines.join(head, false);
		this.lines.join(second, false);
		this.lines.join(third, false);
		this.client.duringHandOver = () -> {
			this.client.duringHandOver = () -> {
			};
			this.now.addAndGet(10_000 * MILLI);
			this.lines.expire();
			// The hand-over may be about to end by itself.
			assertThat(second.isWaiting()).isTrue();
			this.now.addAndGet(200 * MILLI);
			this.lines.expire();
		};
		this.lines.changed();
		this.lines.doWork();
		assertThat(second.end()).isEqualTo(new LineEnd<>(LineEnd.Kind.TIMED_OUT, "a/-1/HAND_OVER", 1));
		assertThat(third.ends).hasValue(1);
		assertThat(head.ends).hasValue(1);
		assertThat(this.client.handedOver).containsExactly(head);
		assertThat(this.lines.waitingRecords()).isZero();
	}

	/** Red when a record moves into a line that somebody else is serving. */
	@Test
	void aRecordMovesOnlyToALineThatIsFree() {
		this.client.partitions.put("a", 1);
		TestWaiter first = waiter("a", 1);
		this.lines.join(first, true);
		this.client.partitions.remove("a");
		TestWaiter behind = waiter("a", -1);
		TestWaiter moving = waiter("a", 1);
		this.lines.join(behind, false);
		this.lines.join(moving, false);
		this.client.partitions.put("a", 2);
		this.lines.changed();
		this.client.duringHandOver = () -> {
			if (first.ends.get() == 0) {
				this.client.duringHandOver = () -> {
				};
				// Another worker serves the topic's line meanwhile.
				this.lines.help("a", 2);
			}
		};
		for (int i = 0; i < 5; i++) {
			this.lines.changed();
			this.lines.doWork();
		}
		assertThat(this.client.handedOver).containsExactlyInAnyOrder(first, behind, moving);
		assertThat(this.client.handedOver.indexOf(first)).isLessThan(this.client.handedOver.indexOf(moving));
		assertThat(this.lines.waitingRecords()).isZero();
	}

	/** Red when the worker parks although it was signalled during its step. */
	@Test
	@Timeout(20)
	void aSignalDuringAStepIsFollowedByAnotherStep() throws Exception {
		CountDownLatch steps = new CountDownLatch(3);
		LineWorker[] worker = new LineWorker[1];
		worker[0] = worker(() -> {
			steps.countDown();
			worker[0].signal();
			// Takes away the permit of the signal, as locks in user code may do.
			java.util.concurrent.locks.LockSupport.parkNanos(1);
			return LineWorker.UNTIL_SIGNALLED;
		});
		worker[0].start();
		assertThat(steps.await(10, TimeUnit.SECONDS)).isTrue();
	}

	/** Red when a signal does not wake the worker. */
	@Test
	void everySignalIsFollowedByAStep() {
		AtomicInteger posted = new AtomicInteger();
		AtomicInteger handled = new AtomicInteger();
		LineWorker worker = worker(() -> {
			handled.addAndGet(posted.getAndSet(0));
			return LineWorker.UNTIL_SIGNALLED;
		});
		worker.start();
		for (int i = 1; i <= 20_000; i++) {
			posted.incrementAndGet();
			worker.signal();
			// Half of the time the worker is about to leave when the next signal comes.
			long start = System.nanoTime();
			while (i % 2 == 0 && handled.get() < i) {
				assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(10));
				Thread.yield();
			}
		}
		assertThat(handled).hasValue(20_000);
	}

	/** Red when a flag that user code left behind turns parking into a spin. */
	@Test
	void anInterruptedWorkerStillSleeps() {
		List<Long> steps = new CopyOnWriteArrayList<>();
		LineWorker worker = worker(() -> {
			steps.add(System.nanoTime());
			if (steps.size() == 1) {
				Thread.currentThread().interrupt();
			}
			return TimeUnit.MILLISECONDS.toNanos(50);
		});
		worker.start();
		await().atMost(Duration.ofSeconds(10)).until(() -> steps.size() >= 5);
		assertThat(Duration.ofNanos(steps.get(4) - steps.get(0))).isGreaterThan(Duration.ofMillis(140));
	}

	@Test
	void aStepThatThrowsDoesNotEndTheWorker() {
		AtomicInteger steps = new AtomicInteger();
		LineWorker worker = new LineWorker(this::daemon, () -> {
			if (steps.incrementAndGet() < 3) {
				throw new AssertionError("in user code");
			}
			return LineWorker.UNTIL_SIGNALLED;
		}, (ex) -> {
		});
		this.workers.add(worker);
		worker.start();
		await().atMost(Duration.ofSeconds(10)).until(() -> steps.get() == 3);
	}

	private LineWorker worker(java.util.function.LongSupplier step) {
		LineWorker worker = new LineWorker(this::daemon, step, Throwable::printStackTrace);
		this.workers.add(worker);
		return worker;
	}

	private TestWaiter waiter(String topic, int partition) {
		return new TestWaiter(this.number.getAndIncrement(), topic, partition, 10, this.now.get());
	}

	private static void awaitQuietly(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private Thread daemon(Runnable task) {
		Thread thread = new Thread(task);
		thread.setDaemon(true);
		this.threads.add(thread);
		return thread;
	}

}
