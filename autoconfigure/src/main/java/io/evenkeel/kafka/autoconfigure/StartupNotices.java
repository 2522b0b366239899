package io.evenkeel.kafka.autoconfigure;

import java.util.Comparator;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextRefreshedEvent;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.config.ShareKafkaListenerContainerFactory;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Says once, when the application has started, what its author would want to know:
 * settings of a listener that does not exist, and container factories that could not be
 * taken over.
 */
final class StartupNotices implements ApplicationListener<ContextRefreshedEvent> {

	private static final Logger logger = LoggerFactory.getLogger(StartupNotices.class);

	private final EvenkeelConsumerProperties properties;

	private final ObjectProvider<KafkaListenerEndpointRegistry> registry;

	private final FactoryAdoption adoption;

	private final ApplicationContext context;

	StartupNotices(EvenkeelConsumerProperties properties, ObjectProvider<KafkaListenerEndpointRegistry> registry,
			FactoryAdoption adoption, ApplicationContext context) {
		this.properties = properties;
		this.registry = registry;
		this.adoption = adoption;
		this.context = context;
	}

	@Override
	public void onApplicationEvent(ContextRefreshedEvent event) {
		if (event.getApplicationContext() != this.context) {
			return;
		}
		this.adoption.leftAlone()
			.stream()
			.filter((factory) -> !factory.isTheWayBack())
			.sorted(Comparator.comparing(FactoryAdoption.LeftAlone::name))
			.forEach(this::leftAlone);
		KafkaListenerEndpointRegistry known = this.registry.getIfAvailable();
		if (known == null) {
			return;
		}
		this.adoption.leftAlone()
			.forEach((factory) -> factory.listeners().forEach((id) -> theirs(known.getListenerContainer(id), factory)));
		Set<String> ids = known.getListenerContainerIds();
		for (String key : this.properties.getListeners().keySet()) {
			if (ids.stream().noneMatch((id) -> ConsumerSettingsMapper.uniform(id).equals(uniform(key)))) {
				logger.warn("{}.listeners.{} matches no @KafkaListener id; the nearest are {}",
						EvenkeelConsumerProperties.PREFIX, key, PropertyNames.nearest(key, ids));
			}
		}
	}

	private static void theirs(@Nullable MessageListenerContainer container, FactoryAdoption.LeftAlone factory) {
		if (container != null) {
			logger.info("{}: starts on spring-kafka's container, of {}; group '{}'", container.getListenerId(),
					factory.name(), container.getGroupId());
		}
	}

	private void leftAlone(FactoryAdoption.LeftAlone factory) {
		String listeners = factory.listeners().isEmpty() ? "listeners that use it run"
				: "its listeners " + factory.listeners() + " run";
		if (!this.adoption.adopts()) {
			logger.info(
					"{} ({}) is left as it is ({}=false): {} on spring-kafka's container, and {}.* does not apply to them",
					factory.name(), factory.type().getName(), FactoryAdoption.PROPERTY, listeners,
					EvenkeelConsumerProperties.PREFIX);
			return;
		}
		logger.warn(
				"{} ({}) cannot be taken over: {}, so {} on spring-kafka's container, and {}.* does not apply to "
						+ "them. {}",
				factory.name(), factory.type().getName(), reason(factory.type()), listeners,
				EvenkeelConsumerProperties.PREFIX, cure(factory.type()));
	}

	private static String reason(Class<?> type) {
		if (ShareKafkaListenerContainerFactory.class.isAssignableFrom(type)) {
			return "Evenkeel has no container for share groups";
		}
		if (ConcurrentKafkaListenerContainerFactory.class.isAssignableFrom(type)) {
			return "what a subclass of ConcurrentKafkaListenerContainerFactory does beyond it could be lost";
		}
		return "it is no ConcurrentKafkaListenerContainerFactory";
	}

	private static String cure(Class<?> type) {
		if (ShareKafkaListenerContainerFactory.class.isAssignableFrom(type)) {
			return "A listener that shall run on Evenkeel's needs a consumer group, and a factory of the class "
					+ "ConcurrentKafkaListenerContainerFactory.";
		}
		return "Write a bean of exactly that class (new ConcurrentKafkaListenerContainerFactory<>()), or let the "
				+ "class extend io.evenkeel.kafka.container.EvenkeelContainerFactory, made with the bean "
				+ "ContainerDependencies. To stay on spring-kafka's container without this warning name "
				+ "springKafkaListenerContainerFactory as the containerFactory of the listeners.";
	}

	private static String uniform(String key) {
		return ConsumerSettingsMapper.uniform(key);
	}

}
