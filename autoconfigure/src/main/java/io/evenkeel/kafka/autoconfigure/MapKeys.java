package io.evenkeel.kafka.autoconfigure;

import java.util.List;
import java.util.Set;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;

import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;

/**
 * Refuses what stands below the key of a map (a topic, a listener id) and means nothing
 * there. A key with dots that is not in brackets looks like that, and would be ignored
 * without a word.
 */
final class MapKeys {

	private final String map;

	private final Set<String> leaves;

	/**
	 * Know a map.
	 * @param map its property
	 * @param leaves what may stand below each of its keys
	 */
	MapKeys(String map, Set<String> leaves) {
		this.map = map;
		this.leaves = leaves;
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
		if (end - key < 2 || leaf(name, key + 1, end) != null) {
			return;
		}
		String value = String
			.valueOf(java.util.Objects.requireNonNull(source.getConfigurationProperty(name)).getValue());
		Setting setting = Setting.property(name.toString(), value);
		for (int from = key + 2; from < end; from++) {
			String leaf = leaf(name, from, end);
			if (leaf != null) {
				String instead = this.map + "[" + original(name, key, from) + "]." + leaf;
				throw new InvalidSettingException(setting,
						"a name with dots must stand in brackets; this one would be taken for '"
								+ name.getElement(key, Form.ORIGINAL) + "', and the value be ignored",
						"Write " + instead + "=" + value + " (in YAML \"[" + original(name, key, from)
								+ "]\"; in an environment variable leave out what separates the words of the name).");
			}
		}
		throw new InvalidSettingException(setting, "there is no such setting below " + this.map + ".<name>",
				"Write one of " + this.leaves.stream().sorted().toList() + ", and put a name with dots in brackets.");
	}

	private @org.jspecify.annotations.Nullable String leaf(ConfigurationPropertyName name, int from, int end) {
		StringBuilder rest = new StringBuilder();
		for (int i = from; i < end; i++) {
			rest.append(name.getElement(i, Form.UNIFORM));
		}
		String wanted = rest.toString();
		return this.leaves.stream()
			.filter((leaf) -> leaf.replaceAll("[^a-z]", "").equals(wanted))
			.findFirst()
			.orElse(null);
	}

	private static String original(ConfigurationPropertyName name, int from, int end) {
		List<String> elements = new java.util.ArrayList<>();
		for (int i = from; i < end; i++) {
			elements.add(name.getElement(i, Form.ORIGINAL));
		}
		return String.join(".", elements);
	}

}
