package io.evenkeel.kafka.autoconfigure;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.ContainerDependencies;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.listener.OnExhausted;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.TopicPartitionOffset;

/**
 * The dead-letter topics of this application's listeners, and where their records come
 * from: those that our own recovery writes to.
 */
final class DeadLetterTopicNames implements Supplier<Map<String, String>> {

	private final ObjectProvider<KafkaListenerEndpointRegistry> registry;

	private final ObjectProvider<ContainerDependencies> support;

	DeadLetterTopicNames(ObjectProvider<KafkaListenerEndpointRegistry> registry,
			ObjectProvider<ContainerDependencies> support) {
		this.registry = registry;
		this.support = support;
	}

	@Override
	public Map<String, String> get() {
		Map<String, String> names = new HashMap<>();
		KafkaListenerEndpointRegistry known = this.registry.getIfAvailable();
		if (known != null) {
			for (MessageListenerContainer each : known.getListenerContainers()) {
				if (each instanceof EvenkeelContainer<?, ?> container) {
					String main = container.getMainListenerId();
					ContainerSettings settings = this.support.getObject()
						.settings()
						.apply((main != null) ? main : container.getListenerId());
					if (settings.onExhausted() == OnExhausted.DEAD_LETTER
							&& container.getCommonErrorHandler() == null) {
						topics(container).forEach((topic) -> names.put(topic + settings.topicSuffix(), topic));
					}
				}
			}
		}
		return names;
	}

	private static Set<String> topics(EvenkeelContainer<?, ?> container) {
		Set<String> topics = new LinkedHashSet<>();
		String[] named = container.getContainerProperties().getTopics();
		TopicPartitionOffset[] byHand = container.getContainerProperties().getTopicPartitions();
		if (named != null) {
			topics.addAll(Arrays.asList(named));
		}
		if (byHand != null) {
			Arrays.stream(byHand).map(TopicPartitionOffset::getTopic).forEach(topics::add);
		}
		container.getAssignedPartitions().forEach((partition) -> topics.add(partition.topic()));
		return topics;
	}

}
