package io.evenkeel.kafka.autoconfigure.health;

import io.evenkeel.kafka.actuate.EvenkeelDeadLettersEndpoint;
import io.evenkeel.kafka.autoconfigure.EvenkeelConsumerAutoConfiguration;
import io.evenkeel.kafka.autoconfigure.OnKafkaAutoConfiguration;
import io.evenkeel.kafka.deadletter.DeadLetters;

import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;

/**
 * Auto-configuration of the endpoint {@code evenkeeldeadletters}.
 */
@AutoConfiguration(after = EvenkeelConsumerAutoConfiguration.class)
@Conditional(OnKafkaAutoConfiguration.class)
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
@ConditionalOnBean(DeadLetters.class)
@ConditionalOnAvailableEndpoint(EvenkeelDeadLettersEndpoint.class)
public final class EvenkeelDeadLettersEndpointAutoConfiguration {

	EvenkeelDeadLettersEndpointAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean
	EvenkeelDeadLettersEndpoint evenkeelDeadLettersEndpoint(DeadLetters deadLetters) {
		return new EvenkeelDeadLettersEndpoint(deadLetters);
	}

}
