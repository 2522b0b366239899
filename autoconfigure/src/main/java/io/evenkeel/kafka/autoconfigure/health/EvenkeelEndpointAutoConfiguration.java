package io.evenkeel.kafka.autoconfigure.health;

import java.util.List;

import io.evenkeel.kafka.actuate.EvenkeelEndpoint;
import io.evenkeel.kafka.actuate.ProducerDescriptions;
import io.evenkeel.kafka.autoconfigure.OnKafkaAutoConfiguration;
import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.watch.ListenerWatch;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;

/**
 * Auto-configuration of the endpoint {@code evenkeel}.
 */
@AutoConfiguration(afterName = "org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration")
@Conditional(OnKafkaAutoConfiguration.class)
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
@ConditionalOnBean(KafkaListenerEndpointRegistry.class)
@ConditionalOnAvailableEndpoint(EvenkeelEndpoint.class)
public final class EvenkeelEndpointAutoConfiguration {

	EvenkeelEndpointAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean
	EvenkeelEndpoint evenkeelEndpoint(KafkaListenerEndpointRegistry registry,
			ObjectProvider<ProducerRegistry> producers, ObjectProvider<ListenerWatch> watch) {
		ProducerRegistry known = producers.getIfAvailable();
		return new EvenkeelEndpoint(registry, (known != null) ? new ProducerDescriptions(known) : List::of,
				watch.getIfAvailable(() -> new ListenerWatch(registry::getListenerContainers)));
	}

}
