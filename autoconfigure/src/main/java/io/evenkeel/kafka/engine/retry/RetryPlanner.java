package io.evenkeel.kafka.engine.retry;

import java.time.Duration;
import java.util.function.DoubleSupplier;
import java.util.function.Predicate;

/**
 * Plans what follows a failed handler call or a failed recovery.
 * <p>
 * <b>Threading:</b> holds no state of its own, so it is as safe for concurrent use as the
 * predicate and the source of randomness it was given.
 */
public final class RetryPlanner {

	/** Longest chain of causes looked at, the failure included: it also ends loops. */
	static final int MAX_CAUSE_DEPTH = 32;

	private static final double NANOS_PER_SECOND = 1e9;

	/** A shorter wait is a busy loop: the engine's timers count in milliseconds. */
	private static final long MIN_INTERVAL_NANOS = 1_000_000;

	private static final FailureDecision RECOVER = new FailureDecision.Recover();

	private final RetrySettings settings;

	private final Predicate<Throwable> notRetryable;

	private final DoubleSupplier random;

	/**
	 * Creates a planner.
	 * @param settings bounds and waits
	 * @param notRetryable whether a failure is not worth another call; asked for the
	 * failure and for each of its causes, never for {@code null}. What it throws is
	 * thrown to the caller of {@link #decide}.
	 * @param random source of the jitter, evenly distributed from 0 (inclusive) to 1
	 * (exclusive)
	 */
	public RetryPlanner(RetrySettings settings, Predicate<Throwable> notRetryable, DoubleSupplier random) {
		this.settings = settings;
		this.notRetryable = notRetryable;
		this.random = random;
	}

	/**
	 * Decides what to do after a failed call.
	 * @param attempt number of the call that failed, from 1
	 * @param failure what the call failed with
	 * @return {@link FailureDecision.Recover} when no attempt is left or the failure is
	 * not worth one, otherwise {@link FailureDecision.Retry}
	 * @throws IllegalArgumentException if the attempt is less than 1
	 */
	public FailureDecision decide(int attempt, Throwable failure) {
		check(attempt, "attempt");
		if (attempt >= this.settings.maxAttempts() || isNotRetryable(failure)) {
			return RECOVER;
		}
		return new FailureDecision.Retry(interval(attempt));
	}

	/**
	 * Returns how long to wait before a failed recovery is tried again. There is no last
	 * attempt: a record that can neither be handled nor recovered stays unfinished.
	 * @param failedRecoveries how many recoveries of the record have failed, from 1
	 * @return the wait, at least 1 ms
	 * @throws IllegalArgumentException if the number is less than 1
	 */
	public Duration recoveryBackOff(int failedRecoveries) {
		check(failedRecoveries, "failedRecoveries");
		return interval(failedRecoveries);
	}

	private boolean isNotRetryable(Throwable failure) {
		Throwable link = failure;
		for (int depth = 0; link != null && depth < MAX_CAUSE_DEPTH; depth++) {
			if (this.notRetryable.test(link)) {
				return true;
			}
			link = link.getCause();
		}
		return false;
	}

	private Duration interval(int failures) {
		// In double a large power becomes infinity, which the limit takes back; a long
		// would overflow into a negative wait.
		double limit = nanos(this.settings.maxInterval());
		double planned = Math.min(limit,
				nanos(this.settings.initialInterval()) * Math.pow(this.settings.multiplier(), failures - 1));
		double jitter = this.settings.jitter();
		double spread = planned * (1 + jitter * (2 * this.random.getAsDouble() - 1));
		return Duration.ofNanos(Math.max(MIN_INTERVAL_NANOS, (long) Math.min(spread, limit)));
	}

	private static void check(int failures, String name) {
		if (failures < 1) {
			throw new IllegalArgumentException(name + " must be at least 1, not " + failures);
		}
	}

	private static double nanos(Duration duration) {
		return duration.getSeconds() * NANOS_PER_SECOND + duration.getNano();
	}

}
