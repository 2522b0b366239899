package io.evenkeel.kafka.test;

import io.evenkeel.kafka.container.ContainerDependencies;

import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;

/**
 * Lets the consumer factories of the application make the clients of the test, and its
 * listeners do what a test can foresee.
 */
final class TestKafkaPostProcessor implements BeanPostProcessor {

	private final FakeCluster cluster;

	TestKafkaPostProcessor(FakeCluster cluster) {
		this.cluster = cluster;
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		if (bean instanceof ContainerDependencies support) {
			return new ContainerDependencies((listener) -> support.settings().apply(listener).predictable(),
					support.meters(), support.recoverer(), support.sends(), support.clock());
		}
		return (bean instanceof DefaultKafkaConsumerFactory<?, ?> factory && !(bean instanceof FakeConsumerFactory))
				? new FakeConsumerFactory<>(this.cluster, factory) : bean;
	}

}
