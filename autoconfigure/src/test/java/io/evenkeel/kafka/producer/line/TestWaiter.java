package io.evenkeel.kafka.producer.line;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A waiting record that remembers what happened to it.
 */
final class TestWaiter implements Waiter<String> {

	private static final int WAITING = 0;

	private static final int TAKEN = 1;

	private static final int ENDED = 2;

	final int number;

	final AtomicInteger ends = new AtomicInteger();

	private final String topic;

	private final int partition;

	private final long bytes;

	private final long startedAt;

	private final AtomicInteger state = new AtomicInteger();

	private final AtomicReference<LineEnd<String>> end = new AtomicReference<>();

	private int attemptsBefore;

	/** What another thread does just before this record is given back. */
	Runnable beforeGiveBack = () -> {
	};

	Runnable onEnd = () -> {
	};

	TestWaiter(int number, String topic, int partition, long bytes, long startedAt) {
		this.number = number;
		this.topic = topic;
		this.partition = partition;
		this.bytes = bytes;
		this.startedAt = startedAt;
	}

	LineEnd<String> end() {
		return this.end.get();
	}

	boolean isWaiting() {
		return this.state.get() == WAITING;
	}

	void handedOver() {
		if (!this.state.compareAndSet(TAKEN, ENDED)) {
			throw new IllegalStateException("handed over without being taken: " + this);
		}
		this.ends.incrementAndGet();
	}

	@Override
	public String topic() {
		return this.topic;
	}

	@Override
	public int partition() {
		return this.partition;
	}

	@Override
	public long bytes() {
		return this.bytes;
	}

	@Override
	public long startedAt() {
		return this.startedAt;
	}

	@Override
	public boolean take() {
		return this.state.compareAndSet(WAITING, TAKEN);
	}

	@Override
	public void giveBack() {
		this.beforeGiveBack.run();
		this.state.compareAndSet(TAKEN, WAITING);
	}

	@Override
	public boolean fail(LineEnd<String> end) {
		if (!this.state.compareAndSet(WAITING, ENDED)) {
			return false;
		}
		this.end.set(end);
		this.ends.incrementAndGet();
		this.onEnd.run();
		return true;
	}

	@Override
	public int attemptsBefore() {
		return this.attemptsBefore;
	}

	@Override
	public void attemptsBefore(int attempts) {
		this.attemptsBefore = attempts;
	}

	@Override
	public String toString() {
		return this.topic + "#" + this.number;
	}

}
