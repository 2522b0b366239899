package io.evenkeel.kafka.producer.line;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

import org.junit.jupiter.api.RepeatedTest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The lines and their workers under real threads: senders, the scheduler, the timer and a
 * cluster that forgets topics. No record is lost, none ends twice, and each sender's
 * records arrive in its order.
 * <p>
 * Red when the worker does not compare its counter after a step, when a line retires with
 * a record in it, and when the head leaves its line before it was handed over.
 */
class LinesStressTests {

	private static final int SENDERS = 3;

	private static final int RECORDS = 4_000;

	private final ConcurrentHashMap<String, Integer> known = new ConcurrentHashMap<>();

	private final ConcurrentLinkedQueue<TestWaiter> handedOver = new ConcurrentLinkedQueue<>();

	/** One and another that was relieved and is not ready yet. */
	private final List<LineWorker> schedulers = new ArrayList<>();

	private final ConcurrentHashMap<String, Thread> serving = new ConcurrentHashMap<>();

	private final Lines<String, TestWaiter> lines = new Lines<>(new ForgetfulClient(),
			(topic) -> new LineSettings(TimeUnit.SECONDS.toNanos(30), TimeUnit.SECONDS.toNanos(30), Integer.MAX_VALUE,
					// Only a signal makes a line move in time: a lost one shows.
					new Backoff(TimeUnit.SECONDS.toNanos(20), 1, TimeUnit.SECONDS.toNanos(20), 0), 0),
			1_000_000, Long.MAX_VALUE / 2, System::nanoTime, () -> 0.5, new LineListener() {

				@Override
				public void released(String topic) {
					LinesStressTests.this.schedulers.forEach(LineWorker::signal);
				}

			});

	@RepeatedTest(10)
	void nothingIsLostDoubledOrOvertaken() throws Exception {
		LineWorker scheduler = new LineWorker(LinesStressTests::daemon, this.lines::doWork, Throwable::printStackTrace);
		LineWorker relieved = new LineWorker(LinesStressTests::daemon, this.lines::doWork, Throwable::printStackTrace);
		this.schedulers.addAll(List.of(scheduler, relieved));
		LineWorker timer = new LineWorker(LinesStressTests::daemon, this.lines::expire, Throwable::printStackTrace);
		scheduler.start();
		relieved.start();
		timer.start();
		AtomicBoolean stop = new AtomicBoolean();
		Thread cluster = daemon(() -> {
			while (!stop.get()) {
				String topic = "t" + ThreadLocalRandom.current().nextInt(2);
				if (this.known.remove(topic) == null) {
					this.known.put(topic, 1);
				}
				this.lines.changed();
				scheduler.signal();
				relieved.signal();
				LockSupport.parkNanos(20_000);
			}
			this.known.put("t0", 1);
			this.known.put("t1", 1);
			this.lines.changed();
			scheduler.signal();
		});
		cluster.start();
		List<TestWaiter> all = new ArrayList<>();
		List<Thread> senders = new ArrayList<>();
		CountDownLatch done = new CountDownLatch(SENDERS);
		for (int sender = 0; sender < SENDERS; sender++) {
			List<TestWaiter> mine = new ArrayList<>();
			for (int i = 0; i < RECORDS; i++) {
				mine.add(new TestWaiter(sender * RECORDS + i, "t" + (i % 2), -1, 1, System.nanoTime()));
			}
			all.addAll(mine);
			senders.add(daemon(() -> {
				mine.forEach((waiter) -> send(waiter, scheduler, timer));
				done.countDown();
			}));
		}
		senders.forEach(Thread::start);
		assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
		stop.set(true);
		await().atMost(java.time.Duration.ofSeconds(15)).until(() -> this.handedOver.size() >= all.size());
		scheduler.stop();
		relieved.stop();
		timer.stop();
		assertThat(all).allMatch((waiter) -> waiter.ends.get() == 1);
		assertThat(this.lines.waitingRecords()).isZero();
		Map<String, Integer> last = new ConcurrentHashMap<>();
		for (TestWaiter waiter : this.handedOver) {
			Integer before = last.put((waiter.number / RECORDS) + waiter.topic(), waiter.number);
			assertThat(before == null || before < waiter.number).as("%s after %s", waiter, before).isTrue();
		}
	}

	private void send(TestWaiter waiter, LineWorker scheduler, LineWorker timer) {
		if (!this.lines.mustWait(waiter.topic(), -1) && this.known.containsKey(waiter.topic())) {
			waiter.take();
			waiter.handedOver();
			this.handedOver.add(waiter);
			return;
		}
		assertThat(this.lines.join(waiter, false)).isNull();
		scheduler.signal();
		timer.signal();
	}

	private static Thread daemon(Runnable task) {
		Thread thread = new Thread(task);
		thread.setDaemon(true);
		return thread;
	}

	private final class ForgetfulClient implements LineClient<String, TestWaiter> {

		@Override
		public Probe<String> probe(String topic, long since) {
			return LinesStressTests.this.known.containsKey(topic) ? Probe.known(1) : Probe.unknown();
		}

		@Override
		public HandOver handOver(TestWaiter waiter) {
			if (!LinesStressTests.this.known.containsKey(waiter.topic())) {
				return HandOver.NO_METADATA;
			}
			Thread other = LinesStressTests.this.serving.put(waiter.topic(), Thread.currentThread());
			LinesStressTests.this.handedOver.add(waiter);
			if (other == null) {
				waiter.handedOver();
			}
			LinesStressTests.this.serving.remove(waiter.topic());
			return HandOver.DONE;
		}

		@Override
		public String diagnose(String topic, int partition, long since, Obstacle obstacle) {
			return "slow";
		}

	}

}
