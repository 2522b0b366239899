package io.evenkeel.kafka.container;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.kafka.autoconfigure.ConcurrentKafkaListenerContainerFactoryConfigurer;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.converter.BatchMessagingMessageConverter;
import org.springframework.kafka.support.converter.StringJacksonJsonMessageConverter;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;
import org.springframework.kafka.support.serializer.JacksonJsonDeserializer;
import org.springframework.util.backoff.FixedBackOff;

/**
 * Applications with container factories of their own, as they are found: error handlers
 * with dead letters, JSON in both ways, acknowledgments by hand, batches, filters and
 * interceptors. Unchanged, they do the same on both containers.
 */
class AdoptedFactoriesIT {

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void applicationsWithFactoriesOfTheirOwnRunUnchanged(boolean adopted) {
		String topic = EmbeddedBroker.topic("adopted", 1);
		for (String suffix : List.of("-dlt", "-batch", "-batch-dlt", "-audit")) {
			EmbeddedBroker.createTopic(topic + suffix, 1, Map.of());
		}
		Topics.send(topic, "{\"id\":\"a\",\"amount\":1}", "{\"id\":\"flaky\",\"amount\":2}",
				"{\"id\":\"poison\",\"amount\":3}", "no json at all", "{\"id\":\"fatal\",\"amount\":4}",
				"{\"id\":\"z\",\"amount\":5}");
		Topics.send(topic + "-batch", "{\"id\":\"b1\",\"amount\":1}", "{\"id\":\"b2\",\"amount\":2}", "{broken",
				"{\"id\":\"b-bad\",\"amount\":3}", "{\"id\":\"b3\",\"amount\":4}");
		Topics.send(topic + "-audit", "keep 1", "drop 2", "keep 3");
		Calls calls = new Calls();
		try (App app = App
			.of(Orders.class, OrderListener.class, Batches.class, BatchListener.class, Audit.class, AuditListener.class)
			.bean(calls)
			.with("evenkeel.kafka.consumer.adopt-factories=" + adopted, "spring.kafka.listener.concurrency=2")
			.start(topic)) {
			for (String id : List.of("orders", "batches", "audit")) {
				Assertions.assertThat(app.container(id) instanceof EvenkeelContainer<?, ?>).as(id).isEqualTo(adopted);
			}
			calls.await("order z", "batch b3", "audited keep 3");
			Topics.awaitCommitted(topic + "-orders", topic, 0, 6);
			Topics.awaitCommitted(topic + "-batches", topic + "-batch", 0, 5);
			Topics.awaitCommitted(topic, topic + "-audit", 0, 3);
			Assertions.assertThat(calls.all().stream().filter((call) -> call.startsWith("order ")))
				.containsExactly("order a", "order flaky", "order flaky", "order poison", "order poison",
						"order poison", "order fatal", "order z");
			Assertions.assertThat(calls.all().stream().filter((call) -> call.startsWith("batch ")))
				.contains("batch b1", "batch b2", "batch b3")
				.doesNotHaveDuplicates();
			Assertions.assertThat(calls.count("bad b-bad")).isEqualTo(2);
			Assertions.assertThat(calls.all().stream().filter((call) -> call.startsWith("audited ")))
				.containsExactly("audited keep 1", "audited keep 3");
			Assertions.assertThat(calls.count("intercepted")).as("a filter comes after the interceptor").isEqualTo(3);
			Assertions.assertThat(app.container("audit").getContainerProperties().getIdleEventInterval())
				.isEqualTo(60_000L);
		}
		Assertions.assertThat(values(topic + "-dlt", 3))
			.containsExactly("{\"id\":\"poison\",\"amount\":3}", "no json at all", "{\"id\":\"fatal\",\"amount\":4}");
		Assertions.assertThat(values(topic + "-batch-dlt", 2)).containsExactlyInAnyOrder("{broken", "b-bad");
	}

	private static List<String> values(String topic, int count) {
		return Topics.read(topic, count).stream().map((record) -> Topics.text(record.value())).toList();
	}

	/** What is sent as JSON. */
	record Order(String id, int amount) {

	}

	/**
	 * A consumer factory of its own, JSON by a converter, retries, dead letters, MANUAL.
	 */
	@Configuration(proxyBeanMethods = false)
	static class Orders {

		@Bean
		ConsumerFactory<String, String> orderConsumers() {
			return new DefaultKafkaConsumerFactory<>(config("orders"), new StringDeserializer(),
					new StringDeserializer());
		}

