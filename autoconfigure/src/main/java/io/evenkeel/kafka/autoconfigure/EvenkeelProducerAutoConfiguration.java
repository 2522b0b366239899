package io.evenkeel.kafka.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.core.KafkaTemplate;

/**
 * Auto-configuration of the sending producer and its template. The properties are read
 * also when it is switched off, so that a switch that is neither on nor off is refused.
 */
@AutoConfiguration(before = KafkaAutoConfiguration.class,
		afterName = "io.evenkeel.kafka.autoconfigure.metrics.EvenkeelProducerMetricsAutoConfiguration")
@Conditional(OnKafkaAutoConfiguration.class)
@ConditionalOnClass(KafkaTemplate.class)
@EnableConfigurationProperties({ KafkaProperties.class, EvenkeelProducerProperties.class })
@Import(SendingProducerConfiguration.class)
public final class EvenkeelProducerAutoConfiguration {

	EvenkeelProducerAutoConfiguration() {
	}

}
