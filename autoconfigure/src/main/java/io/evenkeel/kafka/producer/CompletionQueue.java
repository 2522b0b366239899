package io.evenkeel.kafka.producer;

import java.util.concurrent.atomic.AtomicReferenceArray;

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
 * Each end has a cache line of its own, as in the queues of JCTools: the two belong to
 * different cores, and every record moves both.
 */
final class CompletionQueue {

	/** So many references fill a cache line, or two. */
	private static final int LINE = 16;

	private static final int TAIL = LINE;

	private static final int HEAD = 2 * LINE;

	private final AtomicReferenceArray<Completion> ends = new AtomicReferenceArray<>(3 * LINE);

	CompletionQueue() {
		Completion stub = new Stub();
		this.ends.setPlain(HEAD, stub);
		this.ends.set(TAIL, stub);
	}

	void add(Completion completion) {
		Completion before = this.ends.getAndSet(TAIL, completion);
		before.next(completion);
	}

	@Nullable Completion poll() {
		Completion before = this.ends.getPlain(HEAD);
		Completion next = before.next();
		if (next != null) {
			this.ends.setPlain(HEAD, next);
			// Once collected by age, a chain would take along all that comes after it.
			before.next(null);
		}
		return next;
	}

	/** Whether nothing has been added since the last one was taken; for the taker. */
	boolean isEmpty() {
		return this.ends.get(TAIL) == this.ends.getPlain(HEAD);
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
