package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.core.env.Environment;

/**
 * What the user set {@code max.block.ms} to, a common cure for the sixty seconds that a
 * stock producer may hold its caller.
 */
final class MaxBlockSetting {

	static final String METADATA_TIMEOUT = EvenkeelProducerProperties.PREFIX + ".metadata.timeout";

	private static final Log logger = LogFactory.getLog(MaxBlockSetting.class);

	private static final String[] OWNERS = { "spring.kafka.producer.properties", "spring.kafka.properties" };

	private MaxBlockSetting() {
	}

	/**
	 * Find the setting.
	 * @param environment the environment
	 * @param configured the value in the client's properties, {@code null} if there is
	 * none
	 * @return the wait that it asks for, {@code null} if it is not set
	 */
	static @Nullable Duration resolve(Environment environment, @Nullable Object configured) {
		if (configured == null) {
			return null;
		}
		ConfigurationProperty source = find(environment, OWNERS[0] + "[max.block.ms]", OWNERS[0] + ".max.block.ms",
				OWNERS[1] + "[max.block.ms]", OWNERS[1] + ".max.block.ms");
		String name = (source != null) ? source.getName().toString() : "max.block.ms";
		ConfigurationProperty timeout = find(environment, METADATA_TIMEOUT);
		if (timeout != null) {
			throw new MaxBlockConflictException(name, configured.toString(), origin(source),
					String.valueOf(timeout.getValue()), origin(timeout));
		}
		Duration result = Duration.ofMillis(parse(name, configured));
		logger.info("'" + name + "=" + configured + "' is taken as '" + METADATA_TIMEOUT
				+ "': it limits how long a record waits, a send itself never does");
		return result;
	}

	private static long parse(String name, Object value) {
		String hint = "Must be a positive number of milliseconds; better remove it and set '" + METADATA_TIMEOUT
				+ "', for example to '10s'.";
		try {
			long millis = Long.parseLong(value.toString().trim());
			if (millis > 0) {
				return millis;
			}
		}
		catch (NumberFormatException ex) {
			// refused below, with the name of the property
		}
		throw new InvalidConfigurationPropertyValueException(name, value, hint);
	}

	private static @Nullable ConfigurationProperty find(Environment environment, String... names) {
		for (String name : names) {
			ConfigurationPropertyName candidate = ConfigurationPropertyName.of(name);
			for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
				ConfigurationProperty property = source.getConfigurationProperty(candidate);
				if (property != null) {
					return property;
				}
			}
		}
		return null;
	}

	private static @Nullable String origin(@Nullable ConfigurationProperty property) {
		return (property != null && property.getOrigin() != null) ? property.getOrigin().toString() : null;
	}

}
