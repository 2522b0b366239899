package io.evenkeel.kafka.actuate;

import java.util.List;

import io.evenkeel.kafka.autoconfigure.EvenkeelConsumerAutoConfiguration;
import io.evenkeel.kafka.container.EvenkeelContainer;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ContextConsumer;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The endpoint where nothing is connected: listeners that have not started, requests that
 * cannot be met.
 */
class EvenkeelEndpointTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(EvenkeelConsumerAutoConfiguration.class, KafkaAutoConfiguration.class))
		.withUserConfiguration(Listening.class)
		.withPropertyValues("spring.kafka.bootstrap-servers=localhost:1", "spring.kafka.consumer.group-id=test",
				"spring.kafka.listener.auto-startup=false");

	@Test
	void aListenerThatHasNotStartedShowsWhatItIsConfiguredWith() {
		this.runner
			.withPropertyValues("evenkeel.kafka.consumer.ordering=key", "evenkeel.kafka.consumer.concurrency=7",
					"spring.kafka.consumer.properties.group.protocol=consumer")
			.run(with((endpoint, context) -> {
				assertThat(listener(endpoint).state()).isEqualTo("STOPPED");
				assertThat(listener(endpoint).ordering()).isEqualTo("key");
				assertThat(listener(endpoint).groupProtocol()).isEqualTo("consumer");
				assertThat(listener(endpoint).concurrency().limit()).isEqualTo(7);
				assertThat(listener(endpoint).concurrency().used()).isZero();
				assertThat(endpoint.change("listener", null, 9).getStatus()).isEqualTo(204);
				assertThat(listener(endpoint).concurrency().limit()).isEqualTo(9);
			}));
	}

	@Test
	void aConcurrencyAboveTheRecordsHeldIsABadValue() {
		this.runner.withPropertyValues("evenkeel.kafka.consumer.max-pending-records=10")
			.run(with((endpoint, context) -> {
				assertThat(endpoint.change("listener", null, 64).getStatus()).isEqualTo(400);
				assertThat(endpoint.change("listener", null, 10).getStatus()).isEqualTo(204);
				assertThat(endpoint.change("listener", null, 0).getStatus()).isEqualTo(400);
				assertThat(endpoint.change("listener", null, 10_001).getStatus()).isEqualTo(400);
				assertThat(endpoint.change("other", null, 1).getStatus()).isEqualTo(404);
			}));
	}

	@Test
	void aListenerThatWasStoppedAbnormallyHasFailed() {
		this.runner.run(with((endpoint, context) -> {
			EvenkeelContainer<?, ?> container = (EvenkeelContainer<?, ?>) context
				.getBean(KafkaListenerEndpointRegistry.class)
				.getListenerContainer("listener");
			container.start();
			container.stopAbnormally(() -> {
			});
			assertThat(listener(endpoint).state()).isEqualTo("FAILED");
		}));
	}

	private static EvenkeelDescriptor.Listener listener(EvenkeelEndpoint endpoint) {
		return endpoint.evenkeel().listeners().get(0);
	}

	private static ContextConsumer<AssertableApplicationContext> with(Use use) {
		return (context) -> {
			assertThat(context).hasNotFailed();
			use.of(new EvenkeelEndpoint(context.getBean(KafkaListenerEndpointRegistry.class), List::of), context);
		};
	}

	/** What a test does with the endpoint. */
	private interface Use {

		void of(EvenkeelEndpoint endpoint, AssertableApplicationContext context);

	}

	@Configuration(proxyBeanMethods = false)
	static class Listening {

		@KafkaListener(id = "listener", idIsGroup = false, topics = "topic")
		void listen(String value) {
		}

	}

}
