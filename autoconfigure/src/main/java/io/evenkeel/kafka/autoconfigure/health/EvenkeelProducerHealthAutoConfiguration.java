package io.evenkeel.kafka.autoconfigure.health;

import io.evenkeel.kafka.autoconfigure.EvenkeelProducerAutoConfiguration;
import io.evenkeel.kafka.autoconfigure.OnKafkaAutoConfiguration;
import io.evenkeel.kafka.health.KafkaProducerHealthIndicator;
import io.evenkeel.kafka.producer.ProducerRegistry;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;

/**
 * Auto-configuration of the producers' health.
 */
@AutoConfiguration(after = EvenkeelProducerAutoConfiguration.class)
@Conditional(OnKafkaAutoConfiguration.class)
@ConditionalOnClass({ AbstractHealthIndicator.class, ConditionalOnEnabledHealthIndicator.class })
@ConditionalOnBean(ProducerRegistry.class)
@ConditionalOnEnabledHealthIndicator("kafkaproducer")
@EnableConfigurationProperties(KafkaProducerHealthProperties.class)
public final class EvenkeelProducerHealthAutoConfiguration {

	EvenkeelProducerHealthAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean(name = "kafkaProducerHealthIndicator")
	KafkaProducerHealthIndicator kafkaProducerHealthIndicator(ProducerRegistry registry,
			KafkaProducerHealthProperties properties) {
		return new KafkaProducerHealthIndicator(registry, properties.checkedStaleAfter());
	}

}
