package io.evenkeel.kafka.engine.dispatch;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class CallTests {

	private final CompletionQueue<String> completions = new CompletionQueue<>();

	private final Dispatcher<String> dispatcher = new Dispatcher<>(this.completions, () -> 1, 1, 0);

	private final Assignment<String> assignment = new Assignment<>("t", 0, 1);

	private Run<String> run;

	private Call<String> call;

	@BeforeEach
	void take() {
		this.dispatcher.submit(List.of(this.assignment.begin("a", 0, null, 0), this.assignment.begin("b", 1, null, 0)));
		this.run = this.dispatcher.exchange(null, false);
		this.call = this.run.next(this.dispatcher, 0);
	}

	@Test
	void firstAnswerCounts() {
		assertThat(this.call.complete(Outcome.SKIPPED)).isTrue();
		assertThat(this.call.complete(Outcome.SUCCESS)).isFalse();
		assertThat(this.call.park(5)).isFalse();
		assertThat(this.call.close()).isFalse();
		assertThat(this.call.delivery().outcome()).isEqualTo(Outcome.SKIPPED);
		assertThat(this.completions.drain((delivery) -> {
		})).isEqualTo(1);
	}

	@Test
	void recordOfAClosedCallCanStillEndOnce() {
		this.call.close();
		assertThat(this.call.end(this.call.delivery(), Outcome.SUCCESS)).isTrue();
		assertThat(this.call.end(this.call.delivery(), Outcome.SUCCESS)).isFalse();
	}

	@Test
	void openCallKeepsLaneAndSlotAfterItsWorkerHasLeft() {
		assertThat(this.call.detach()).isTrue();
		this.dispatcher.give(this.run);
		assertThat(this.dispatcher.used()).isEqualTo(1);
		this.dispatcher.limit(2);
		assertThat(this.dispatcher.exchange(null, false)).isNull();
		this.call.complete(Outcome.SUCCESS);
		assertThat(this.dispatcher.used()).isZero();
		assertThat(this.dispatcher.exchange(null, false)).isNotNull();
	}

	@Test
	void callClosedInsideTheHandlerLeavesTheLaneToItsWorker() {
		this.call.complete(Outcome.SUCCESS);
		assertThat(this.call.detach()).isFalse();
		assertThat(this.dispatcher.used()).isEqualTo(1);
		this.dispatcher.give(this.run);
		assertThat(this.dispatcher.used()).isZero();
	}

	/** Both have found it open before either closes it. */
	@Test
	void ofTwoThatCloseAtOnceOneDoes() throws InterruptedException {
		AtomicInteger closed = new AtomicInteger();
		List<Thread> closers = List.of(closer(closed), closer(closed));
		synchronized (this.call) {
			closers.forEach(Thread::start);
			await().until(() -> closers.stream().allMatch((closer) -> closer.getState() == Thread.State.BLOCKED));
		}
		for (Thread closer : closers) {
			closer.join();
		}
		assertThat(closed).hasValue(1);
	}

	private Thread closer(AtomicInteger closed) {
		return new Thread(() -> {
			if (this.call.close()) {
				closed.incrementAndGet();
			}
		});
	}

	@Test
	void runEndsWhenItsAssignmentStops() {
		this.call.close();
		this.dispatcher.give(this.run);
		int[] calls = new int[1];
		Worker<String> worker = new Worker<>(this.dispatcher, (next) -> {
			calls[0]++;
			this.dispatcher.stop(List.of(this.assignment));
			next.complete(Outcome.SUCCESS);
		}, () -> 1, (bugged, bug) -> {
		});
		this.dispatcher.submit(List.of(this.assignment.begin("c", 2, null, 0)));
		worker.step();
		assertThat(calls[0]).isEqualTo(1);
		assertThat(this.dispatcher.load(this.assignment).dropped()).isEqualTo(1);
	}

}
