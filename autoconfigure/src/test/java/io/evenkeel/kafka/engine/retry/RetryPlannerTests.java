package io.evenkeel.kafka.engine.retry;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.IntStream;

import io.evenkeel.kafka.engine.retry.FailureDecision.Recover;
import io.evenkeel.kafka.engine.retry.FailureDecision.Retry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link RetryPlanner}.
 * <p>
 * Each guard was removed once to see a test go red: the bound of attempts
 * ({@link #attemptsAreBounded}), the bound of the cause chain
 * ({@link #loopOfCausesEnds}), the limit of the growth ({@link #intervalsDoNotOverflow}),
 * the limit after jitter ({@link #strangeRandomnessIsBounded}), the least wait
 * ({@link #waitIsNeverZero}).
 */
class RetryPlannerTests {

	private static final double MIDDLE = 0.5;

	private static final Predicate<Throwable> ALL_RETRYABLE = (failure) -> false;

	private static final Exception FAILURE = new IllegalStateException("test");

	@Test
	void waitsGrowToTheMaximum() {
		RetryPlanner planner = planner(new RetrySettings(100, Duration.ofMillis(500), 2, Duration.ofSeconds(30), 0.2),
				MIDDLE);
		assertThat(IntStream.rangeClosed(1, 9).mapToObj((attempt) -> wait(planner, attempt).toMillis()))
			.containsExactly(500L, 1000L, 2000L, 4000L, 8000L, 16000L, 30000L, 30000L, 30000L);
	}

	@Test
	void maximumWinsOverLongerInitialInterval() {
		RetryPlanner planner = planner(new RetrySettings(5, Duration.ofSeconds(9), 2, Duration.ofSeconds(2), 0),
				MIDDLE);
		assertThat(wait(planner, 1)).isEqualTo(Duration.ofSeconds(2));
	}

	@ParameterizedTest
	@ValueSource(ints = { 1, 2, 5, 1000 })
	void attemptsAreBounded(int maxAttempts) {
		RetryPlanner planner = planner(new RetrySettings(maxAttempts, Duration.ofMillis(1), 1, Duration.ofMillis(1), 0),
				MIDDLE);
		for (int attempt = 1; attempt < maxAttempts; attempt++) {
			assertThat(planner.decide(attempt, FAILURE)).isInstanceOf(Retry.class);
		}
		assertThat(planner.decide(maxAttempts, FAILURE)).isEqualTo(new Recover());
		assertThat(planner.decide(maxAttempts + 1, FAILURE)).isEqualTo(new Recover());
		assertThat(planner.decide(Integer.MAX_VALUE, FAILURE)).isEqualTo(new Recover());
	}

	@Test
	void jitterSpreadsToBothSides() {
		RetrySettings settings = RetrySettings.defaults();
		assertThat(wait(planner(settings, 0), 1)).isEqualTo(Duration.ofMillis(400));
		assertThat(wait(planner(settings, Math.nextDown(1.0)), 1)).isBetween(Duration.ofNanos(599_999_999),
				Duration.ofMillis(600));
	}

	@Test
	void jitterIsSpreadEvenly() {
		long seed = 42;
		RetryPlanner planner = new RetryPlanner(RetrySettings.defaults(), ALL_RETRYABLE, new Random(seed)::nextDouble);
		int[] tenths = new int[10];
		for (int i = 0; i < 10_000; i++) {
			tenths[(int) ((wait(planner, 1).toNanos() - 400_000_000) / 20_000_000)]++;
		}
		assertThat(IntStream.of(tenths).boxed()).as("seed %d", seed)
			.allSatisfy((count) -> assertThat(count).isBetween(850, 1150));
	}

	@Test
	void intervalsDoNotOverflow() {
		RetryPlanner planner = planner(RetrySettings.defaults(), MIDDLE);
		RetryPlanner steep = planner(new RetrySettings(Integer.MAX_VALUE, Duration.ofDays(365_000_000),
				Double.MAX_VALUE, Duration.ofDays(365_000_000), 1), Math.nextDown(1.0));
		for (int failures : new int[] { 60, 1_000, 5_000, 1_000_000, Integer.MAX_VALUE - 1, Integer.MAX_VALUE }) {
			assertThat(planner.recoveryBackOff(failures)).isEqualTo(Duration.ofSeconds(30));
			assertThat(steep.recoveryBackOff(failures)).isEqualTo(Duration.ofNanos(Long.MAX_VALUE));
		}
	}

	@ParameterizedTest
	@ValueSource(doubles = { -1e300, -5, 5, 1e300, Double.NaN })
	void strangeRandomnessIsBounded(double random) {
		assertThat(wait(planner(RetrySettings.defaults(), random), 1)).isBetween(Duration.ofMillis(1),
				Duration.ofSeconds(36));
	}

	@Test
	void waitIsNeverZero() {
		assertThat(wait(planner(new RetrySettings(5, Duration.ofSeconds(1), 2, Duration.ofSeconds(30), 1), 0), 1))
			.isEqualTo(Duration.ofMillis(1));
		assertThat(wait(planner(new RetrySettings(5, Duration.ofNanos(1), 1, Duration.ofNanos(1), 0), MIDDLE), 1))
			.isEqualTo(Duration.ofMillis(1));
	}

	@Test
	void waitsStayInTheirRangeForRandomSettings() {
		for (long seed = 0; seed < 2_000; seed++) {
			Random random = new Random(seed);
			RetrySettings settings = new RetrySettings(1 + random.nextInt(50),
					Duration.ofMillis(1 + random.nextInt(10_000)), 1 + 4 * random.nextDouble(),
					Duration.ofMillis(1 + random.nextInt(100_000)), random.nextDouble());
			RetryPlanner planner = new RetryPlanner(settings, ALL_RETRYABLE, random::nextDouble);
			double planned = settings.initialInterval().toMillis();
			for (int failures = 1; failures <= 60; failures++) {
				double interval = Math.min(planned, settings.maxInterval().toMillis());
				double low = Math.max(1, interval * (1 - settings.jitter()));
				double high = Math.max(1, interval * (1 + settings.jitter()));
				Duration wait = planner.recoveryBackOff(failures);
				assertThat(wait.toNanos() / 1e6).as("seed %d, %s, failure %d", seed, settings, failures)
					.isBetween(low - 0.001, high + 0.001);
				assertThat(planner.decide(failures, FAILURE) instanceof Retry).as("seed %d", seed)
					.isEqualTo(failures < settings.maxAttempts());
				planned *= settings.multiplier();
			}
		}
	}

	@Test
	void failureNotWorthARetryIsRecoveredAtOnce() {
		RetryPlanner planner = new RetryPlanner(RetrySettings.defaults(), IllegalArgumentException.class::isInstance,
				() -> MIDDLE);
		assertThat(planner.decide(1, new IllegalArgumentException())).isEqualTo(new Recover());
		assertThat(planner.decide(1, new IllegalStateException())).isInstanceOf(Retry.class);
	}

	@Test
	void causesAreAskedFromTheOutermost() {
		List<Throwable> asked = new ArrayList<>();
		RetryPlanner planner = new RetryPlanner(RetrySettings.defaults(), (failure) -> {
			asked.add(failure);
			return failure instanceof IllegalArgumentException;
		}, () -> MIDDLE);
		Throwable root = new Exception("root");
		Throwable match = new IllegalArgumentException("match", root);
		Throwable outer = new RuntimeException("outer", match);
		assertThat(planner.decide(1, outer)).isEqualTo(new Recover());
		assertThat(asked).containsExactly(outer, match);
	}

	@Test
	void loopOfCausesEnds() {
		Exception first = new Exception("first");
		first.initCause(new Exception("second", first));
		List<Throwable> asked = new ArrayList<>();
		RetryPlanner planner = new RetryPlanner(RetrySettings.defaults(), (failure) -> {
			assertThat(asked.size()).isLessThan(1_000);
			asked.add(failure);
			return false;
		}, () -> MIDDLE);
		assertThat(planner.decide(1, first)).isInstanceOf(Retry.class);
		assertThat(asked).hasSize(RetryPlanner.MAX_CAUSE_DEPTH);
	}

	@Test
	void recoveryNeverGivesUp() {
		RetryPlanner planner = planner(RetrySettings.defaults(), MIDDLE);
		assertThat(planner.recoveryBackOff(1)).isEqualTo(Duration.ofMillis(500));
		assertThat(planner.recoveryBackOff(3)).isEqualTo(Duration.ofSeconds(2));
		assertThat(planner.recoveryBackOff(1_000_000)).isEqualTo(Duration.ofSeconds(30));
	}

	@Test
	void countsBelowOneAreRefused() {
		RetryPlanner planner = planner(RetrySettings.defaults(), MIDDLE);
		assertThatIllegalArgumentException().isThrownBy(() -> planner.decide(0, FAILURE))
			.withMessageContaining("attempt");
		assertThatIllegalArgumentException().isThrownBy(() -> planner.recoveryBackOff(0))
			.withMessageContaining("failedRecoveries");
	}

	private static Duration wait(RetryPlanner planner, int attempt) {
		FailureDecision decision = planner.decide(attempt, FAILURE);
		assertThat(decision).isInstanceOf(Retry.class);
		return ((Retry) decision).after();
	}

	private static RetryPlanner planner(RetrySettings settings, double random) {
		return new RetryPlanner(settings, ALL_RETRYABLE, () -> random);
	}

}
