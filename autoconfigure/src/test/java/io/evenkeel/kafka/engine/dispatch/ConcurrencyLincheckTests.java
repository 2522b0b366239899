package io.evenkeel.kafka.engine.dispatch;

import java.util.List;

import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What owner, workers and completing threads share, while threads run short programs at
 * random, thousands of times: nothing is lost, nothing is given back twice.
 */
@Tag("lincheck")
class ConcurrencyLincheckTests {

	@Test
	void completionQueueIsLinearizable() {
		check(Queue.class);
	}

	@Test
	void callGivesItsLaneBackOnceWhoeverClosesIt() {
		check(Closing.class);
	}

	@Test
	void dispatcherHandsOutEachRecordOnce() {
		check(Handing.class);
	}

	private static void check(Class<?> type) {
		new StressOptions().iterations(20).invocationsPerIteration(1000).threads(3).actorsPerThread(3).check(type);
	}

	/** The queue as any pusher and the one drainer see it. */
	public static class Queue {

		private final CompletionQueue<Integer> queue = new CompletionQueue<>();

		private final Assignment<Integer> assignment = new Assignment<>("t", 0, 1);

		private final Lane<Integer> lane = new Lane<>(this.assignment, null);

		@Operation
		public void push(@Param(gen = IntGen.class, conf = "1:9") int value) {
			this.queue.push(new Delivery<>(value, this.lane, value, 0, 0, 0));
		}

		@Operation(nonParallelGroup = "owner")
		public String drain() {
			StringBuilder seen = new StringBuilder();
			this.queue.drain((delivery) -> seen.append(delivery.record()).append(' '));
			return seen.toString();
		}

	}

	/** One call, its worker, and threads that race to close it. */
	public static class Closing {

		private final Dispatcher<Integer> dispatcher = new Dispatcher<>(new CompletionQueue<>(), () -> 1, 1, 0);

		private final Call<Integer> call;

		private @Nullable Run<Integer> run;

		public Closing() {
			Assignment<Integer> assignment = new Assignment<>("t", 0, 1);
			this.dispatcher.submit(List.of(assignment.begin(0, 0, null, 0), assignment.begin(1, 1, null, 0)));
			Run<Integer> taken = this.dispatcher.exchange(null, false);
			if (taken == null) {
				throw new IllegalStateException("nothing to run");
			}
			this.run = taken;
			this.call = taken.next(this.dispatcher, 0);
		}

		@Operation
		public boolean complete() {
			return this.call.complete(Outcome.SUCCESS);
		}

		@Operation
		public boolean close() {
			return this.call.close();
		}

		@Operation(nonParallelGroup = "worker")
		public void leave() {
			Run<Integer> leaving = this.run;
			this.run = null;
			if (leaving != null) {
				this.call.detach();
				this.dispatcher.give(leaving);
			}
		}

		@Operation
		public int used() {
			return this.dispatcher.used();
		}

	}

	/** An owner that submits, a worker that takes and leaves, a thread that completes. */
	public static class Handing {

		private final Dispatcher<Integer> dispatcher = new Dispatcher<>(new CompletionQueue<>(), () -> 1, 2, 0);

		private final Assignment<Integer> assignment = new Assignment<>("t", 0, 1);

		private int next;

		private @Nullable Run<Integer> run;

		private volatile @Nullable Call<Integer> call;

		@Operation(nonParallelGroup = "owner")
		public void submit() {
			int offset = this.next++;
			this.dispatcher.submit(List.of(this.assignment.begin(offset, offset, null, 0)));
		}

		@Operation(nonParallelGroup = "worker")
		public int take() {
			if (this.run != null) {
				return -2;
			}
			Run<Integer> taken = this.dispatcher.exchange(null, false);
			if (taken == null) {
				return -1;
			}
			this.run = taken;
			Call<Integer> begun = taken.next(this.dispatcher, 0);
			this.call = begun;
			return begun.delivery().record();
		}

		@Operation(nonParallelGroup = "worker")
		public void leave() {
			Run<Integer> leaving = this.run;
			this.run = null;
			Call<Integer> current = this.call;
			if (leaving != null && current != null) {
				current.detach();
				this.dispatcher.give(leaving);
			}
		}

		@Operation
		public boolean complete() {
			Call<Integer> current = this.call;
			return current != null && current.complete(Outcome.SUCCESS);
		}

	}

}
