package io.evenkeel.kafka.producer;

import java.util.Map;

import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;

/**
 * The template of the starter and the one it takes the place of. Where Boot's behaviour
 * is right, one test runs on both:
 *
 * <pre>
 * &#064;ParameterizedTest
 * &#064;EnumSource(Templates.class)
 * void allAreStored(Templates which) {
 * 	try (TemplateRig rig = new TemplateRig(which)) {
 * 		String topic = rig.topic(1);
 * 		rig.template().send(topic, "key", "value");
 * 		rig.template().flush();
 * 		assertThat(rig.values(topic)).containsExactly("value");
 * 	}
 * }
 * </pre>
 */
enum Templates {

	EVENKEEL {

		@Override
		<K, V> DefaultKafkaProducerFactory<K, V> factory(Map<String, Object> configs, ProducerSettings settings,
				ProducerRegistry registry) {
			return new EvenkeelProducerFactory<>(configs, settings, registry);
		}

		@Override
		<K, V> KafkaTemplate<K, V> template(DefaultKafkaProducerFactory<K, V> factory) {
			return new EvenkeelKafkaTemplate<>(factory);
		}

	},

	STOCK {

		@Override
		<K, V> DefaultKafkaProducerFactory<K, V> factory(Map<String, Object> configs, ProducerSettings settings,
				ProducerRegistry registry) {
			DefaultKafkaProducerFactory<K, V> factory = new DefaultKafkaProducerFactory<>(configs);
			factory.setPhysicalCloseTimeout((int) settings.shutdownTimeout().toSeconds());
			return factory;
		}

		@Override
		<K, V> KafkaTemplate<K, V> template(DefaultKafkaProducerFactory<K, V> factory) {
			return new KafkaTemplate<>(factory);
		}

	};

	/**
	 * A factory as the application would have it.
	 * @param configs the client's properties
	 * @param settings our limits; of those the stock factory has a close timeout only
	 * @param registry knows our producers
	 */
	abstract <K, V> DefaultKafkaProducerFactory<K, V> factory(Map<String, Object> configs, ProducerSettings settings,
			ProducerRegistry registry);

	/** A template over a factory of {@link #factory}. */
	abstract <K, V> KafkaTemplate<K, V> template(DefaultKafkaProducerFactory<K, V> factory);

	boolean isOurs() {
		return this == EVENKEEL;
	}

}
