package io.evenkeel.kafka.actuate;

import java.util.List;
import java.util.function.Supplier;

import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.producer.ProducerSnapshot;

/**
 * Describes the sending producers for the endpoint.
 */
public final class ProducerDescriptions implements Supplier<List<EvenkeelDescriptor.Producer>> {

	private final ProducerRegistry registry;

	/**
	 * Describe producers.
	 * @param registry where they are
	 */
	public ProducerDescriptions(ProducerRegistry registry) {
		this.registry = registry;
	}

	@Override
	public List<EvenkeelDescriptor.Producer> get() {
		return this.registry.snapshots().stream().map(ProducerDescriptions::producer).toList();
	}

	private static EvenkeelDescriptor.Producer producer(ProducerSnapshot producer) {
		return new EvenkeelDescriptor.Producer(producer.id(), producer.state().name(), producer.pendingRecords(),
				producer.pendingBytes(), producer.topics().stream().map(ProducerDescriptions::topic).toList());
	}

	private static EvenkeelDescriptor.Topic topic(ProducerSnapshot.Topic topic) {
		return new EvenkeelDescriptor.Topic(topic.topic(), topic.waiting(), topic.oldestWaitMillis(),
				(topic.reason() != null) ? topic.reason().name() : null, topic.failFast());
	}

}
