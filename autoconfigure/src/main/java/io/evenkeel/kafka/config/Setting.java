package io.evenkeel.kafka.config;

import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

/**
 * Something that was set, as a failure analysis names it.
 *
 * @param name its name: a property, or what else it is called
 * @param value its value; null when it is missing
 * @param origin where it is when no property has set it; null for a property
 * @param spellings properties that may have set it, those that count more first: the
 * first with this value is named in place of the name
 */
public record Setting(String name, @Nullable String value, @Nullable String origin, List<String> spellings) {

	/** Stands for a value that must not be shown. */
	public static final String HIDDEN = "[hidden]";

	/**
	 * A property.
	 * @param name its name
	 * @param value its value, null when it is missing
	 * @return the setting
	 */
	public static Setting property(String name, @Nullable Object value) {
		return new Setting(name, text(value), null, List.of());
	}

	/**
	 * Something that a property may have set, or code.
	 * @param name what it is called in code
	 * @param value its value, null when it is missing
	 * @param origin where to look in code
	 * @param spellings the properties
	 * @return the setting
	 */
	public static Setting of(String name, @Nullable Object value, String origin, String... spellings) {
		return new Setting(name, text(value), origin, List.of(spellings));
	}

	private static @Nullable String text(@Nullable Object value) {
		if (value instanceof Class<?> type) {
			return type.getName();
		}
		if (value instanceof Collection<?> values) {
			return values.stream().map(Setting::text).collect(Collectors.joining(","));
		}
		return (value != null) ? String.valueOf(value) : null;
	}

	@Override
	public String toString() {
		return (this.value != null) ? this.name + "=" + this.value : this.name;
	}

}
