package io.evenkeel.kafka.autoconfigure;

import io.evenkeel.kafka.container.InvalidListenerException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;

/**
 * Says what is wrong with a listener's configuration: the property, its value, where it
 * came from, and what to write.
 */
final class InvalidListenerFailureAnalyzer extends AbstractFailureAnalyzer<InvalidListenerException> {

	private final Environment environment;

	InvalidListenerFailureAnalyzer(Environment environment) {
		this.environment = environment;
	}

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, InvalidListenerException cause) {
		StringBuilder description = new StringBuilder();
		if (cause.getValue() != null) {
			description.append(cause.getProperty()).append('=').append(cause.getValue());
		}
		else {
			description.append(cause.getProperty());
		}
		String origin = origin(cause.getProperty());
		if (origin != null) {
			description.append(" (from ").append(origin).append(')');
		}
		description.append(": ").append(cause.getReason()).append('.');
		return new FailureAnalysis(description.toString(), cause.getAction(), cause);
	}

	private @Nullable String origin(String property) {
		if (!ConfigurationPropertyName.isValid(property)) {
			return null;
		}
		ConfigurationPropertyName name = ConfigurationPropertyName.of(property);
		for (ConfigurationPropertySource source : ConfigurationPropertySources.get(this.environment)) {
			ConfigurationProperty found = source.getConfigurationProperty(name);
			if (found != null) {
				return String.valueOf((found.getOrigin() != null) ? found.getOrigin() : source);
			}
		}
		return null;
	}

}
