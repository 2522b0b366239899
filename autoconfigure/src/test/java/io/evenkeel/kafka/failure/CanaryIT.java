package io.evenkeel.kafka.failure;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import io.evenkeel.kafka.actuate.EvenkeelEndpoint;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.deadletter.DeadLetters;
import io.evenkeel.kafka.health.KafkaListenersHealthIndicator;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplate;
import io.micrometer.core.instrument.MeterRegistry;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.messaging.handler.annotation.Payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Records that fail in each way there is: what they hold is in no line of ours, at
 * whatever level, and in nothing that an operator looks at.
 */
class CanaryIT {

	private static final String CANARY = "canary-";

	@Test
	@SuppressWarnings("unchecked")
	void nothingThatARecordHoldsIsShown() throws Exception {
		String topic = EmbeddedBroker.topic("holds", 1);
		Lines lines = new Lines();
		lines.start();
		Logger ours = (Logger) LoggerFactory.getLogger("io.evenkeel");
		Level before = ours.getLevel();
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.run("--test.topic=" + topic, "--spring.kafka.bootstrap-servers=" + EmbeddedBroker.bootstrapServers(),
					"--spring.kafka.consumer.auto-offset-reset=earliest",
					"--evenkeel.kafka.consumer.retry.max-attempts=2",
					"--evenkeel.kafka.consumer.retry.initial-interval=10ms", "--spring.main.banner-mode=off")) {
			// Not before: a start of Boot takes all appenders away.
			ours.setLevel(Level.TRACE);
			ours.addAppender(lines);
			ProducerRecord<Object, Object> record = new ProducerRecord<>(topic, 0, CANARY + "of-the-key-4711",
					CANARY + "of-the-value-4712");
			record.headers().add("secret", (CANARY + "of-the-header-4713").getBytes(StandardCharsets.UTF_8));
			context.getBean(KafkaTemplate.class).send(record).get(10, TimeUnit.SECONDS);
			MeterRegistry registry = context.getBean(MeterRegistry.class);
			for (String listener : List.of("speaks", "converts", "reads")) {
				await().atMost(Duration.ofSeconds(30))
					.until(() -> registry.find("evenkeel.consumer.records")
						.tags("listener", listener, "outcome", "dead-lettered")
						.counters()
						.stream()
						.anyMatch((counter) -> counter.count() == 1));
			}
			KafkaListenerEndpointRegistry listeners = context.getBean(KafkaListenerEndpointRegistry.class);
			JsonMapper json = JsonMapper.builder().build();
			assertThat(json.writeValueAsString(new EvenkeelEndpoint(listeners, List::of).evenkeel()))
				.contains("\"speaks\"")
				.doesNotContain(CANARY);
			assertThat(new KafkaListenersHealthIndicator(listeners, Duration.ofMinutes(1)).health().toString())
				.doesNotContain(CANARY);
			assertThat(context.getBean(DeadLetters.class).list().toString()).contains("records=3")
				.doesNotContain(CANARY);
			assertThat(registry.getMeters().toString()).doesNotContain(CANARY);
		}
		finally {
			ours.detachAppender(lines);
			ours.setLevel(before);
		}
		assertThat(lines.texts)
			.anyMatch((line) -> line.contains("speaks: call 1 of 2") && line.contains("no stock for […]"))
			.anyMatch((line) -> line.contains("converts: ") && line.contains("its message is left out"))
			.anyMatch((line) -> line.contains("reads: ") && line.contains(" is sent to " + topic + "-dlt-0@"))
			.noneMatch((line) -> line.contains(CANARY));
	}

	/** All that is logged, with what a console would print of an exception. */
	private static final class Lines extends AppenderBase<ILoggingEvent> {

		private final List<String> texts = java.util.Collections.synchronizedList(new ArrayList<>());

		@Override
		protected void append(ILoggingEvent event) {
			if (event.getLoggerName().equals(EvenkeelKafkaTemplate.class.getName())) {
				// At TRACE the code of spring-kafka's template logs each record it sends.
				return;
			}
			String trace = (event.getThrowableProxy() != null) ? ThrowableProxyUtil.asString(event.getThrowableProxy())
					: "";
			this.texts.add(event.getFormattedMessage() + trace);
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@KafkaListener(id = "speaks", topics = "${test.topic}")
		void speaks(String value) {
			throw new IllegalStateException("no stock for " + value);
		}

		@KafkaListener(id = "converts", topics = "${test.topic}")
		void converts(@Payload Integer value) {
			throw new AssertionError("cannot be converted");
		}

		@KafkaListener(id = "reads", topics = "${test.topic}",
				properties = "value.deserializer=org.apache.kafka.common.serialization.IntegerDeserializer")
		void reads(Integer value) {
			throw new AssertionError("cannot be deserialized");
		}

	}

}
