package io.evenkeel.kafka.container;

import java.util.function.Supplier;

import org.springframework.beans.BeanUtils;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpoint;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;

/**
 * Takes the place of a factory that the application declares. Who was given this one sets
 * this one; who has kept the original, as a method that declares a bean may, goes on
 * setting that: each container is made with what both were set to, the last change of a
 * setting counts. Not final, as beans may be proxied.
 */
class AdoptedContainerFactory<K, V> extends EvenkeelContainerFactory<K, V> {

	/** What spring-kafka does not take from a factory's properties as they are either. */
	private static final String[] NOT_COPIED = { "topics", "topicPartitions", "topicPattern", "messageListener",
			"ackCount", "ackTime", "subBatchPerPartition", "kafkaConsumerProperties" };

	private final ConcurrentKafkaListenerContainerFactory<K, V> original;

	private final FactorySettings settings;

	AdoptedContainerFactory(ConcurrentKafkaListenerContainerFactory<K, V> original,
			Supplier<ContainerDependencies> support) {
		super(support);
		if (original.getClass() != ConcurrentKafkaListenerContainerFactory.class) {
			throw new IllegalArgumentException(
					original.getClass().getName() + " may do more than the class it extends");
		}
		this.original = original;
		this.settings = new FactorySettings(original, this);
		this.settings.give();
	}

	@Override
	boolean isAdopted() {
		return true;
	}

	/** One object for both, so that it is the same whom it was taken from. */
	@Override
	public ContainerProperties getContainerProperties() {
		return this.original.getContainerProperties();
	}

	@Override
	protected ConcurrentMessageListenerContainer<K, V> createContainerInstance(KafkaListenerEndpoint endpoint) {
		this.settings.give();
		return super.createContainerInstance(endpoint);
	}

	@Override
	protected void initializeContainer(ConcurrentMessageListenerContainer<K, V> instance,
			KafkaListenerEndpoint endpoint) {
		ContainerProperties given = this.original.getContainerProperties();
		ContainerProperties own = super.getContainerProperties();
		BeanUtils.copyProperties(given, own, NOT_COPIED);
		own.setSubBatchPerPartition(given.getSubBatchPerPartition());
		if (given.getAckCount() > 0) {
			own.setAckCount(given.getAckCount());
		}
		if (given.getAckTime() > 0) {
			own.setAckTime(given.getAckTime());
		}
		super.initializeContainer(instance, endpoint);
	}

}
