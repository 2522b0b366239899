package io.evenkeel.kafka.autoconfigure;

import java.util.List;
import java.util.function.Supplier;

import io.evenkeel.kafka.producer.EvenkeelProducerFactory;
import io.evenkeel.kafka.producer.ProducerLimits;
import io.evenkeel.kafka.producer.ProducerRegistry;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.ProducerConfig;

import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.env.Environment;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.ProducerPostProcessor;

/**
 * Lets the producers of factories that the user declares send through Evenkeel. The
 * factory stays the object it is, with its listeners, serializers and ids; the
 * application's post-processors get the producer after ours, as they got the client.
 */
final class ProducerFactoryDecorator implements BeanPostProcessor {

	private static final Log logger = LogFactory.getLog(ProducerFactoryDecorator.class);

	private final Environment environment;

	private final Supplier<ProducerLimits> limits;

	private final Supplier<ProducerRegistry> registry;

	ProducerFactoryDecorator(Environment environment, Supplier<ProducerLimits> limits,
			Supplier<ProducerRegistry> registry) {
		this.environment = environment;
		this.limits = limits;
		this.registry = registry;
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		if (bean instanceof DefaultKafkaProducerFactory<?, ?> factory
				&& !(bean instanceof EvenkeelProducerFactory<?, ?>)) {
			decorate(factory, beanName);
		}
		return bean;
	}

	private <K, V> void decorate(DefaultKafkaProducerFactory<K, V> factory, String beanName) {
		// Refused here rather than in the first send.
		MaxBlockSetting.check(this.environment,
				factory.getConfigurationProperties().get(ProducerConfig.MAX_BLOCK_MS_CONFIG));
		if (factory.transactionCapable()) {
			logger.info("Producer factory '" + beanName
					+ "' is yours and transactional: sends inside its transactions stay spring-kafka's");
		}
		List<ProducerPostProcessor<K, V>> others = List.copyOf(factory.getPostProcessors());
		others.forEach(factory::removePostProcessor);
		factory.addPostProcessor(
				(client) -> EvenkeelProducerFactory.replace(client, this.limits.get(), this.registry.get()));
		others.forEach(factory::addPostProcessor);
	}

}
