package io.evenkeel.kafka.engine.retry;

import java.time.Duration;

/**
 * How often a failed record is called again and how long it waits in between.
 *
 * @param maxAttempts calls per record, the first included; at least 1
 * @param initialInterval wait after the first failed call; positive
 * @param multiplier growth of the wait from one failed call to the next; finite, at least
 * 1
 * @param maxInterval longest wait before jitter is applied; positive, and it wins over a
 * longer {@code initialInterval}
 * @param jitter share by which a wait is spread evenly to both sides; 0 to 1
 */
public record RetrySettings(int maxAttempts, Duration initialInterval, double multiplier, Duration maxInterval,
		double jitter) {

	/**
	 * Checks each component.
	 * @throws IllegalArgumentException naming the component that is out of range
	 */
	public RetrySettings {
		check(maxAttempts >= 1, "maxAttempts must be at least 1", maxAttempts);
		check(isPositive(initialInterval), "initialInterval must be positive", initialInterval);
		// Written so that NaN, for which every comparison is false, is refused too.
		check(multiplier >= 1 && multiplier <= Double.MAX_VALUE, "multiplier must be finite and at least 1",
				multiplier);
		check(isPositive(maxInterval), "maxInterval must be positive", maxInterval);
		check(jitter >= 0 && jitter <= 1, "jitter must be from 0 to 1", jitter);
	}

	/**
	 * Returns the settings of an application that configures none: 5 calls, waits of 500
	 * ms doubling up to 30 s, spread by 20 %.
	 * @return the default settings
	 */
	public static RetrySettings defaults() {
		return new RetrySettings(5, Duration.ofMillis(500), 2.0, Duration.ofSeconds(30), 0.2);
	}

	private static boolean isPositive(Duration duration) {
		return !duration.isNegative() && !duration.isZero();
	}

	private static void check(boolean valid, String rule, Object value) {
		if (!valid) {
			throw new IllegalArgumentException(rule + ", not " + value);
		}
	}

}
