package io.evenkeel.kafka.config;

import java.time.Duration;
import java.util.function.UnaryOperator;

/**
 * Refuses values out of range.
 */
public final class SettingChecks {

	private static final Duration LONGEST = Duration.ofDays(365);

	/** The most handler calls at once that a listener may be set to. */
	public static final int MAX_CONCURRENCY = 10_000;

	private SettingChecks() {
	}

	/**
	 * Whether a listener may make so many calls at once.
	 * @param concurrency the number
	 * @return true from 1 to {@link #MAX_CONCURRENCY}
	 */
	public static boolean isConcurrency(int concurrency) {
		return concurrency >= 1 && concurrency <= MAX_CONCURRENCY;
	}

	/**
	 * Check the waits of a back-off.
	 * @param prefix of its properties, with its dot
	 * @param names gives the full name of a property
	 * @param initial the first wait
	 * @param max the longest wait
	 * @param examples of the two, values that would do
	 */
	public static void intervals(String prefix, UnaryOperator<String> names, Duration initial, Duration max,
			String... examples) {
		duration(names.apply(prefix + "initial-interval"), initial, examples[0]);
		duration(names.apply(prefix + "max-interval"), max, examples[1]);
	}

	/**
	 * Check how the waits of a back-off grow and spread.
	 * @param prefix of its properties, with its dot
	 * @param names gives the full name of a property
	 * @param multiplier finite, at least 1
	 * @param jitter 0 to 1
	 */
	public static void growth(String prefix, UnaryOperator<String> names, double multiplier, double jitter) {
		check(multiplier >= 1 && Double.isFinite(multiplier), names.apply(prefix + "multiplier"), multiplier,
				"it must be at least 1: waits do not become shorter", "Write a number of at least 1, for example 2.0.");
		check(jitter >= 0 && jitter <= 1, names.apply(prefix + "jitter"), jitter,
				"it must be from 0 to 1: it is a part of the wait", "Write a number from 0 to 1, for example 0.2.");
	}

	/**
	 * Check a duration that must be longer than nothing.
	 * @param property its property
	 * @param value its value
	 * @param example a value that would do
	 * @return the value
	 */
	public static Duration duration(String property, Duration value, String example) {
		check(value.compareTo(Duration.ofMillis(1)) >= 0 && value.compareTo(LONGEST) <= 0, property, value,
				"it must be from 1ms to 365d",
				"Write a duration above zero and not above a year, such as " + property + "=" + example + ".");
		return value;
	}

	/**
	 * Check a duration that may be nothing.
	 * @param property its property
	 * @param value its value
	 * @param zero what zero means
	 * @return the value
	 */
	public static Duration durationOrZero(String property, Duration value, String zero) {
		check(!value.isNegative() && value.compareTo(LONGEST) <= 0, property, value, "it must be from 0 to 365d",
				"Write a duration that is not negative and not above a year; 0 " + zero + ".");
		return value;
	}

	/**
	 * Check something.
	 * @param valid whether it holds
	 * @param property the property
	 * @param value its value
	 * @param reason why it is refused otherwise, a sentence without its full stop
	 * @param action what to write, a sentence
	 */
	public static void check(boolean valid, String property, Object value, String reason, String action) {
		if (!valid) {
			throw new InvalidSettingException(Setting.property(property, value), reason, action);
		}
	}

}
