package io.evenkeel.kafka.test;

import java.util.Map;

import io.evenkeel.kafka.producer.ProducerSurroundings;
import io.evenkeel.kafka.producer.ProducerSurroundings.ClientMaker;
import io.evenkeel.kafka.thread.NanoClock;
import io.evenkeel.kafka.thread.OwnThreads;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.Serializer;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.MapPropertySource;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.MergedContextConfiguration;

/**
 * Puts a {@link TestKafka} into an application before anything else of it is made.
 */
final class TestKafkaContextCustomizer implements ContextCustomizer {

	/** What would ask a broker. */
	private static final Map<String, Object> SETTINGS = Map.of("spring.kafka.bootstrap-servers", "localhost:9092",
			"spring.kafka.admin.auto-create", "false", "spring.kafka.listener.missing-topics-fatal", "false",
			"evenkeel.kafka.producer.startup.verify-topics", "", "evenkeel.kafka.producer.enabled", "true");

	@Override
	public void customizeContext(ConfigurableApplicationContext context, MergedContextConfiguration mergedConfig) {
		context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("testKafka", SETTINGS));
		TestKafka kafka = new TestKafka();
		ConfigurableListableBeanFactory beans = context.getBeanFactory();
		beans.registerSingleton("testKafka", kafka);
		beans.registerSingleton("testKafkaClock", (NanoClock) kafka.clock());
		beans.registerSingleton("testKafkaProducerSurroundings", surroundings(kafka));
		beans.registerSingleton("testKafkaStart", new TestKafkaStart(kafka, beans));
		beans.addBeanPostProcessor(new TestKafkaPostProcessor(kafka.cluster()));
	}

	private static ProducerSurroundings surroundings(TestKafka kafka) {
		NanoClock clock = kafka.clock().running();
		return new ProducerSurroundings(new ClientMaker() {

			@Override
			public <K, V> Producer<K, V> make(Map<String, Object> configs, Serializer<K> key, Serializer<V> value) {
				return new FakeProducer<>(kafka.cluster(), clock, configs, key, value);
			}

		}, clock, (task) -> kafka.watched(OwnThreads.daemon("evenkeel-producer", null, task)));
	}

	@Override
	public boolean equals(Object other) {
		return other instanceof TestKafkaContextCustomizer;
	}

	@Override
	public int hashCode() {
		return TestKafkaContextCustomizer.class.hashCode();
	}

}
