package io.evenkeel.kafka.autoconfigure;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

import io.evenkeel.kafka.container.EvenkeelContainerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextRefreshedEvent;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;

/**
 * Says once, when the application has started, what its author would want to know:
 * settings of a listener that does not exist, and a container factory of the
 * application's own.
 */
final class StartupNotices implements ApplicationListener<ContextRefreshedEvent> {

	private static final Logger logger = LoggerFactory.getLogger(StartupNotices.class);

	private static final String FACTORY = "kafkaListenerContainerFactory";

	private static final int NEAREST = 3;

	private final EvenkeelConsumerProperties properties;

	private final ObjectProvider<KafkaListenerEndpointRegistry> registry;

	private final ApplicationContext context;

	StartupNotices(EvenkeelConsumerProperties properties, ObjectProvider<KafkaListenerEndpointRegistry> registry,
			ApplicationContext context) {
		this.properties = properties;
		this.registry = registry;
		this.context = context;
	}

	@Override
	public void onApplicationEvent(ContextRefreshedEvent event) {
		if (event.getApplicationContext() != this.context) {
			return;
		}
		if (this.context.containsBean(FACTORY)
				&& !(this.context.getBean(FACTORY) instanceof EvenkeelContainerFactory<?, ?>)) {
			logger.info("The application defines the bean '{}' itself: listeners that use it run on spring-kafka's "
					+ "container and evenkeel.kafka.consumer.* does not apply to them", FACTORY);
		}
		KafkaListenerEndpointRegistry known = this.registry.getIfAvailable();
		if (known == null) {
			return;
		}
		Set<String> ids = known.getListenerContainerIds();
		for (String key : this.properties.getListeners().keySet()) {
			if (ids.stream().noneMatch((id) -> ConsumerSettingsMapper.uniform(id).equals(uniform(key)))) {
				logger.warn("{}.listeners.{} matches no @KafkaListener id; the nearest are {}",
						EvenkeelConsumerProperties.PREFIX, key, nearest(key, ids));
			}
		}
	}

	private static String uniform(String key) {
		return ConsumerSettingsMapper.uniform(key);
	}

	private static List<String> nearest(String key, Set<String> ids) {
		return ids.stream()
			.sorted(Comparator
				.comparingInt((id) -> distance(key.toLowerCase(Locale.ROOT), id.toLowerCase(Locale.ROOT))))
			.limit(NEAREST)
			.toList();
	}

	/** Levenshtein's distance, one row at a time. */
	static int distance(String one, String other) {
		int[] row = new int[other.length() + 1];
		for (int j = 0; j <= other.length(); j++) {
			row[j] = j;
		}
		for (int i = 1; i <= one.length(); i++) {
			int diagonal = row[0];
			row[0] = i;
			for (int j = 1; j <= other.length(); j++) {
				int above = row[j];
				int replace = diagonal + ((one.charAt(i - 1) == other.charAt(j - 1)) ? 0 : 1);
				row[j] = Math.min(replace, Math.min(above, row[j - 1]) + 1);
				diagonal = above;
			}
		}
		return row[other.length()];
	}

}
