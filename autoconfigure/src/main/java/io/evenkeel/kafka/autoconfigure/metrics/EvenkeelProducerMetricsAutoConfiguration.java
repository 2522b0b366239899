package io.evenkeel.kafka.autoconfigure.metrics;

import io.evenkeel.kafka.autoconfigure.OnKafkaAutoConfiguration;
import io.evenkeel.kafka.metrics.ProducerMeters;
import io.evenkeel.kafka.producer.SendObserverFactory;
import io.micrometer.core.instrument.MeterRegistry;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.kafka.core.ProducerFactory;

/**
 * Auto-configuration of the sending producer's meters.
 */
@AutoConfiguration(afterName = { "org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration",
		"org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration" })
@Conditional(OnKafkaAutoConfiguration.class)
@ConditionalOnClass({ MeterRegistry.class, ProducerFactory.class })
@ConditionalOnBean(MeterRegistry.class)
@ConditionalOnBooleanProperty(name = "evenkeel.kafka.producer.enabled", matchIfMissing = true)
public final class EvenkeelProducerMetricsAutoConfiguration {

	EvenkeelProducerMetricsAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean(SendObserverFactory.class)
	ProducerMeters evenkeelProducerMeters(MeterRegistry meterRegistry) {
		return new ProducerMeters(meterRegistry);
	}

}
