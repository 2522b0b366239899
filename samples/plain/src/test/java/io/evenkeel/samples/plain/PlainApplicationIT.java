package io.evenkeel.samples.plain;

import java.time.Duration;
import java.util.Map;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.test.EmbeddedKafkaBroker;
import org.springframework.kafka.test.context.EmbeddedKafka;
import org.springframework.kafka.test.utils.KafkaTestUtils;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs an application that has the starter and nothing else.
 */
@EmbeddedKafka(partitions = 1, topics = { Greeter.NAMES, Greeter.GREETINGS })
class PlainApplicationIT {

	private final EmbeddedKafkaBroker broker;

	PlainApplicationIT(EmbeddedKafkaBroker broker) {
		this.broker = broker;
	}

	@ParameterizedTest
	@ValueSource(strings = { "io.micrometer.core.instrument.MeterRegistry", "io.micrometer.core.annotation.Timed",
			"org.springframework.boot.actuate.endpoint.annotation.Endpoint",
			"org.springframework.boot.health.contributor.HealthIndicator",
			"org.springframework.web.context.WebApplicationContext", "tools.jackson.databind.ObjectMapper" })
	void optionalLibraryIsAbsent(String className) {
		assertThat(ClassUtils.isPresent(className, getClass().getClassLoader())).isFalse();
	}

	@Test
	void handlesOneRecordAndSendsAnother() {
		try (ConfigurableApplicationContext application = start(); Consumer<String, String> greetings = consumer()) {
			this.broker.consumeFromAnEmbeddedTopic(greetings, Greeter.GREETINGS);
			template(application).send(Greeter.NAMES, "Ada", "Ada").join();
			ConsumerRecord<String, String> greeting = KafkaTestUtils.getSingleRecord(greetings, Greeter.GREETINGS,
					Duration.ofSeconds(30));
			assertThat(greeting.value()).isEqualTo("Hello, Ada");
		}
	}

	private ConfigurableApplicationContext start() {
		return new SpringApplicationBuilder(PlainApplication.class).web(WebApplicationType.NONE)
			.run("--spring.kafka.bootstrap-servers=" + this.broker.getBrokersAsString());
	}

	@SuppressWarnings("unchecked")
	private static KafkaTemplate<String, String> template(ConfigurableApplicationContext application) {
		return application.getBean(KafkaTemplate.class);
	}

	private Consumer<String, String> consumer() {
		Map<String, Object> properties = KafkaTestUtils.consumerProps(this.broker, "test", true);
		return new DefaultKafkaConsumerFactory<>(properties, new StringDeserializer(), new StringDeserializer())
			.createConsumer();
	}

}
