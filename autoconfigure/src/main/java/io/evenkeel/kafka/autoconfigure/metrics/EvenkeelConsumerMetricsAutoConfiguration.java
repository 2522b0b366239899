package io.evenkeel.kafka.autoconfigure.metrics;

import io.evenkeel.kafka.autoconfigure.OnKafkaAutoConfiguration;
import io.evenkeel.kafka.container.ListenerMeters;
import io.evenkeel.kafka.metrics.ConsumerMeters;
import io.micrometer.core.instrument.MeterRegistry;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;

/**
 * Auto-configuration of the consumer's meters.
 */
@AutoConfiguration(afterName = { "org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration",
		"org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration" })
@Conditional(OnKafkaAutoConfiguration.class)
@ConditionalOnClass(MeterRegistry.class)
@ConditionalOnBean(MeterRegistry.class)
@ConditionalOnBooleanProperty(name = "evenkeel.kafka.consumer.enabled", matchIfMissing = true)
public final class EvenkeelConsumerMetricsAutoConfiguration {

	EvenkeelConsumerMetricsAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean(ListenerMeters.class)
	ConsumerMeters evenkeelConsumerMeters(MeterRegistry meterRegistry) {
		return new ConsumerMeters(meterRegistry);
	}

}
