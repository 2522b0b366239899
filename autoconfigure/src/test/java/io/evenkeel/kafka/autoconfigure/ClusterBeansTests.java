package io.evenkeel.kafka.autoconfigure;

import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.EvenkeelContainerFactory;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplate;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Two clusters in one application, by properties alone.
 */
class ClusterBeansTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class, KafkaAutoConfiguration.class,
				EvenkeelConsumerAutoConfiguration.class, EvenkeelProducerAutoConfiguration.class))
		.withPropertyValues("spring.kafka.listener.auto-startup=false", "spring.kafka.bootstrap-servers=main:9092",
				"spring.kafka.listener.concurrency=3", "spring.kafka.consumer.group-id=shop");

	@Test
	void eachClusterHasBeansThatAreNamedAfterIt() {
		this.runner
			.withPropertyValues("evenkeel.kafka.clusters.east.bootstrap-servers=east-1:9092,east-2:9092",
					"evenkeel.kafka.clusters.east.security.protocol=SASL_SSL",
					"evenkeel.kafka.clusters.east.properties.sasl.mechanism=PLAIN",
					"evenkeel.kafka.clusters.west.bootstrap-servers=west-1:9092")
			.withUserConfiguration(Listeners.class)
			.run((context) -> {
				assertThat(context).hasNotFailed();
				Map<String, Object> east = context.getBean("eastKafkaConsumerFactory", ConsumerFactory.class)
					.getConfigurationProperties();
				assertThat(east).containsEntry("bootstrap.servers", List.of("east-1:9092", "east-2:9092"))
					.containsEntry("security.protocol", "SASL_SSL")
					.containsEntry("sasl.mechanism", "PLAIN");
				assertThat(
						context.getBean("westKafkaProducerFactory", ProducerFactory.class).getConfigurationProperties())
					.containsEntry("bootstrap.servers", List.of("west-1:9092"))
					.containsEntry("client.id", "west-producer")
					.doesNotContainKey("sasl.mechanism");
				assertThat(context.getBean("eastKafkaAdmin", KafkaAdmin.class).getConfigurationProperties())
					.containsEntry("bootstrap.servers", List.of("east-1:9092", "east-2:9092"));
				assertThat(context.getBean("westKafkaTemplate")).isInstanceOf(EvenkeelKafkaTemplate.class);
				assertThat(context.getBean("eastKafkaListenerContainerFactory"))
					.isInstanceOf(EvenkeelContainerFactory.class);
				EvenkeelContainer<?, ?> listener = (EvenkeelContainer<?, ?>) context
					.getBean(KafkaListenerEndpointRegistry.class)
					.getListenerContainer("orders");
				assertThat(listener.getConcurrency()).isEqualTo(3);
				assertThat(context.getBean(Listeners.class).west).isSameAs(context.getBean("westKafkaTemplate"));
			});
	}

	@Test
	void whoAsksByTypeGetsTheOneOfSpringKafka() {
		this.runner.withPropertyValues("evenkeel.kafka.clusters.east.bootstrap-servers=east-1:9092")
			.withUserConfiguration(Asking.class)
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(context.getBean(Asking.class).template).isSameAs(context.getBean("kafkaTemplate"));
				assertThat(context.getBean("kafkaProducerFactory", ProducerFactory.class).getConfigurationProperties())
					.containsEntry("bootstrap.servers", List.of("main:9092"));
			});
	}

	@Test
	void aMistakeInAClusterStopsTheStart() {
		this.runner.withPropertyValues("evenkeel.kafka.clusters.east.bootstrap-server=east-1:9092")
			.run((context) -> assertThat(context.getStartupFailure()).rootCause()
				.hasMessageContaining("evenkeel.kafka.clusters.east.bootstrap-server"));
		this.runner.withPropertyValues("evenkeel.kafka.clusters.east.client-id=x")
			.run((context) -> assertThat(context.getStartupFailure()).isInstanceOf(InvalidSettingException.class)
				.hasMessageContaining("evenkeel.kafka.clusters.east.bootstrap-servers"));
	}

	static class Listeners {

		final KafkaTemplate<Object, Object> west;

		Listeners(@Qualifier("westKafkaTemplate") KafkaTemplate<Object, Object> west) {
			this.west = west;
		}

		@KafkaListener(id = "orders", topics = "orders", containerFactory = "eastKafkaListenerContainerFactory")
		void orders(String order) {
		}

	}

	static class Asking {

		final KafkaTemplate<Object, Object> template;

		Asking(KafkaTemplate<Object, Object> template) {
			this.template = template;
		}

	}

}
