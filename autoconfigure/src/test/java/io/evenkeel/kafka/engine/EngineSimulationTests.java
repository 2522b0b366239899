package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The whole engine but for its threads, in a simulated group with rebalances of all three
 * protocols, crashes, freezes and refused commits: the guarantees are checked after each
 * event. {@code -Devenkeel.seeds=N} runs N seeds instead of 6,000,
 * {@code -Devenkeel.seed=N} just the one that failed.
 */
class EngineSimulationTests {

	private static final int SEEDS = 6_000;

	private static final int STEPS = 400;

	private static final Logger logger = (Logger) LoggerFactory.getLogger("io.evenkeel.kafka.engine");

	private static Level level;

	@BeforeAll
	static void silence() {
		level = logger.getLevel();
		logger.setLevel(Level.OFF);
	}

	@AfterAll
	static void speak() {
		logger.setLevel(level);
	}

	@Test
	void guaranteesHoldInEachHistory() throws Exception {
		Long only = Long.getLong("evenkeel.seed");
		if (only != null) {
			logger.setLevel(Level.INFO);
			run(only);
			return;
		}
		long seeds = Long.getLong("evenkeel.seeds", SEEDS);
		AtomicLong next = new AtomicLong();
		AtomicLong handled = new AtomicLong();
		AtomicLong duplicates = new AtomicLong();
		AtomicBoolean failed = new AtomicBoolean();
		int threads = Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors()));
		ExecutorService pool = Executors.newFixedThreadPool(threads);
		try {
			List<Future<Void>> results = new ArrayList<>();
			Callable<Void> share = () -> {
				for (long seed = next.getAndIncrement(); seed < seeds && !failed.get(); seed = next.getAndIncrement()) {
					try {
						SimWorld world = run(seed);
						handled.addAndGet(world.oracle.handled);
						duplicates.addAndGet(world.oracle.duplicates);
					}
					catch (Throwable ex) {
						failed.set(true);
						throw new AssertionError("Failed with -Devenkeel.seed=" + seed + ": " + ex.getMessage(), ex);
					}
				}
				return null;
			};
			for (int i = 0; i < threads; i++) {
				results.add(pool.submit(share));
			}
			for (Future<Void> result : results) {
				result.get();
			}
		}
		finally {
			pool.shutdownNow();
		}
		// A simulation in which nothing goes wrong, or nothing goes on, would prove
		// nothing.
		assertThat(handled.get()).isGreaterThan(20 * seeds);
		assertThat(duplicates.get()).isPositive();
	}

	private static SimWorld run(long seed) {
		SimWorld world = new SimWorld(seed);
		world.run(STEPS);
		return world;
	}

}
