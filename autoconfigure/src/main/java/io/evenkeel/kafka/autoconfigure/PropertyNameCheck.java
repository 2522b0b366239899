package io.evenkeel.kafka.autoconfigure;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;

import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * Refuses a property below {@code evenkeel.kafka} that nothing reads: a name with a
 * mistake in it would change nothing, without a word. It comes before anything starts.
 */
final class PropertyNameCheck implements SmartInitializingSingleton {

	private static final ConfigurationPropertyName OURS = ConfigurationPropertyName.of("evenkeel.kafka");

	/** What Kubernetes tells every pod about a service of the name evenkeel-kafka. */
	private static final Pattern SERVICE = Pattern
		.compile("(?<![A-Z0-9_])EVENKEEL_KAFKA(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|"
				+ "PORT(_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)(?![A-Z0-9_])");

	private static final Pattern SECRET = Pattern.compile(".*(password|secret|token|credential|jaas|sasl|ssl).*");

	private final Environment environment;

	private final ConfigurableListableBeanFactory beanFactory;

	private final PropertyNames names = new PropertyNames()
		.read(EvenkeelConsumerProperties.PREFIX, EvenkeelConsumerProperties.class)
		.read(EvenkeelProducerProperties.PREFIX, EvenkeelProducerProperties.class)
		.read(EvenkeelLoggingProperties.PREFIX, EvenkeelLoggingProperties.class)
		.read(EvenkeelKafkaProperties.PREFIX, EvenkeelKafkaProperties.class);

	PropertyNameCheck(Environment environment, ConfigurableListableBeanFactory beanFactory) {
		this.environment = environment;
		this.beanFactory = beanFactory;
	}

	@Override
	public void afterSingletonsInstantiated() {
		this.names.maps().forEach((map, leaves) -> {
			// The name of a topic counts as it is written, the id of a listener does not.
			boolean exact = map.startsWith(EvenkeelProducerProperties.PREFIX);
			new MapKeys(map, leaves, exact).check(this.environment);
		});
		List<ConfigurationPropertyName> others = new ArrayList<>(
				this.names.maps().keySet().stream().map(ConfigurationPropertyName::of).toList());
		others.add(ConfigurationPropertyName.of(ClusterBeans.PREFIX));
		others.addAll(ofTheApplication());
		for (ConfigurationPropertySource source : ConfigurationPropertySources.get(this.environment)) {
			if (source instanceof IterableConfigurationPropertySource all) {
				all.stream()
					.filter(OURS::isAncestorOf)
					.filter((name) -> others.stream()
						.noneMatch((other) -> other.equals(name) || other.isAncestorOf(name)))
					.forEach((name) -> check(name, source));
			}
		}
	}

	/** What the application binds to classes of its own. */
	private List<ConfigurationPropertyName> ofTheApplication() {
		List<ConfigurationPropertyName> prefixes = new ArrayList<>();
		for (String bean : this.beanFactory.getBeanNamesForAnnotation(ConfigurationProperties.class)) {
			ConfigurationProperties bound = this.beanFactory.findAnnotationOnBean(bean, ConfigurationProperties.class,
					false);
			String prefix = (bound != null) ? bound.prefix() : "";
			if (prefix.startsWith(OURS + ".") && !prefix.equals(EvenkeelConsumerProperties.PREFIX)
					&& !prefix.equals(EvenkeelProducerProperties.PREFIX)
					&& !prefix.equals(EvenkeelLoggingProperties.PREFIX)) {
				prefixes.add(ConfigurationPropertyName.of(prefix));
			}
		}
		return prefixes;
	}

	private void check(ConfigurationPropertyName name, ConfigurationPropertySource source) {
		int end = name.getNumberOfElements();
		while (end > OURS.getNumberOfElements() && name.isNumericIndex(end - 1)) {
			end--;
		}
		boolean variable = source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource;
		if (this.names.knows(name.chop(end), variable)) {
			return;
		}
		ConfigurationProperty property = Objects.requireNonNull(source.getConfigurationProperty(name));
		if (variable && SERVICE.matcher(String.valueOf(property.getOrigin())).find()) {
			return;
		}
		List<String> nearest = this.names.nearest(name.toString());
		throw new InvalidSettingException(setting(name, property),
				"nothing reads a property of this name; the nearest are " + String.join(", ", nearest),
				"Write " + nearest.get(0) + " if that is what is meant, or remove it.");
	}

	private static Setting setting(ConfigurationPropertyName name, ConfigurationProperty property) {
		String text = name.toString();
		if (SECRET.matcher(text.toLowerCase(Locale.ROOT)).matches()) {
			return Setting.of(text, Setting.HIDDEN, String.valueOf(property.getOrigin()), text);
		}
		return Setting.property(text, property.getValue());
	}

}
