package io.evenkeel.kafka.container;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

import io.evenkeel.kafka.autoconfigure.EvenkeelConsumerAutoConfiguration;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * An application with listeners on the embedded broker.
 */
final class App implements AutoCloseable {

	private final ConfigurableApplicationContext context;

	private App(ConfigurableApplicationContext context) {
		this.context = context;
	}

	static Builder of(Class<?>... configurations) {
		return new Builder(configurations);
	}

	ConfigurableApplicationContext context() {
		return this.context;
	}

	<T> T bean(Class<T> type) {
		return this.context.getBean(type);
	}

	MessageListenerContainer container(String id) {
		MessageListenerContainer container = bean(KafkaListenerEndpointRegistry.class).getListenerContainer(id);
		if (container == null) {
			throw new IllegalStateException("No container " + id);
		}
		return container;
	}

	EvenkeelContainer<?, ?> evenkeel(String id) {
		return (EvenkeelContainer<?, ?>) container(id);
	}

	@SuppressWarnings("unchecked")
	KafkaTemplate<Object, Object> template() {
		return this.context.getBean(KafkaTemplate.class);
	}

	@Override
	public void close() {
		this.context.close();
	}

	/** Collects what an application is made of. */
	static final class Builder {

		private final List<Class<?>> configurations = new ArrayList<>(List.of(Base.class));

		private final List<String> properties = new ArrayList<>();

		private final Map<Class<?>, Object> beans = new java.util.LinkedHashMap<>();

		private Builder(Class<?>... configurations) {
			this.configurations.addAll(Arrays.asList(configurations));
		}

		Builder with(String... properties) {
			this.properties.addAll(Arrays.asList(properties));
			return this;
		}

		/**
		 * Choose the container. Spring's does what is asked of it while a poll waits when
		 * that has ended, after five seconds unless it is told otherwise.
		 */
		Builder on(Engine engine) {
			if (engine == Engine.SPRING) {
				this.properties.add(0, "spring.kafka.listener.poll-timeout=200ms");
			}
			return with(engine.property());
		}

		Builder bean(Object bean) {
			this.beans.put(bean.getClass(), bean);
			return this;
		}

		@SuppressWarnings({ "unchecked", "rawtypes" })
		App start(String topic) {
			Set<String> args = new java.util.LinkedHashSet<>(List.of(
					"spring.kafka.bootstrap-servers=" + EmbeddedBroker.bootstrapServers(), "test.topic=" + topic,
					"spring.kafka.consumer.auto-offset-reset=earliest", "spring.kafka.consumer.group-id=" + topic,
					"evenkeel.kafka.consumer.retry.initial-interval=20ms", "evenkeel.kafka.consumer.retry.jitter=0",
					"evenkeel.kafka.consumer.retry.multiplier=1", "evenkeel.kafka.consumer.commit.interval=50ms"));
			args.addAll(this.properties);
			return new App(new SpringApplicationBuilder(this.configurations.toArray(new Class<?>[0]))
				.web(WebApplicationType.NONE)
				.initializers((context) -> this.beans.forEach((type, bean) -> ((GenericApplicationContext) context)
					.registerBean((Class) type, (Supplier) () -> bean)))
				.run(last(args)));
		}

		/** A property given twice counts as given last. */
		private static String[] last(Set<String> properties) {
			Map<String, String> byName = new java.util.LinkedHashMap<>();
			properties.forEach((property) -> byName.put(property.substring(0, property.indexOf('=')), property));
			byName.put("banner", "spring.main.banner-mode=off");
			return byName.values().stream().map((property) -> "--" + property).toArray(String[]::new);
		}

	}

	/** What each of these applications has. */
	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ EvenkeelConsumerAutoConfiguration.class, KafkaAutoConfiguration.class })
	static class Base {

	}

}
