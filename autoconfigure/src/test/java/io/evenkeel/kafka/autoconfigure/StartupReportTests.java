package io.evenkeel.kafka.autoconfigure;

import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.kafka.annotation.KafkaListener;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Whoever wants to know what applies reads it in one place.
 */
class StartupReportTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(KafkaAutoConfiguration.class, EvenkeelConsumerAutoConfiguration.class,
				EvenkeelProducerAutoConfiguration.class))
		.withUserConfiguration(Listeners.class)
		.withPropertyValues("spring.kafka.listener.auto-startup=false");

	@Test
	void eachSettingIsToldWithItsOrigin() {
		this.runner
			.withPropertyValues("evenkeel.kafka.report=true", "evenkeel.kafka.consumer.ordering=key",
					"evenkeel.kafka.consumer.listeners.orders.retry.max-attempts=7",
					"evenkeel.kafka.producer.metadata.timeout=20s")
			.run((context) -> {
				String report = context.getBean(StartupReport.class).text();
				String orders = report.substring(report.indexOf("'orders'"), report.indexOf("'theirs'"));
				assertThat(orders).contains("Evenkeel's container: topics [orders], group 'orders'")
					.contains(
							"retry.max-attempts = 7  (evenkeel.kafka.consumer.listeners.orders.retry.max-attempts in ")
					.contains("ordering = KEY  (evenkeel.kafka.consumer.ordering in ")
					.contains("concurrency = 3  (@KafkaListener(concurrency)")
					.contains("commit.interval = PT1S  (default)");
				assertThat(report).contains("listener 'theirs' on spring-kafka's container");
				assertThat(report).contains("producer factory 'kafkaProducerFactory' (Evenkeel's)")
					.contains("metadata.timeout = PT20S  (evenkeel.kafka.producer.metadata.timeout in ");
			});
	}

	@Test
	void nothingIsToldUnlessAsked() {
		this.runner.run((context) -> assertThat(context).doesNotHaveBean(StartupReport.class));
	}

	static class Listeners {

		@KafkaListener(id = "orders", topics = "orders", concurrency = "3")
		void orders(String order) {
		}

		@KafkaListener(id = "theirs", topics = "orders", containerFactory = "springKafkaListenerContainerFactory")
		void theirs(String order) {
		}

	}

}
