package io.evenkeel.kafka.producer;

import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The queue against every interleaving that Lincheck finds: it is a queue, as long as one
 * thread takes and looks again when an element is not linked yet.
 */
@Tag("lincheck")
public class CompletionQueueLincheckTests {

	private final CompletionQueue queue = new CompletionQueue();

	@Operation
	public void add(@Param(gen = IntGen.class) int value) {
		this.queue.add(new Element(value));
	}

	@Operation(nonParallelGroup = "taker")
	public @Nullable Integer take() {
		while (true) {
			Completion completion = this.queue.poll();
			if (completion != null) {
				return ((Element) completion).value;
			}
			if (this.queue.isEmpty()) {
				return null;
			}
		}
	}

	@Test
	void modelChecking() {
		new ModelCheckingOptions().iterations(20)
			.invocationsPerIteration(500)
			.threads(3)
			.actorsPerThread(3)
			.check(getClass());
	}

	@Test
	void stress() {
		new StressOptions().iterations(10).invocationsPerIteration(500).threads(3).actorsPerThread(3).check(getClass());
	}

	private static final class Element implements Completion {

		private final int value;

		private volatile @Nullable Completion next;

		Element(int value) {
			this.value = value;
		}

		@Override
		public void run() {
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
