package io.evenkeel.kafka.autoconfigure;

import java.util.function.Supplier;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;

/**
 * Finds the producer factory for dead letters: the application's, where there is one that
 * stands out (the only one, the primary one, the one of the only template), otherwise one
 * made of {@code spring.kafka}.
 */
final class DeadLetterProducerFactory implements Supplier<ProducerFactory<?, ?>> {

	private final ObjectProvider<ProducerFactory<?, ?>> factories;

	private final ObjectProvider<KafkaTemplate<?, ?>> templates;

	private final KafkaProperties properties;

	private final ObjectProvider<KafkaConnectionDetails> connection;

	DeadLetterProducerFactory(ObjectProvider<ProducerFactory<?, ?>> factories,
			ObjectProvider<KafkaTemplate<?, ?>> templates, KafkaProperties properties,
			ObjectProvider<KafkaConnectionDetails> connection) {
		this.factories = factories;
		this.templates = templates;
		this.properties = properties;
		this.connection = connection;
	}

	@Override
	public ProducerFactory<?, ?> get() {
		ProducerFactory<?, ?> known = this.factories.getIfUnique();
		if (known != null) {
			return known;
		}
		KafkaTemplate<?, ?> template = this.templates.getIfUnique();
		if (template != null) {
			return template.getProducerFactory();
		}
		return new DefaultKafkaProducerFactory<>(
				ProducerClientProperties.build(this.properties, this.connection.getObject(), null));
	}

}
