package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

import io.evenkeel.kafka.config.SettingChecks;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.Order;
import org.springframework.core.convert.ConversionException;
import org.springframework.core.env.Environment;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.util.ClassUtils;
import org.springframework.util.unit.DataSize;

/**
 * Says of a value of ours that cannot be read what can be written in its place. It comes
 * before Boot's own, which knows the type and not what the property takes.
 */
@Order(0)
final class UnreadableValueFailureAnalyzer extends AbstractFailureAnalyzer<BindException> {

	private static final List<ConfigurationPropertyName> OURS = List.of(ConfigurationPropertyName.of("evenkeel.kafka"),
			ConfigurationPropertyName.of("management.health.kafkalisteners"),
			ConfigurationPropertyName.of("management.health.kafkaproducer"));

	private static final String ANY_COUNT = "a whole number from 1 to " + Integer.MAX_VALUE;

	private static final Map<String, String> NUMBERS = Map.of("concurrency",
			"a whole number from 1 to " + SettingChecks.MAX_CONCURRENCY, "jitter", "a number from 0 to 1", "multiplier",
			"a number of at least 1");

	private final PropertyLookup lookup;

	UnreadableValueFailureAnalyzer(@Nullable Environment environment) {
		this.lookup = new PropertyLookup((environment != null) ? environment : new StandardEnvironment());
	}

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, BindException cause) {
		ConfigurationPropertyName name = cause.getName();
		ConfigurationProperty property = (cause.getProperty() != null) ? cause.getProperty()
				: this.lookup.find(name.toString());
		boolean ours = OURS.stream().anyMatch((prefix) -> prefix.isAncestorOf(name));
		if (!ours || property == null || !(cause.getCause() instanceof ConversionException)) {
			return null;
		}
		String wanted = wanted(name, cause.getTarget().getType());
		return new FailureAnalysis(PropertyLookup.line(name.toString(), this.lookup.text(property), property)
				+ ": it must be " + wanted + ".", "Write " + wanted + ".", cause);
	}

	private static String wanted(ConfigurationPropertyName name, ResolvableType target) {
		Class<?> type = ClassUtils.resolvePrimitiveIfNecessary(target.resolve(Object.class));
		if (type.isEnum()) {
			return choice(type);
		}
		if (type == Boolean.class) {
			return "true or false";
		}
		if (type == Duration.class) {
			return "a duration, a number and its unit without a space, such as 500ms, 10s or 5m";
		}
		if (type == DataSize.class) {
			return "a size, such as 16MB or 512KB";
		}
		if (Number.class.isAssignableFrom(type)) {
			String last = name.getLastElement(ConfigurationPropertyName.Form.DASHED);
			return NUMBERS.getOrDefault(last, ANY_COUNT);
		}
		if (type == Class.class || List.class.isAssignableFrom(type)) {
			return "the full name of an exception class that is on the class path, several separated by commas";
		}
		return "a group of settings below this name, and no value";
	}

	/** As Boot's documentation writes constants. */
	private static String choice(Class<?> type) {
		List<String> names = Arrays.stream(type.getEnumConstants())
			.map((constant) -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-'))
			.toList();
		int last = names.size() - 1;
		return names.subList(0, last).stream().collect(Collectors.joining(", ")) + " or " + names.get(last);
	}

}
