package io.evenkeel.kafka.autoconfigure;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * Refuses what stands below the key of a map (a topic, a listener id) and means nothing
 * there. A key with dots that is not in brackets looks like that, and would be ignored
 * without a word.
 */
final class MapKeys {

	private final String map;

	private final Set<String> leaves;

	private final boolean exact;

	/**
	 * Know a map.
	 * @param map its property
	 * @param leaves what may stand below each of its keys
	 * @param exact whether a key must be written as it is; otherwise case and what
	 * separates words do not count
	 */
	MapKeys(String map, Set<String> leaves, boolean exact) {
		this.map = map;
		this.leaves = leaves;
		this.exact = exact;
	}

	/** A key with dots stands in brackets, another one is written like any property. */
	static String below(String map, String key) {
		return key.matches("[A-Za-z0-9_-]+") ? map + "." + key : map + "[" + key + "]";
	}

	void check(Environment environment) {
		ConfigurationPropertyName prefix = ConfigurationPropertyName.of(this.map);
		for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
			if (source instanceof IterableConfigurationPropertySource names) {
				names.stream().filter(prefix::isAncestorOf).forEach((name) -> check(name, prefix, source));
			}
		}
	}

	private void check(ConfigurationPropertyName name, ConfigurationPropertyName prefix,
			ConfigurationPropertySource source) {
		int key = prefix.getNumberOfElements();
		int end = name.getNumberOfElements();
		while (end > key && name.isNumericIndex(end - 1)) {
			end--;
		}
		boolean variable = source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource;
		if (end - key < 2 || leaf(name, key + 1, end, variable) != null) {
			return;
		}
		String value = String.valueOf(Objects.requireNonNull(source.getConfigurationProperty(name)).getValue());
		Setting setting = Setting.property(name.toString(), value);
		for (int from = key + 2; from < end; from++) {
			String leaf = leaf(name, from, end, variable);
			if (leaf != null) {
				throw new InvalidSettingException(setting,
						"a name with dots must stand in brackets; this one would be taken for '"
								+ name.getElement(key, Form.ORIGINAL) + "', and the value be ignored",
						inBrackets(original(name, key, from), leaf, value, variable));
			}
		}
		throw new InvalidSettingException(setting, "there is no such setting below " + this.map + ".<name>",
				instead(name, key, end, value));
	}

	/**
	 * What a name means: in an environment variable, where nothing else separates words,
	 * an underscore may also stand for a hyphen.
	 */
	private @Nullable String leaf(ConfigurationPropertyName name, int from, int end, boolean variable) {
		String rest = uniform(name, from, end, ".");
		return this.leaves.stream()
			.filter((leaf) -> leaf.replace("-", "").equals(rest) || (variable && leaf.replace('-', '.').equals(rest)))
			.findFirst()
			.orElse(null);
	}

	private String inBrackets(String key, String leaf, String value, boolean variable) {
		String property = this.map + "[" + key + "]." + leaf;
		if (!variable) {
			return "Write " + property + "=" + value + " (in YAML \"[" + key + "]\").";
		}
		if (this.exact) {
			return "Write SPRING_APPLICATION_JSON={\"" + property + "\": \"" + value
					+ "\"} with the name in the brackets exactly as it is, or set the property in a file: "
					+ "the name of an environment variable has no room for dots, hyphens and upper case.";
		}
		String words = (this.map + "." + key.replaceAll("[^A-Za-z0-9]", "") + "." + leaf.replace("-", ""))
			.replace('.', '_')
			.toUpperCase(Locale.ROOT);
		return "Write " + words + "=" + value
				+ ": in an environment variable leave out what separates the words of the name.";
	}

	private String instead(ConfigurationPropertyName name, int key, int end, String value) {
		String rest = uniform(name, key + 1, end, "");
		return this.leaves.stream()
			.filter((leaf) -> leaf.replaceAll("[.-]", "").equals(rest))
			.findFirst()
			.map((leaf) -> "Write " + below(this.map, name.getElement(key, Form.ORIGINAL)) + "." + leaf + "=" + value
					+ ".")
			.orElseGet(() -> "Write one of " + this.leaves.stream().sorted().toList() + " (the nearest are "
					+ String.join(", ", PropertyNames.nearest(rest, this.leaves))
					+ "), and put a name with dots in brackets.");
	}

	private static String uniform(ConfigurationPropertyName name, int from, int end, String separator) {
		return join(name, from, end, Form.UNIFORM, separator);
	}

	private static String original(ConfigurationPropertyName name, int from, int end) {
		return join(name, from, end, Form.ORIGINAL, ".");
	}

	private static String join(ConfigurationPropertyName name, int from, int end, Form form, String separator) {
		List<String> elements = new ArrayList<>();
		for (int i = from; i < end; i++) {
			elements.add(name.getElement(i, form));
		}
		return String.join(separator, elements);
	}

}
