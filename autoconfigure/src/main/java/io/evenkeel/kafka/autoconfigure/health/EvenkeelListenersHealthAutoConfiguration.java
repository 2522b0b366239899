package io.evenkeel.kafka.autoconfigure.health;

import io.evenkeel.kafka.autoconfigure.OnKafkaAutoConfiguration;
import io.evenkeel.kafka.health.KafkaListenersHealthIndicator;
import io.evenkeel.kafka.watch.ListenerWatch;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;

/**
 * Auto-configuration of the listeners' health.
 */
@AutoConfiguration(afterName = "org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration")
@Conditional(OnKafkaAutoConfiguration.class)
@ConditionalOnClass({ AbstractHealthIndicator.class, ConditionalOnEnabledHealthIndicator.class })
@ConditionalOnBean(KafkaListenerEndpointRegistry.class)
@ConditionalOnEnabledHealthIndicator("kafkalisteners")
@ConditionalOnBooleanProperty(name = "evenkeel.kafka.consumer.enabled", matchIfMissing = true)
@EnableConfigurationProperties(KafkaListenersHealthProperties.class)
public final class EvenkeelListenersHealthAutoConfiguration {

	EvenkeelListenersHealthAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean(name = "kafkaListenersHealthIndicator")
	KafkaListenersHealthIndicator kafkaListenersHealthIndicator(KafkaListenerEndpointRegistry registry,
			KafkaListenersHealthProperties properties, ObjectProvider<ListenerWatch> watch) {
		return new KafkaListenersHealthIndicator(registry, properties.checkedStaleAfter(),
				watch.getIfAvailable(() -> new ListenerWatch(registry::getListenerContainers)));
	}

}
