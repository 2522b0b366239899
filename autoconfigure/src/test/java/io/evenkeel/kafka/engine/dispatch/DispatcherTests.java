package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.evenkeel.kafka.engine.offset.Seeds;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

@Timeout(60)
class DispatcherTests {

	private final CompletionQueue<String> completions = new CompletionQueue<>();

	private final AtomicLong now = new AtomicLong(1);

	private final Assignment<String> first = new Assignment<>("t", 0, 1);

	private final Assignment<String> second = new Assignment<>("t", 1, 2);

	@Test
	void doesWhatTheNaiveOneDoes() {
		Seeds.each(2000, (random) -> {
			NaiveDispatcher naive = new NaiveDispatcher(random);
			for (int i = 0; i < 200; i++) {
				naive.step();
			}
			naive.finish();
		});
	}

	@Test
	void partitionWithManyKeysWaitsAsLongAsOneWithASingleKey() {
		Dispatcher<String> dispatcher = dispatcher(1);
		List<Delivery<String>> many = new ArrayList<>();
		for (int i = 0; i < 1000; i++) {
			many.add(this.first.begin("r", i, "k" + i, 0));
		}
		many.add(this.second.begin("r", 0, "k", 0));
		dispatcher.submit(many);
		Run<String> one = dispatcher.exchange(null, false);
		Run<String> two = dispatcher.exchange(one, false);
		assertThat(List.of(one.assignment(), two.assignment())).containsExactlyInAnyOrder(this.first, this.second);
	}

	/** Its last record ends twice before the owner looks: two keys must not share it. */
	@Test
	void aLaneThatIsUsedAgainServesOneKeyOnly() {
		Dispatcher<String> dispatcher = dispatcher(4);
		Delivery<String> one = this.first.begin("r", 0, "a", 0);
		this.first.completed(one);
		this.first.completed(this.first.begin("r", 1, "a", 0));
		this.first.retireLanes();
		assertThat(this.first.keys()).isZero();
		Delivery<String> b = this.first.begin("r", 2, "b", 0);
		Delivery<String> c = this.first.begin("r", 3, "c", 0);
		assertThat(b.lane()).isSameAs(one.lane());
		assertThat(c.lane()).isNotSameAs(b.lane());
		dispatcher.submit(List.of(b, c));
		assertThat(dispatcher.exchange(null, false)).isNotNull();
		assertThat(dispatcher.exchange(null, false)).isNotNull();
	}

	@Test
	void interruptHitsOnlyTheRunItIsMeantFor() throws Exception {
		Dispatcher<String> dispatcher = dispatcher(2);
		AtomicInteger interrupted = new AtomicInteger();
		CountDownLatch inside = new CountDownLatch(2);
		CountDownLatch go = new CountDownLatch(1);
		List<Boolean> flags = new java.util.concurrent.CopyOnWriteArrayList<>();
		threads(dispatcher, (call) -> {
			if (call.delivery().offset() == 0) {
				inside.countDown();
				try {
					go.await();
				}
				catch (InterruptedException ex) {
					interrupted.incrementAndGet();
					// As a careful handler does: and the next record must not see it.
					Thread.currentThread().interrupt();
				}
			}
			else {
				flags.add(Thread.currentThread().isInterrupted());
			}
			call.complete(Outcome.SUCCESS);
		});
		dispatcher.submit(List.of(this.first.begin("r", 0, null, 0), this.second.begin("r", 0, null, 0)));
		inside.await();
		// Both workers are busy: the one that is interrupted goes straight on to these.
		dispatcher.submit(List.of(this.second.begin("r", 1, "a", 0), this.second.begin("r", 2, "b", 0)));
		dispatcher.stop(List.of(this.first));
		dispatcher.interrupt(this.first);
		await().until(() -> dispatcher.load(this.first).inHand() == 0);
		assertThat(interrupted).hasValue(1);
		go.countDown();
		await().until(() -> flags.size() == 2);
		assertThat(flags).containsOnly(false);
		assertThat(interrupted).hasValue(1);
		dispatcher.close();
	}

