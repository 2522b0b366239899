package io.evenkeel.kafka.autoconfigure;

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

/**
 * Lets the producers of factories that the user declares send through Evenkeel.
 * <p>
 * Only factories of exactly spring-kafka's class without transactions are touched: a
 * subclass may build its producers in a way of its own.
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
		if (bean.getClass() == DefaultKafkaProducerFactory.class) {
			decorate((DefaultKafkaProducerFactory<?, ?>) bean, beanName);
		}
		return bean;
	}

	private <K, V> void decorate(DefaultKafkaProducerFactory<K, V> factory, String beanName) {
		if (factory.transactionCapable()) {
			logger
				.info("Producer factory '" + beanName + "' is yours and transactional: its sends stay spring-kafka's");
			return;
		}
		// Refused here rather than in the first send.
		MaxBlockSetting.check(this.environment,
				factory.getConfigurationProperties().get(ProducerConfig.MAX_BLOCK_MS_CONFIG));
		factory.addPostProcessor(
				(client) -> EvenkeelProducerFactory.replace(factory, client, this.limits.get(), this.registry.get()));
	}

}
