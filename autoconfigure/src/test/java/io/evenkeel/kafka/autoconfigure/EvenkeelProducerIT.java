package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

import io.evenkeel.kafka.autoconfigure.metrics.EvenkeelProducerMetricsAutoConfiguration;
import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.producer.ProducerSnapshot;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.metrics.KafkaMetricsAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.core.RoutingKafkaTemplate;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.kafka.support.ProducerListener;
import org.springframework.kafka.support.SendResult;
import org.springframework.kafka.test.EmbeddedKafkaBroker;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;
import org.springframework.messaging.support.MessageBuilder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The auto-configured template and what hangs on it, on a real broker.
 */
class EvenkeelProducerIT {

	private static EmbeddedKafkaBroker broker;

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(KafkaAutoConfiguration.class, EvenkeelProducerAutoConfiguration.class,
				EvenkeelProducerMetricsAutoConfiguration.class, KafkaMetricsAutoConfiguration.class))
		.withPropertyValues("spring.kafka.bootstrap-servers=" + broker.getBrokersAsString(),
				"spring.application.name=shop", "evenkeel.kafka.producer.metadata.timeout=1s",
				"spring.kafka.consumer.auto-offset-reset=earliest");

	@BeforeAll
	static void start() {
		broker = new EmbeddedKafkaKraftBroker(1, 1, "orders", "requests", "replies")
			.brokerProperties(Map.of("auto.create.topics.enable", "false"));
		broker.afterPropertiesSet();
	}

	@AfterAll
	static void stop() {
		broker.destroy();
	}

	@Test
	void aProducerListenerHearsEachOutcomeOnce() {
		this.runner.withUserConfiguration(Listening.class).run((context) -> {
			KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
			Listening listening = context.getBean(Listening.class);
			template.send("orders", "good").get(20, TimeUnit.SECONDS);
			assertThat(template.send("missing", "bad")).failsWithin(Duration.ofSeconds(3));
			assertThat(template.send("not a topic", "bad")).failsWithin(Duration.ofSeconds(3));
			await().untilAsserted(() -> assertThat(listening.events).containsExactly("success orders",
					"error missing SendFailedException", "error not a topic SendFailedException"));
		});
	}

	@Test
	void clientMetricsAndOurMetersAreBound() {
		this.runner.withBean(SimpleMeterRegistry.class).run((context) -> {
			KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
			template.send("orders", "good").get(20, TimeUnit.SECONDS);
			assertThat(template.send("missing", "bad")).failsWithin(Duration.ofSeconds(3));
			MeterRegistry registry = context.getBean(MeterRegistry.class);
			// Red when the listener is told before the client exists: Boot's binder then
			// looks again after a minute.
			await().atMost(Duration.ofSeconds(5))
				.untilAsserted(() -> assertThat(
						registry.find("kafka.producer.record.send.total").tag("client.id", "shop-producer-1").meter())
					.isNotNull());
			assertThat(registry.get("spring.kafka.template").tag("result", "success").timer().count()).isEqualTo(1);
			assertThat(registry.get("spring.kafka.template").tag("result", "failure").timer().count()).isEqualTo(1);
			assertThat(registry.get("evenkeel.producer.send")
				.tags("producer", "shop-producer-1", "topic", "orders", "outcome", "success", "reason", "none")
				.timer()
				.count()).isEqualTo(1);
			assertThat(registry.get("evenkeel.producer.send")
				.tags("topic", "missing", "outcome", "failure", "reason", "topic_not_found")
				.timer()
				.count()).isEqualTo(1);
			assertThat(registry.get("evenkeel.producer.metadata.wait")
				.tags("topic", "missing", "outcome", "timeout")
				.timer()
				.count()).isEqualTo(1);
			assertThat(registry.get("evenkeel.producer.metadata.retries").tag("topic", "missing").counter().count())
				.isPositive();
			assertThat(registry.get("evenkeel.producer.fail.fast").tag("topic", "missing").gauge().value())
				.isEqualTo(1);
			assertThat(registry.get("evenkeel.producer.send.blocked").timer().count()).isEqualTo(2);
			assertThat(context.getBean(ProducerRegistry.class).snapshots()).singleElement().satisfies((snapshot) -> {
				assertThat(snapshot.state()).isEqualTo(ProducerSnapshot.State.RUNNING);
				assertThat(snapshot.topics()).singleElement()
					.satisfies((topic) -> assertThat(topic.failFast()).isTrue());
			});
		});
	}

	@Test
	void theObservationKnowsTheClusterWithoutAskingForIt() {
		this.runner.withUserConfiguration(Observing.class)
			.withPropertyValues("spring.kafka.template.observation-enabled=true")
			.run((context) -> {
				KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
				template.send("orders", "good").get(20, TimeUnit.SECONDS);
				MeterRegistry registry = context.getBean(MeterRegistry.class);
				await().untilAsserted(
						() -> assertThat(registry.get("spring.kafka.template").tag("error", "none").timer().count())
							.isEqualTo(1));
			});
	}

	/** Red when the template asks the admin client for the cluster's id. */
	@Test
	void anObservedSendWithBrokersDownIsNotHeld() {
		this.runner.withUserConfiguration(Observing.class)
			.withPropertyValues("spring.kafka.template.observation-enabled=true",
					"spring.kafka.bootstrap-servers=localhost:1", "evenkeel.kafka.producer.shutdown.timeout=0s")
			.run((context) -> {
				KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
				long start = System.nanoTime();
				template.send("orders", "value");
				assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
			});
	}

	@Test
	void aReplyingTemplateWorksOverOurFactory() {
		this.runner.run((context) -> {
			@SuppressWarnings("unchecked")
			ProducerFactory<Object, Object> producers = context.getBean(ProducerFactory.class);
			@SuppressWarnings("unchecked")
			ConsumerFactory<Object, Object> consumers = context.getBean(ConsumerFactory.class);
			KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
			KafkaMessageListenerContainer<Object, Object> server = container(consumers, "requests", "server");
			server.getContainerProperties().setMessageListener((MessageListener<Object, Object>) (record) -> {
				ProducerRecord<Object, Object> reply = new ProducerRecord<>("replies", "re: " + record.value());
				reply.headers()
					.add(KafkaHeaders.CORRELATION_ID, record.headers().lastHeader(KafkaHeaders.CORRELATION_ID).value());
				template.send(reply);
			});
			server.start();
			ReplyingKafkaTemplate<Object, Object, Object> replying = new ReplyingKafkaTemplate<>(producers,
					container(consumers, "replies", "client"));
			replying.start();
			assertThat(replying.waitForAssignment(Duration.ofSeconds(20))).isTrue();
			Object reply = replying.sendAndReceive(new ProducerRecord<>("requests", "hello"), Duration.ofSeconds(20))
				.get(20, TimeUnit.SECONDS)
				.value();
			assertThat(reply).isEqualTo("re: hello");
			replying.stop();
			server.stop();
		});
	}

	@Test
	void aRoutingTemplateAndMessagesWorkOverOurFactory() {
		this.runner.run((context) -> {
			@SuppressWarnings("unchecked")
			ProducerFactory<Object, Object> producers = context.getBean(ProducerFactory.class);
			RoutingKafkaTemplate routing = new RoutingKafkaTemplate(
					new LinkedHashMap<>(Map.of(Pattern.compile(".*"), producers)));
			assertThat(routing.send("orders", "routed").get(20, TimeUnit.SECONDS)).isNotNull();
			KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
			SendResult<Object, Object> result = template
				.send(MessageBuilder.withPayload("message").setHeader(KafkaHeaders.TOPIC, "orders").build())
				.get(20, TimeUnit.SECONDS);
			assertThat(result.getRecordMetadata().topic()).isEqualTo("orders");
			assertThat(template.partitionsFor("orders")).hasSize(1);
			assertThat(template.metrics()).isNotEmpty();
			assertThat(template.<Object>execute((producer) -> producer.send(new ProducerRecord<>("orders", "x"))))
				.isNotNull();
			KafkaTemplate<Object, Object> overriding = new KafkaTemplate<>(producers,
					Map.of("value.serializer", StringSerializer.class.getName()));
			assertThat(overriding.send("orders", "x").get(20, TimeUnit.SECONDS)).isNotNull();
			overriding.destroy();
		});
	}

	@Test
	void verifiedTopicsLetTheApplicationStart() {
		this.runner
			.withPropertyValues("evenkeel.kafka.producer.startup.verify-topics=orders",
					"evenkeel.kafka.producer.startup.on-missing=fail", "evenkeel.kafka.producer.startup.timeout=20s")
			.run((context) -> assertThat(context).hasNotFailed());
		this.runner
			.withPropertyValues("evenkeel.kafka.producer.startup.verify-topics=orders,missing",
					"evenkeel.kafka.producer.startup.on-missing=fail", "evenkeel.kafka.producer.startup.timeout=20s")
			.run((context) -> assertThat(context).getFailure().rootCause().hasMessageContaining("missing [missing]"));
	}

	private static KafkaMessageListenerContainer<Object, Object> container(ConsumerFactory<Object, Object> consumers,
			String topic, String group) {
		ContainerProperties properties = new ContainerProperties(topic);
		properties.setGroupId(group);
		return new KafkaMessageListenerContainer<>(consumers, properties);
	}

	@Configuration(proxyBeanMethods = false)
	static class Listening {

		final List<String> events = Collections.synchronizedList(new ArrayList<>());

		@Bean
		ProducerListener<Object, Object> recordingListener() {
			return new ProducerListener<>() {

				@Override
				public void onSuccess(ProducerRecord<Object, Object> record, RecordMetadata metadata) {
					Listening.this.events.add("success " + record.topic());
				}

				@Override
				public void onError(ProducerRecord<Object, Object> record, RecordMetadata metadata,
						Exception exception) {
					Listening.this.events.add("error " + record.topic() + " " + exception.getClass().getSimpleName());
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Observing {

		@Bean
		SimpleMeterRegistry meterRegistry() {
			return new SimpleMeterRegistry();
		}

		@Bean
		ObservationRegistry observationRegistry(MeterRegistry meterRegistry) {
			ObservationRegistry registry = ObservationRegistry.create();
			registry.observationConfig().observationHandler(new DefaultMeterObservationHandler(meterRegistry));
			return registry;
		}

	}

}
