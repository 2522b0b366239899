package io.evenkeel.kafka.container;

import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.setup.GroupOrigin;

import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpoint;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.support.TopicPartitionOffset;

/**
 * Makes {@link EvenkeelContainer}s for {@code @KafkaListener} methods. It is configured
 * like spring-kafka's own factory; the concurrency it is given is the most handler calls
 * at once for a listener, not a number of consumers.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public class EvenkeelContainerFactory<K, V> extends ConcurrentKafkaListenerContainerFactory<K, V> {

	private final Supplier<ContainerDependencies> support;

	/** What the log has been told of for all containers of this factory. */
	private final Set<Object> announced = Collections
		.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

	/**
	 * Make a factory.
	 * @param support what its containers need of the application
	 */
	public EvenkeelContainerFactory(ContainerDependencies support) {
		this(() -> support);
	}

	EvenkeelContainerFactory(Supplier<ContainerDependencies> support) {
		this.support = support;
		// A record that a filter discards is done, also where the listener acknowledges.
		setAckDiscarded(true);
	}

	/**
	 * Take a factory of the application over: all that it was set to, and whatever it is
	 * set to until a container is made. Any thread.
	 * @param <K> the type of the key
	 * @param <V> the type of the value
	 * @param original the factory, of exactly this class: what a subclass adds would be
	 * lost
	 * @param support asked for when the first container is made
	 * @return a factory in its place
	 * @throws IllegalArgumentException when it is a subclass
	 */
	public static <K, V> EvenkeelContainerFactory<K, V> adopt(ConcurrentKafkaListenerContainerFactory<K, V> original,
			Supplier<ContainerDependencies> support) {
		return new AdoptedContainerFactory<>(original, support);
	}

	@Override
	protected ConcurrentMessageListenerContainer<K, V> createContainerInstance(KafkaListenerEndpoint endpoint) {
		EvenkeelContainer<K, V> container = new EvenkeelContainer<>(getConsumerFactory(), properties(endpoint),
				this.support.get());
		container.madeBy(this.announced::add, GroupOrigin.of(endpoint), isAdopted());
		return container;
	}

	/** Whether its containers are in the place of spring-kafka's. */
	boolean isAdopted() {
		return false;
	}

	private static ContainerProperties properties(KafkaListenerEndpoint endpoint) {
		TopicPartitionOffset[] partitions = endpoint.getTopicPartitionsToAssign();
		if (partitions != null && partitions.length > 0) {
			return new ContainerProperties(partitions);
		}
		Collection<String> topics = endpoint.getTopics();
		if (topics != null && !topics.isEmpty()) {
			return new ContainerProperties(topics.toArray(new String[0]));
		}
		return new ContainerProperties(endpoint.getTopicPattern());
	}

}
