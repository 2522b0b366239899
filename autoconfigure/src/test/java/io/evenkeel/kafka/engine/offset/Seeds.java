package io.evenkeel.kafka.engine.offset;

import java.util.Random;
import java.util.function.Consumer;

/**
 * Runs a test for many seeds. A failure names its seed, and
 * {@code -Devenkeel.seed=<seed>} runs just that one again.
 */
public final class Seeds {

	private Seeds() {
	}

	public static void each(int count, Consumer<Random> test) {
		Long only = Long.getLong("evenkeel.seed");
		long first = (only != null) ? only : 0;
		long last = (only != null) ? only : count - 1;
		for (long seed = first; seed <= last; seed++) {
			try {
				test.accept(new Random(seed));
			}
			catch (RuntimeException | AssertionError ex) {
				throw new AssertionError("Failed with -Devenkeel.seed=" + seed + ": " + ex.getMessage(), ex);
			}
		}
	}

}
