package io.evenkeel.kafka.producer;

import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

/**
 * A queue of completions without locks and without an object per element.
 * <p>
 * <b>Threading.</b> Any number of threads add, one at a time takes; whoever takes next
 * must have seen what the one before wrote. <b>Invariant.</b> Elements leave in the order
 * in which they passed the exchange of the tail. <b>Why.</b> The client's I/O thread adds
 * every record here, so adding is one exchange and one ordered store. Between the two an
 * element is in the queue but not linked yet: {@code poll} then says "nothing", and
 * {@code isEmpty} says "something", so the taker looks again instead of going to sleep.
 */
final class CompletionQueue {

	private final AtomicReference<Completion> tail;

	private Completion head;

	CompletionQueue() {
		Completion stub = new Stub();
		this.head = stub;
		this.tail = new AtomicReference<>(stub);
	}

	void add(Completion completion) {
		Completion before = this.tail.getAndSet(completion);
		before.next(completion);
	}

	@Nullable Completion poll() {
		Completion before = this.head;
		Completion next = before.next();
		if (next != null) {
			this.head = next;
			// Once collected by age, a chain would take along all that comes after it.
			before.next(null);
		}
		return next;
	}

	/** Whether nothing has been added since the last one was taken; for the taker. */
	boolean isEmpty() {
		return this.tail.get() == this.head;
	}

	private static final class Stub implements Completion {

		private volatile @Nullable Completion next;

		@Override
		public @Nullable Completion next() {
			return this.next;
		}

		@Override
		public void next(@Nullable Completion next) {
			this.next = next;
		}

		@Override
		public void run() {
		}

	}

}
