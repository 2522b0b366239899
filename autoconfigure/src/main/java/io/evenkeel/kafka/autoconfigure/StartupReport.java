package io.evenkeel.kafka.autoconfigure;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.producer.EvenkeelProducerFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.BeanWrapper;
import org.springframework.beans.PropertyAccessorFactory;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextRefreshedEvent;
import org.springframework.core.env.Environment;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Says once, on demand, what applies to each listener and producer, and where that was
 * written. What nobody has written is a default.
 */
final class StartupReport implements ApplicationListener<ContextRefreshedEvent> {

	private static final Logger logger = LoggerFactory.getLogger(StartupReport.class);

	private static final String DEFAULT = "default";

	private final Environment environment;

	private final PropertyLookup lookup;

	private final ApplicationContext context;

	StartupReport(ApplicationContext context) {
		this.context = context;
		this.environment = context.getEnvironment();
		this.lookup = new PropertyLookup(this.environment);
	}

	@Override
	public void onApplicationEvent(ContextRefreshedEvent event) {
		if (event.getApplicationContext() == this.context) {
			logger.info(text());
		}
	}

	String text() {
		StringBuilder report = new StringBuilder("What applies, and where it comes from (evenkeel.kafka.report=true)");
		KafkaListenerEndpointRegistry registry = this.context.getBeanProvider(KafkaListenerEndpointRegistry.class)
			.getIfUnique();
		if (registry != null) {
			for (String id : new TreeSet<>(registry.getListenerContainerIds())) {
				MessageListenerContainer container = registry.getListenerContainer(id);
				if (container != null) {
					listener(report, id, container);
				}
			}
		}
		Map<String, ProducerFactory<?, ?>> factories = new TreeMap<>();
		this.context.getBeansOfType(ProducerFactory.class, false, false)
			.forEach((name, factory) -> factories.put(name, (ProducerFactory<?, ?>) factory));
		factories.forEach((name, factory) -> producer(report, name, factory));
		return report.toString();
	}

	private void listener(StringBuilder report, String id, MessageListenerContainer container) {
		ContainerProperties properties = container.getContainerProperties();
		String reads = (properties.getTopics() != null) ? Arrays.toString(properties.getTopics())
				: (properties.getTopicPattern() != null) ? "like " + properties.getTopicPattern()
						: Arrays.toString(properties.getTopicPartitions());
		boolean ours = container instanceof EvenkeelContainer<?, ?>;
		report.append("\n  listener '").append(id).append("' on ");
		report.append(ours ? "Evenkeel's" : "spring-kafka's").append(" container: topics ").append(reads);
		report.append(", group '").append(container.getGroupId()).append("'");
		if (!ours) {
			report.append("; ").append(EvenkeelConsumerProperties.PREFIX).append(".* does not apply");
			return;
		}
		ConsumerSettingsProperties merged = new ConsumerSettingsProperties();
		String own = MapKeys.below(EvenkeelConsumerProperties.PREFIX + ".listeners", id);
		Binder binder = Binder.get(this.environment);
		binder.bind(EvenkeelConsumerProperties.PREFIX, Bindable.ofInstance(merged));
		binder.bind(ConfigurationPropertyName.adapt(own, '.'), Bindable.ofInstance(merged), null);
		BeanWrapper values = PropertyAccessorFactory.forBeanPropertyAccess(merged);
		for (String leaf : new PropertyNames().read("", ConsumerSettingsProperties.class).names()) {
			String name = leaf.substring(1);
			if (name.equals("concurrency") && merged.getConcurrency() == null) {
				line(report, name, ((EvenkeelContainer<?, ?>) container).concurrencyLimit(),
						"@KafkaListener(concurrency), spring.kafka.listener.concurrency, or 1");
				continue;
			}
			ConfigurationProperty found = this.lookup.find(own + "." + name);
			if (found == null) {
				found = this.lookup.find(EvenkeelConsumerProperties.PREFIX + "." + name);
			}
			line(report, name, value(values, name), origin(found));
		}
	}

	private void producer(StringBuilder report, String bean, ProducerFactory<?, ?> factory) {
		report.append("\n  producer factory '").append(bean).append("' (");
		report.append((factory instanceof EvenkeelProducerFactory<?, ?>) ? "Evenkeel's"
				: factory.getClass().getName() + ", whose producers send through Evenkeel");
		report.append(')');
		EvenkeelProducerProperties merged = Binder.get(this.environment)
			.bindOrCreate(EvenkeelProducerProperties.PREFIX, EvenkeelProducerProperties.class);
		BeanWrapper values = PropertyAccessorFactory.forBeanPropertyAccess(merged);
		PropertyNames names = new PropertyNames().read("", EvenkeelProducerProperties.class);
		for (String leaf : names.names()) {
			String name = leaf.substring(1);
			ConfigurationProperty found = this.lookup.find(EvenkeelProducerProperties.PREFIX + "." + name);
			line(report, name, value(values, name), origin(found));
		}
		merged.getTopics()
			.keySet()
			.stream()
			.sorted()
			.forEach((topic) -> report.append("\n    topic '").append(topic).append("' has limits of its own"));
	}

	private static @Nullable Object value(BeanWrapper values, String dashed) {
		StringBuilder path = new StringBuilder();
		for (int i = 0; i < dashed.length(); i++) {
			char letter = dashed.charAt(i);
			path.append((letter == '-') ? Character.toUpperCase(dashed.charAt(++i)) : letter);
		}
		return values.getPropertyValue(path.toString());
	}

	private static void line(StringBuilder report, String name, @Nullable Object value, String origin) {
		report.append("\n    ").append(name).append(" = ").append((value != null) ? value : "-");
		report.append("  (").append(origin).append(')');
	}

	private static String origin(@Nullable ConfigurationProperty found) {
		if (found == null) {
			return DEFAULT;
		}
		return found.getName() + " in " + ((found.getOrigin() != null) ? found.getOrigin() : found.getSource());
	}

}
