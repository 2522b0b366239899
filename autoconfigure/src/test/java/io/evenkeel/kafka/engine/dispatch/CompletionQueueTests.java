package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

@Timeout(60)
class CompletionQueueTests {

	private static final long LONG = TimeUnit.MINUTES.toNanos(10);

	private final CompletionQueue<Integer> queue = new CompletionQueue<>();

	private final Assignment<Integer> assignment = new Assignment<>("t", 0, 1);

	@Test
	void drainsInTheOrderOfThePushes() {
		for (int i = 0; i < 5; i++) {
			this.queue.push(delivery(i));
		}
		List<Integer> seen = new ArrayList<>();
		assertThat(this.queue.drain((delivery) -> seen.add(delivery.record()))).isEqualTo(5);
		assertThat(seen).containsExactly(0, 1, 2, 3, 4);
		assertThat(this.queue.drain((delivery) -> seen.add(delivery.record()))).isZero();
	}

	@Test
	void pushWakesTheWaitingOwner() throws Exception {
		Thread owner = waiting();
		this.queue.push(delivery(1));
		owner.join();
	}

	@Test
	void signalWakesTheWaitingOwner() throws Exception {
		Thread owner = waiting();
		this.queue.signal();
		owner.join();
	}

	@Test
	void doesNotWaitForWhatIsAlreadyThere() {
		this.queue.push(delivery(1));
		this.queue.await(LONG);
		this.queue.drain((delivery) -> {
		});
		this.queue.signal();
		this.queue.await(LONG);
	}

	@Test
	void manyPushersLoseNothingAndWakeTheOwnerEachTime() throws Exception {
		int pushers = 4;
		int each = 50_000;
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < pushers; i++) {
			int base = i * each;
			threads.add(new Thread(() -> {
				for (int j = 0; j < each; j++) {
					this.queue.push(delivery(base + j));
				}
			}));
		}
		threads.forEach(Thread::start);
		int[] last = { -1, -1, -1, -1 };
		int[] wrong = new int[1];
		int seen = 0;
		while (seen < pushers * each) {
			this.queue.await(LONG);
			seen += this.queue.drain((delivery) -> {
				int pusher = delivery.record() / each;
				wrong[0] += (delivery.record() > last[pusher]) ? 0 : 1;
				last[pusher] = delivery.record();
			});
		}
		assertThat(wrong[0]).isZero();
		for (Thread thread : threads) {
			thread.join();
		}
	}

	private Thread waiting() {
		Thread owner = new Thread(() -> this.queue.await(LONG));
		owner.start();
		await().until(() -> owner.getState() == Thread.State.TIMED_WAITING);
		return owner;
	}

	private Delivery<Integer> delivery(int value) {
		return new Delivery<>(value, new Lane<>(this.assignment, null), value, 0, 0, 0);
	}

}
