package io.evenkeel.kafka.container;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DefaultAfterRollbackProcessor;
import org.springframework.util.backoff.FixedBackOff;

/**
 * Listeners in Kafka transactions: from topic to topic exactly once, under both
 * containers.
 */
class TransactionsIT {

	private static final String PREFIX = "spring.kafka.producer.transaction-id-prefix=";

	@ParameterizedTest
	@EnumSource
	void exactlyOnceFromTopicToTopic(Engine engine) {
		String topic = EmbeddedBroker.topic("tx", 2);
		EmbeddedBroker.createTopic(topic + "-out", 1, java.util.Map.of());
		for (int i = 0; i < 20; i++) {
			Topics.send(topic, i % 2, null, "v" + i);
		}
		Topics.send(topic, 0, null, "fail-twice");
		Topics.send(topic, 0, null, "last");
		Calls calls = new Calls();
		try (App app = App.of(Forwarding.class, AfterRollback.class)
			.bean(calls)
			.on(engine)
			.with(PREFIX + topic + "-", "spring.kafka.listener.concurrency=2")
			.start(topic)) {
			calls.awaitSize(24);
			List<ConsumerRecord<byte[], byte[]>> out = Topics.read(topic + "-out", 22, "read_committed");
			Assertions.assertThat(out)
				.extracting((record) -> Topics.text(record.value()))
				.hasSize(22)
				.doesNotHaveDuplicates()
				.contains("fail-twice", "last");
			Assertions.assertThat(calls.count("fail-twice")).isEqualTo(3);
			Topics.awaitCommitted(topic, topic, 0, 12);
			Topics.awaitCommitted(topic, topic, 1, 10);
		}
		// What was rolled back is there for those who do not ask for committed records.
		Assertions.assertThat(Topics.read(topic + "-out", 24)).hasSize(24);
	}

	@ParameterizedTest
	@EnumSource
	void theAfterRollbackProcessorRecovers(Engine engine) {
		String topic = EmbeddedBroker.topic("txrecover", 1);
		EmbeddedBroker.createTopic(topic + "-out", 1, java.util.Map.of());
		Topics.send(topic, "one", "fail-always", "two");
		Calls calls = new Calls();
		try (App app = App.of(Forwarding.class, AfterRollback.class)
			.bean(calls)
			.on(engine)
			.with(PREFIX + topic + "-")
			.start(topic)) {
			calls.awaitExactly("one", "fail-always", "fail-always", "fail-always", "fail-always",
					"recovered fail-always", "two");
			Topics.awaitCommitted(topic, topic, 0, 3);
			Assertions.assertThat(Topics.read(topic + "-out", 2, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("one", "two");
		}
	}

	@Test
	void ourOwnRetryAndDeadLettersAroundTransactions() {
		String topic = EmbeddedBroker.topic("txdlt", 1);
		EmbeddedBroker.createTopic(topic + "-out", 1, java.util.Map.of());
		Topics.send(topic, "one", "fail-always", "fail-twice", "two");
		Calls calls = new Calls();
		try (App app = App.of(Forwarding.class)
			.bean(calls)
			.with(PREFIX + topic + "-", "evenkeel.kafka.consumer.retry.max-attempts=3")
			.start(topic)) {
			calls.awaitExactly("one", "fail-always", "fail-always", "fail-always", "fail-twice", "fail-twice",
					"fail-twice", "two");
			Topics.awaitCommitted(topic, topic, 0, 4);
			Assertions.assertThat(Topics.read(topic + "-dlt", 1, "read_committed")).hasSize(1);
			Assertions.assertThat(Topics.read(topic + "-out", 3, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("one", "fail-twice", "two");
		}
	}

	@Test
	void batchesInTransactions() {
		String topic = EmbeddedBroker.topic("txbatch", 1);
		EmbeddedBroker.createTopic(topic + "-out", 1, java.util.Map.of());
		for (int i = 0; i < 10; i++) {
			Topics.send(topic, "v" + i);
		}
		Calls calls = new Calls();
		try (App app = App.of(ForwardingBatches.class).bean(calls).with(PREFIX + topic + "-").start(topic)) {
			Assertions.assertThat(Topics.read(topic + "-out", 10, "read_committed")).hasSize(10);
			Topics.awaitCommitted(topic, topic, 0, 10);
		}
	}

	@Test
	void otherOrderingsAreRefused() {
		String topic = EmbeddedBroker.topic("txkey", 1);
		Assertions
			.assertThatThrownBy(() -> App.of(Forwarding.class)
				.bean(new Calls())
				.with(PREFIX + topic + "-", "evenkeel.kafka.consumer.ordering=key")
				.start(topic))
			.hasRootCauseInstanceOf(InvalidSettingException.class)
			.rootCause()
			.satisfies((failure) -> {
				InvalidSettingException refused = (InvalidSettingException) failure;
				Assertions.assertThat(refused.getSettings().get(0).name())
					.isEqualTo("evenkeel.kafka.consumer.ordering");
				Assertions.assertThat(refused.getSettings().get(0).value()).isEqualTo("key");
				Assertions.assertThat(refused.getAction()).contains("springKafkaListenerContainerFactory");
			});
	}

	@Configuration(proxyBeanMethods = false)
	static class Forwarding {

		private final Calls calls;

		private final KafkaTemplate<Object, Object> template;

		private final String out;

		private final AtomicInteger twice = new AtomicInteger();

		Forwarding(Calls calls, KafkaTemplate<Object, Object> template, @Value("${test.topic}") String topic) {
			this.calls = calls;
			this.template = template;
			this.out = topic + "-out";
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
			if (!value.equals("fail-always")) {
				this.template.send(this.out, value).join();
			}
			FailuresIT.fail(value, value.equals("fail-twice") ? this.twice.incrementAndGet() : 0);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ForwardingBatches {

		private final KafkaTemplate<Object, Object> template;

		private final String out;

		private final AtomicInteger number = new AtomicInteger();

		ForwardingBatches(KafkaTemplate<Object, Object> template, @Value("${test.topic}") String topic) {
			this.template = template;
			this.out = topic + "-out";
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<String> values) {
			values.forEach((value) -> this.template.send(this.out, value));
			if (this.number.getAndIncrement() == 0) {
				throw new IllegalStateException("the first batch fails once");
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class AfterRollback {

		@Bean
		DefaultAfterRollbackProcessor<Object, Object> rollback(Calls calls, KafkaTemplate<Object, Object> template) {
			return new DefaultAfterRollbackProcessor<>((record, failure) -> calls.add("recovered " + record.value()),
					new FixedBackOff(10, 3), template, true);
		}

	}

}
