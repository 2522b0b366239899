package io.evenkeel.kafka.autoconfigure;

import java.util.Locale;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;

/**
 * Finds a property however it is spelled and wherever it is set: files, environment
 * variables, the command line.
 */
final class PropertyLookup {

	private final Environment environment;

	PropertyLookup(Environment environment) {
		this.environment = environment;
	}

	/**
	 * Find a property.
	 * @param property its name
	 * @return the one that counts, null when it is not set
	 */
	@Nullable ConfigurationProperty find(String property) {
		if (property.isEmpty() || !Character.isLetter(property.charAt(0)) || property.contains(" ")) {
			return null;
		}
		ConfigurationPropertyName name = ConfigurationPropertyName.adapt(property, '.');
		String uniform = uniform(name.toString());
		for (ConfigurationPropertySource source : ConfigurationPropertySources.get(this.environment)) {
			ConfigurationProperty found = source.getConfigurationProperty(name);
			if (found == null && source instanceof IterableConfigurationPropertySource names) {
				// An id or a topic may stand in brackets in one place and not in another.
				found = names.stream()
					.filter((candidate) -> uniform(candidate.toString()).equals(uniform))
					.findFirst()
					.map(source::getConfigurationProperty)
					.orElse(null);
			}
			if (found != null) {
				return found;
			}
		}
		return null;
	}

	/**
	 * The value of a property as text.
	 * @param property what was found
	 * @return without placeholders where they can be resolved
	 */
	String text(ConfigurationProperty property) {
		return this.environment.resolvePlaceholders(String.valueOf(property.getValue()));
	}

	/**
	 * A property as an analysis shows it.
	 * @param name its name
	 * @param value its value
	 * @param found where it was found
	 * @return with its origin
	 */
	static String line(String name, @Nullable String value, ConfigurationProperty found) {
		Object origin = (found.getOrigin() != null) ? found.getOrigin() : found.getSource();
		return name + "=" + value + " (from " + origin + ")";
	}

	private static String uniform(String name) {
		StringBuilder result = new StringBuilder(name.length());
		name.toLowerCase(Locale.ROOT)
			.chars()
			.filter(Character::isLetterOrDigit)
			.forEach((letter) -> result.append((char) letter));
		return result.toString();
	}

}