	@Test
	void workerThatDiesGivesItsLaneAndSlotBack() {
		Dispatcher<String> dispatcher = dispatcher(1);
		AtomicInteger calls = new AtomicInteger();
		Worker<String> worker = new Worker<>(dispatcher, (call) -> {
			calls.incrementAndGet();
			throw new IllegalStateException("beyond the handler");
		}, this.now::get, (assignment, bug) -> {
			if (calls.get() == 1) {
				throw new OutOfMemoryError("simulated");
			}
		});
		List<Thread> threads = new java.util.concurrent.CopyOnWriteArrayList<>();
		dispatcher.attach(worker, (task) -> {
			Thread thread = new Thread(task);
			thread.setUncaughtExceptionHandler((dead, ex) -> {
			});
			threads.add(thread);
			thread.start();
		}, (ex) -> {
		});
		dispatcher.submit(List.of(this.first.begin("r", 0, null, 0)));
		await().until(() -> !threads.isEmpty() && !threads.get(0).isAlive());
		assertThat(dispatcher.used()).isZero();
		this.now.addAndGet(TimeUnit.SECONDS.toNanos(2));
		await().until(() -> {
			dispatcher.tick();
			return calls.get() == 2;
		});
		dispatcher.close();
	}

	@Test
	void manyThreadsKeepTheOrderOfEachLaneAndLoseNothing() {
		Dispatcher<String> dispatcher = new Dispatcher<>(this.completions, System::nanoTime, 8, 0);
		ConcurrentHashMap<Object, Long> last = new ConcurrentHashMap<>();
		ConcurrentHashMap<Object, Boolean> inside = new ConcurrentHashMap<>();
		AtomicInteger wrong = new AtomicInteger();
		BlockingQueue<Call<String>> later = new LinkedBlockingQueue<>();
		Thread completer = new Thread(() -> {
			try {
				while (true) {
					later.take().complete(Outcome.SUCCESS);
				}
			}
			catch (InterruptedException ex) {
				// The end of the test.
			}
		});
		completer.start();
		threads(dispatcher, (call) -> {
			Lane<String> lane = call.delivery().lane();
			long offset = call.delivery().offset();
			if (inside.put(lane, true) != null) {
				wrong.incrementAndGet();
			}
			Long before = last.put(lane, offset);
			if (before != null && (before > offset || (before == offset && call.delivery().attempt() == 0))) {
				wrong.incrementAndGet();
			}
			int attempt = call.delivery().beginAttempt();
			inside.remove(lane);
			if (offset % 7 == 0 && attempt == 1) {
				call.park(1000);
			}
			else if (offset % 5 == 0) {
				later.add(call);
			}
			else {
				call.complete(Outcome.SUCCESS);
			}
		});
		int total = 60_000;
		int[] ended = new int[1];
		for (int i = 0; i < total; i += 100) {
			List<Delivery<String>> batch = new ArrayList<>();
			for (int j = i; j < i + 100; j++) {
				Assignment<String> assignment = (j % 2 == 0) ? this.first : this.second;
				batch.add(assignment.begin("r", j, (j % 3 == 0) ? null : "k" + j % 17, 0));
			}
			dispatcher.submit(batch);
			ended[0] += settle();
		}
		await().until(() -> {
			dispatcher.tick();
			ended[0] += settle();
			return ended[0] == total;
		});
		assertThat(wrong).hasValue(0);
		assertThat(this.first.tracker().unfinished()).isZero();
		assertThat(this.second.tracker().unfinished()).isZero();
		await().until(() -> dispatcher.used() == 0);
		completer.interrupt();
		dispatcher.close();
	}

	private int settle() {
		int drained = this.completions.drain((delivery) -> delivery.assignment().completed(delivery));
		this.first.retireLanes();
		this.second.retireLanes();
		return drained;
	}

