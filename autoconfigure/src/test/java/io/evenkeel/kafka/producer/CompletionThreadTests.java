package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class CompletionThreadTests {

	private final AtomicInteger threads = new AtomicInteger();

	private final CompletionThread completions = new CompletionThread((task) -> {
		this.threads.incrementAndGet();
		Thread thread = new Thread(task, "completions");
		thread.setDaemon(true);
		return thread;
	}, ProducerRuntime.SYSTEM);

	@AfterEach
	void close() {
		this.completions.close(0);
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
		this.completions.await(TimeUnit.SECONDS.toNanos(20));
		assertThat(order).hasSize(20_000).isSorted();
		assertThat(together).hasValue(1);
		assertThat(this.threads).hasValue(1);
	}

	/** Red without the relief. */
	@Test
	void aTaskThatWaitsForALaterOneGetsIt() throws Exception {
		CompletableFuture<String> later = new CompletableFuture<>();
		CompletableFuture<String> first = new CompletableFuture<>();
		this.completions.execute(new Task(() -> first.complete(later.join())));
		this.completions.execute(new Task(() -> later.complete("done")));
		assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("done");
		assertThat(this.threads).hasValue(2);
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
		assertThat(this.threads).hasValue(1);
	}

	/** Red when the watch ends with the first relief. */
	@Test
	void severalTasksThatWaitForALaterOneGetIt() throws Exception {
		CompletableFuture<String> later = new CompletableFuture<>();
		List<CompletableFuture<String>> waiting = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			CompletableFuture<String> first = new CompletableFuture<>();
			waiting.add(first);
			this.completions.execute(new Task(() -> first.complete(later.join())));
		}
		this.completions.execute(new Task(() -> later.complete("done")));
		for (CompletableFuture<String> first : waiting) {
			assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("done");
		}
	}

	/** Red without the relief: a future must not hang because of another one's user. */
	@Test
	void aTaskThatNeverEndsHoldsTheOthersForALimitedTime() {
		ProducerRuntime system = ProducerRuntime.SYSTEM;
		ProducerRuntime hasty = new ProducerRuntime(system.clock(), system.random(), system.threads(),
				(nanos, task) -> system.later().after(nanos / 100, task));
		CompletionThread completions = new CompletionThread(hasty.threads(), hasty);
		CountDownLatch release = new CountDownLatch(1);
		AtomicInteger second = new AtomicInteger();
		completions.execute(new Task(() -> waitFor(release)));
		completions.execute(new Task(() -> {
			while (release.getCount() > 0) {
				Thread.onSpinWait();
			}
		}));
		completions.execute(new Task(second::incrementAndGet));
		await().atMost(Duration.ofSeconds(10)).until(() -> second.get() == 1);
		release.countDown();
		completions.close(0);
	}

	@Test
	void aTaskThatThrowsDoesNotEndTheThread() {
		AtomicInteger after = new AtomicInteger();
		this.completions.execute(new Task(() -> {
			throw new IllegalStateException("no");
		}));
		this.completions.execute(new Task(after::incrementAndGet));
		await().atMost(Duration.ofSeconds(5)).until(() -> after.get() == 1);
		assertThat(this.threads).hasValue(1);
	}

	@Test
	void aClosedThreadStillRunsWhatComesLate() {
		this.completions.execute(new Task(() -> {
		}));
		this.completions.close(TimeUnit.SECONDS.toNanos(5));
		AtomicInteger late = new AtomicInteger();
		this.completions.execute(new Task(late::incrementAndGet));
		await().atMost(Duration.ofSeconds(5)).until(() -> late.get() == 1);
	}

	private static void waitFor(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
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
