package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class CompletionThreadTests {

	private static final int WITH_STANDBY = 2;

	private final AtomicInteger threads = new AtomicInteger();

	private final CompletionThread completions = new CompletionThread((task) -> {
		this.threads.incrementAndGet();
		Thread thread = new Thread(task, "completions");
		thread.setDaemon(true);
		return thread;
	}, ProducerRuntime.SYSTEM);

	@AfterEach
	void close() {
		this.completions.close();
	}

	@Test
	void tasksRunOneAfterTheOtherInOrder() {
		List<Integer> order = Collections.synchronizedList(new ArrayList<>());
		AtomicInteger running = new AtomicInteger();
		AtomicInteger together = new AtomicInteger();
		for (int i = 0; i < 20_000; i++) {
			int number = i;
			this.completions.execute(new Task(() -> {
				together.accumulateAndGet(running.incrementAndGet(), Math::max);
				order.add(number);
				running.decrementAndGet();
			}));
		}
		await().atMost(Duration.ofSeconds(20)).until(() -> order.size() == 20_000);
		assertThat(order).isSorted();
		assertThat(together).hasValue(1);
		assertThat(this.threads).hasValueLessThanOrEqualTo(WITH_STANDBY);
	}

	/** Red without the relief. */
	@Test
	void aTaskThatWaitsForALaterOneGetsIt() throws Exception {
		CompletableFuture<String> later = new CompletableFuture<>();
		CompletableFuture<String> first = new CompletableFuture<>();
		this.completions.execute(new Task(() -> first.complete(later.join())));
		this.completions.execute(new Task(() -> later.complete("done")));
		assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("done");
	}

	/** Red when whatever is slow is relieved: user code may rely on being alone. */
	@Test
	void aTaskThatIsMerelySlowStaysAlone() throws Exception {
		AtomicBoolean release = new AtomicBoolean();
		AtomicInteger second = new AtomicInteger();
		this.completions.execute(new Task(() -> {
			while (!release.get()) {
				Thread.onSpinWait();
			}
		}));
		this.completions.execute(new Task(second::incrementAndGet));
		await().during(Duration.ofSeconds(1)).atMost(Duration.ofSeconds(5)).until(() -> second.get() == 0);
		release.set(true);
		await().atMost(Duration.ofSeconds(5)).until(() -> second.get() == 1);
		assertThat(this.threads).hasValueLessThanOrEqualTo(WITH_STANDBY);
	}

	/**
	 * Red when the watch ends with the first relief, or when only so many are relieved.
	 */
	@ParameterizedTest
	@ValueSource(ints = { 3, 65, 1_000 })
	void howeverManyTasksWaitForALaterOneTheyGetIt(int count) throws Exception {
		CompletableFuture<String> later = new CompletableFuture<>();
		List<CompletableFuture<String>> waiting = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			CompletableFuture<String> first = new CompletableFuture<>();
			waiting.add(first);
			this.completions.execute(new Task(() -> first.complete(later.join())));
		}
		this.completions.execute(new Task(() -> later.complete("done")));
		for (CompletableFuture<String> first : waiting) {
			assertThat(first.get(30, TimeUnit.SECONDS)).isEqualTo("done");
		}
		assertThat(this.threads).hasValueLessThanOrEqualTo(count + 1 + WITH_STANDBY);
	}

	/** Red when only those are relieved that wait for a future. */
	@ParameterizedTest
	@EnumSource(Waiting.class)
	void whateverATaskWaitsForTheNextOnesRun(Waiting waiting) throws Exception {
		List<Thread> held = new CopyOnWriteArrayList<>();
		AtomicBoolean release = new AtomicBoolean();
		CountDownLatch latch = new CountDownLatch(1);
		for (int i = 0; i < 3; i++) {
			this.completions.execute(new Task(() -> {
				held.add(Thread.currentThread());
				waiting.until(latch, release);
			}));
		}
		CompletableFuture<String> last = new CompletableFuture<>();
		this.completions.execute(new Task(() -> last.complete("done")));
		assertThat(last.get(30, TimeUnit.SECONDS)).isEqualTo("done");
		assertThat(held).hasSize(3);
		release.set(true);
		latch.countDown();
		for (Thread thread : held) {
			thread.join(10_000);
			assertThat(thread.isAlive()).isFalse();
		}
	}

	/**
	 * Seeded histories of tasks that hand in others and wait for any of them: all end.
	 */
	@ParameterizedTest
	@ValueSource(longs = { 1, 2, 3, 4, 5, 6, 7, 8 })
	void tasksThatHandInOthersAndWaitForThemAllEnd(long seed) {
		Random random = new Random(seed);
		AtomicInteger open = new AtomicInteger();
		for (int i = 0; i < 20; i++) {
			submit(random.nextLong(), 3, open, List.of());
		}
		await().atMost(Duration.ofSeconds(60)).until(() -> open.get() == 0);
	}

	private CompletableFuture<Void> submit(long seed, int depth, AtomicInteger open,
			List<CompletableFuture<Void>> others) {
		CompletableFuture<Void> end = new CompletableFuture<>();
		open.incrementAndGet();
		this.completions.execute(new Task(() -> {
			Random random = new Random(seed);
			List<CompletableFuture<Void>> mine = new ArrayList<>(others);
			for (int i = 0; depth > 0 && i < random.nextInt(4); i++) {
				mine.add(submit(random.nextLong(), depth - 1, open, List.copyOf(mine)));
			}
			if (random.nextInt(3) > 0) {
				mine.forEach(CompletableFuture::join);
			}
			end.complete(null);
			open.decrementAndGet();
		}));
		return end;
	}

	@Test
	void aTaskThatThrowsDoesNotEndTheThread() {
		AtomicInteger after = new AtomicInteger();
		this.completions.execute(new Task(() -> {
			throw new IllegalStateException("no");
		}));
		this.completions.execute(new Task(after::incrementAndGet));
		await().atMost(Duration.ofSeconds(5)).until(() -> after.get() == 1);
	}

	@Test
	void aClosedThreadStillRunsWhatComesLate() {
		this.completions.execute(new Task(() -> {
		}));
		this.completions.close();
		AtomicInteger late = new AtomicInteger();
		this.completions.execute(new Task(late::incrementAndGet));
		await().atMost(Duration.ofSeconds(5)).until(() -> late.get() == 1);
	}

	enum Waiting {

		LATCH {

			@Override
			void until(CountDownLatch latch, AtomicBoolean release) {
				try {
					latch.await();
				}
				catch (InterruptedException ex) {
					Thread.currentThread().interrupt();
				}
			}

		},

		PARKED_WITHOUT_A_NAME {

			@Override
			void until(CountDownLatch latch, AtomicBoolean release) {
				while (!release.get()) {
					LockSupport.parkNanos(1_000_000);
				}
			}

		},

		WORKING {

			@Override
			void until(CountDownLatch latch, AtomicBoolean release) {
				while (!release.get()) {
					Thread.onSpinWait();
				}
			}

		};

		abstract void until(CountDownLatch latch, AtomicBoolean release);

	}

	private static final class Task implements Completion {

		private final Runnable action;

		private volatile @Nullable Completion next;

		Task(Runnable action) {
			this.action = action;
		}

		@Override
		public void run() {
			this.action.run();
		}

		@Override
		public @Nullable Completion next() {
			return this.next;
		}

		@Override
		public void next(@Nullable Completion next) {
			this.next = next;
		}

	}

}
