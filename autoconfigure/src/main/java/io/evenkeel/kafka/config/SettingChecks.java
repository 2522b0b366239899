package io.evenkeel.kafka.config;

import java.time.Duration;

/**
 * Refuses values out of range.
 */
public final class SettingChecks {

	private static final Duration LONGEST = Duration.ofDays(365);

	private SettingChecks() {
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