	@Test
	void idleWorkersAllComeWhenThereIsEnoughForAll() throws InterruptedException {
		int workers = 4;
		Dispatcher<String> dispatcher = new Dispatcher<>(this.completions, System::nanoTime, workers, 0);
		List<Thread> threads = new ArrayList<>();
		CountDownLatch[] all = new CountDownLatch[2];
		dispatcher.attach(new Worker<>(dispatcher, (call) -> {
			CountDownLatch together = all[(int) call.delivery().offset() / workers];
			together.countDown();
			try {
				// Each call waits for the others: all must run at once.
				assertThat(together.await(30, TimeUnit.SECONDS)).isTrue();
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
			call.complete(Outcome.SUCCESS);
		}, System::nanoTime, (assignment, bug) -> {
		}), (work) -> {
			Thread thread = new Thread(work);
			threads.add(thread);
			thread.start();
		}, (refusal) -> {
		});
		for (int round = 0; round < all.length; round++) {
			all[round] = new CountDownLatch(workers);
			List<Delivery<String>> batch = new ArrayList<>();
			for (int i = 0; i < workers; i++) {
				batch.add(this.first.begin("r", round * workers + i, "k" + i, 0));
			}
			dispatcher.submit(batch);
			// Sooner than a worker that nobody calls looks around by itself.
			assertThat(all[round].await(8, TimeUnit.SECONDS)).isTrue();
			await().until(() -> dispatcher.used() == 0
					&& threads.stream().allMatch((thread) -> thread.getState() == Thread.State.TIMED_WAITING));
			settle();
		}
		assertThat(threads).hasSize(workers);
		dispatcher.close();
	}

	@Test
	void lanesOfKeysThatAreDoneAreForgotten() {
		Dispatcher<String> dispatcher = dispatcher(1);
		Worker<String> worker = new Worker<>(dispatcher, (call) -> call.complete(Outcome.SUCCESS), this.now::get,
				(assignment, bug) -> {
				});
		for (int i = 0; i < 1000; i++) {
			dispatcher.submit(List.of(this.first.begin("r", i, "k" + i, 0)));
			assertThat(worker.step()).isTrue();
			this.completions.drain((delivery) -> delivery.assignment().completed(delivery));
			this.first.retireLanes();
			assertThat(this.first.keys()).isLessThanOrEqualTo(1);
		}
	}

	@Test
	void laneWhoseRecordWasAcknowledgedInsideItsCallStaysUntilTheCallIsOver() {
		Dispatcher<String> dispatcher = dispatcher(2);
		dispatcher.submit(List.of(this.first.begin("r", 0, "k", 0)));
		Run<String> run = dispatcher.exchange(null, false);
		Call<String> call = run.next(dispatcher, 0);
		call.end(call.delivery(), Outcome.SUCCESS);
		this.completions.drain((delivery) -> delivery.assignment().completed(delivery));
		this.first.retireLanes();
		dispatcher.submit(List.of(this.first.begin("r", 1, "k", 0)));
		assertThat(dispatcher.exchange(null, false)).isNull();
		call.close();
		dispatcher.give(run);
		assertThat(dispatcher.exchange(null, false)).isNotNull();
	}

	@Test
	void aCallThatRestsLeavesItsSlotToOthersAndKeepsItsLane() throws InterruptedException {
		Dispatcher<String> dispatcher = dispatcher(1);
		CountDownLatch go = new CountDownLatch(1);
		List<String> ended = new java.util.concurrent.CopyOnWriteArrayList<>();
		threads(dispatcher, (call) -> {
			if (call.assignment() == this.first && call.delivery().offset() == 0) {
				call.rest();
				try {
					go.await();
				}
				catch (InterruptedException ex) {
					throw new IllegalStateException(ex);
				}
				assertThat(call.resume()).isTrue();
				assertThat(dispatcher.used()).isEqualTo(1);
			}
			ended.add(call.assignment().partition() + "@" + call.delivery().offset());
			call.complete(Outcome.SUCCESS);
		});
		List<Delivery<String>> records = new ArrayList<>();
		for (int i = 0; i < 20; i++) {
			records.add(this.first.begin("r", i, null, 0));
			records.add(this.second.begin("r", i, null, 0));
		}
		dispatcher.submit(records);
		await().until(() -> ended.size() == 20);
		assertThat(ended).allMatch((record) -> record.startsWith("1@"));
		assertThat(dispatcher.used()).isZero();
		assertThat(dispatcher.load(this.first).inFlight()).isEqualTo(1);
		go.countDown();
		await().until(() -> ended.size() == 40 && dispatcher.used() == 0);
		assertThat(ended.get(20)).isEqualTo("0@0");
		dispatcher.close();
	}

	/** Four records that are repeated for ever and at once, and one slot for all. */
	@Test
	void callsThatComeBackTakeTurnsWithWhatIsReady() {
		Dispatcher<String> dispatcher = dispatcher(1);
		AtomicInteger handled = new AtomicInteger();
		AtomicInteger atOnce = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		threads(dispatcher, (call) -> {
			boolean again = call.assignment() == this.first;
			do {
				most.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
				atOnce.decrementAndGet();
				if (again) {
					call.rest();
				}
			}
			while (again && call.resume());
			handled.incrementAndGet();
			call.complete(Outcome.SUCCESS);
		});
		List<Delivery<String>> records = new ArrayList<>();
		for (int i = 0; i < 4; i++) {
			records.add(this.first.begin("r", i, "k" + i, 0));
		}
		for (int i = 0; i < 200; i++) {
			records.add(this.second.begin("r", i, null, 0));
		}
		dispatcher.submit(records);
		await().until(() -> handled.get() == 200);
		dispatcher.stop(List.of(this.first));
		await().until(() -> dispatcher.load(this.first).inHand() == 0);
		assertThat(most).hasValue(1);
		dispatcher.close();
	}

	@Test
	void aCallThatRestsIsHeldByAPauseAndFreedByAStop() {
		Dispatcher<String> dispatcher = dispatcher(1);
		CountDownLatch go = new CountDownLatch(1);
		List<Boolean> resumed = new java.util.concurrent.CopyOnWriteArrayList<>();
		threads(dispatcher, (call) -> {
			call.rest();
			try {
				go.await();
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
			boolean mayCall = call.resume();
			resumed.add(mayCall);
			if (mayCall) {
				call.complete(Outcome.SUCCESS);
			}
			else {
				call.park(0);
			}
		});
		dispatcher.submit(List.of(this.first.begin("r", 0, null, 0)));
		await().until(() -> dispatcher.load(this.first).inFlight() == 1 && dispatcher.used() == 0);
		dispatcher.hold(this.first, true);
		go.countDown();
		dispatcher.submit(List.of(this.second.begin("r", 0, null, 0)));
		await().until(() -> resumed.size() == 1);
		assertThat(resumed).as("the one that is not paused").containsExactly(true);
		dispatcher.stop(List.of(this.first, this.second));
		await().until(() -> dispatcher.load(this.first).inHand() == 0);
		assertThat(resumed).contains(false);
		assertThat(dispatcher.used()).isZero();
		dispatcher.close();
	}

	private Dispatcher<String> dispatcher(int limit) {
		return new Dispatcher<>(this.completions, this.now::get, limit, 0);
	}

	private void threads(Dispatcher<String> dispatcher, Invoker<String> invoker) {
		dispatcher.attach(new Worker<>(dispatcher, invoker, System::nanoTime, (assignment, bug) -> {
		}), (task) -> {
			Thread thread = new Thread(task);
			thread.setDaemon(true);
			thread.start();
		}, (ex) -> {
		});
	}

}
