package io.evenkeel.kafka.producer.line;

/**
 * Waits between attempts: the n-th is {@code initial * multiplier^(n-1)}, spread evenly
 * over plus and minus {@code jitter} of itself, and at most {@code max}.
 *
 * @param initialNanos the first wait in nanoseconds, positive
 * @param multiplier the growth from one wait to the next, at least 1
 * @param maxNanos the longest wait in nanoseconds, positive
 * @param jitter the spread, 0 to 1
 */
public record Backoff(long initialNanos, double multiplier, long maxNanos, double jitter) {

	/**
	 * The wait after an attempt.
	 * @param attempt the attempt just made, from 1
	 * @param random a number from 0 (inclusive) to 1 (exclusive)
	 * @return the wait in nanoseconds, at least 1
	 */
	public long delayNanos(int attempt, double random) {
		double base = this.initialNanos * Math.pow(this.multiplier, Math.max(0, attempt - 1));
		double capped = Math.min(base, this.maxNanos);
		double spread = capped * this.jitter * (2 * random - 1);
		return Math.max(1, (long) Math.min(capped + spread, this.maxNanos));
	}

}