		@Bean
		DefaultErrorHandler orderErrors(KafkaTemplate<Object, Object> template) {
			DefaultErrorHandler errors = new DefaultErrorHandler(new DeadLetterPublishingRecoverer(template),
					new FixedBackOff(10, 2));
			errors.addNotRetryableExceptions(IllegalArgumentException.class);
			errors.setCommitRecovered(true);
			return errors;
		}

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, String> kafkaListenerContainerFactory(
				ConsumerFactory<String, String> orderConsumers, DefaultErrorHandler orderErrors) {
			ConcurrentKafkaListenerContainerFactory<String, String> factory = new ConcurrentKafkaListenerContainerFactory<>();
			factory.setConsumerFactory(orderConsumers);
			factory.setRecordMessageConverter(new StringJacksonJsonMessageConverter());
			factory.setCommonErrorHandler(orderErrors);
			factory.setConcurrency(1);
			factory.getContainerProperties().setAckMode(AckMode.MANUAL_IMMEDIATE);
			factory.getContainerProperties().setSyncCommits(true);
			return factory;
		}

		static Map<String, Object> config(String group) {
			return new HashMap<>(Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, EmbeddedBroker.bootstrapServers(),
					ConsumerConfig.GROUP_ID_CONFIG, group, ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest"));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OrderListener {

		private final Map<String, AtomicInteger> attempts = new ConcurrentHashMap<>();

		private final Calls calls;

		OrderListener(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "orders", groupId = "${test.topic}-orders", topics = "${test.topic}")
		void listen(Order order, Acknowledgment acknowledgment) {
			this.calls.add("order " + order.id());
			int attempt = this.attempts.computeIfAbsent(order.id(), (id) -> new AtomicInteger()).incrementAndGet();
			if (order.id().equals("poison") || (order.id().equals("flaky") && attempt == 1)) {
				throw new IllegalStateException("not now");
			}
			if (order.id().equals("fatal")) {
				throw new IllegalArgumentException("never");
			}
			acknowledgment.acknowledge();
		}

	}

	/** Batches, JSON by a deserializer that may fail, the failing record named. */
	@Configuration(proxyBeanMethods = false)
	static class Batches {

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, Order> batchFactory(KafkaTemplate<Object, Object> template,
				@Value("${test.topic}") String topic) {
			Map<String, Object> config = Orders.config(topic + "-batches");
			config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10);
			ConcurrentKafkaListenerContainerFactory<String, Order> factory = new ConcurrentKafkaListenerContainerFactory<>();
			factory.setConsumerFactory(new DefaultKafkaConsumerFactory<>(config, new StringDeserializer(),
					new ErrorHandlingDeserializer<>(new JacksonJsonDeserializer<>(Order.class, false))));
			factory.setBatchListener(true);
			factory.setBatchMessageConverter(new BatchMessagingMessageConverter());
			factory.setCommonErrorHandler(new DefaultErrorHandler((record, failure) -> {
				Object value = (record.value() instanceof Order order) ? order.id() : "{broken";
				template.send(topic + "-batch-dlt", value).join();
			}, new FixedBackOff(10, 1)));
			factory.getContainerProperties().setAckMode(AckMode.BATCH);
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class BatchListener {

		private final Calls calls;

		BatchListener(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "batches", idIsGroup = false, topics = "${test.topic}-batch",
				containerFactory = "batchFactory")
		void listen(List<ConsumerRecord<String, Order>> records) {
			for (ConsumerRecord<String, Order> record : records) {
				if (record.value() == null) {
					throw new BatchListenerFailedException("not read", record);
				}
				if (record.value().id().equals("b-bad")) {
					this.calls.add("bad b-bad");
					throw new BatchListenerFailedException("not now", record);
				}
				this.calls.add("batch " + record.value().id());
			}
		}

	}

	/** Boot's configurer, and on top of it a filter, an interceptor and a customizer. */
	@Configuration(proxyBeanMethods = false)
	static class Audit {

		@Bean
		ConcurrentKafkaListenerContainerFactory<?, ?> auditFactory(Calls calls,
				ConcurrentKafkaListenerContainerFactoryConfigurer configurer, KafkaProperties properties) {
			ConcurrentKafkaListenerContainerFactory<Object, Object> factory = new ConcurrentKafkaListenerContainerFactory<>();
			configurer.configure(factory, new DefaultKafkaConsumerFactory<>(properties.buildConsumerProperties()));
			factory.setRecordInterceptor((record, consumer) -> {
				calls.add("intercepted");
				return record;
			});
			factory.setRecordFilterStrategy((record) -> String.valueOf(record.value()).startsWith("drop"));
			factory.setContainerCustomizer(
					(container) -> container.getContainerProperties().setIdleEventInterval(60_000L));
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class AuditListener {

		private final Calls calls;

		AuditListener(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "audit", groupId = "${test.topic}", topics = "${test.topic}-audit",
				containerFactory = "auditFactory")
		void listen(String value) {
			this.calls.add("audited " + value);
		}

	}

}
