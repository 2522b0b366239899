package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.converter.BatchMessagingMessageConverter;
import org.springframework.kafka.support.converter.JacksonJsonMessageConverter;
import org.springframework.util.backoff.FixedBackOff;

/**
 * Listeners that take batches.
 */
class BatchListenersIT {

	private static final String POLL = "spring.kafka.consumer.max-poll-records=";

	private static String topic(String prefix, int records) {
		String topic = EmbeddedBroker.topic(prefix, 1);
		for (int i = 0; i < records; i++) {
			Topics.send(topic, "v" + i);
		}
		return topic;
	}

	@ParameterizedTest
	@EnumSource
	void recordsComeInOrderAndNoMoreThanAPoll(Engine engine) {
		String topic = topic("batch", 20);
		Calls calls = new Calls();
		try (App app = App.of(Batches.class).bean(calls).on(engine).with(POLL + 8).start(topic)) {
			calls.await("end");
			Topics.awaitCommitted(topic, topic, 0, 20);
			List<String> values = new ArrayList<>();
			for (String call : calls.all()) {
				if (!call.equals("end")) {
					List<String> batch = List.of(call.split(","));
					Assertions.assertThat(batch).hasSizeLessThanOrEqualTo(8);
					values.addAll(batch);
				}
			}
			Assertions.assertThat(values)
				.hasSize(20)
				.isSortedAccordingTo(
						java.util.Comparator.comparingInt((value) -> Integer.parseInt(value.substring(1))));
		}
	}

	@Test
	void aFailedRecordIsRetriedFromItsPlaceAndRecoveredAlone() {
		String topic = topic("batchfail", 6);
		Calls calls = new Calls();
		try (App app = App.of(FailingAtV2.class)
			.bean(calls)
			.with(POLL + 6, "evenkeel.kafka.consumer.retry.max-attempts=3")
			.start(topic)) {
			calls.awaitExactly("v0,v1,v2,v3,v4,v5", "v2,v3,v4,v5", "v2,v3,v4,v5", "v3,v4,v5");
			Assertions.assertThat(Topics.read(topic + "-dlt", 1))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("v2");
			Topics.awaitCommitted(topic, topic, 0, 6);
		}
	}

	@Test
	void aBatchThatFailsAsAWholeIsRetriedAndRecoveredAsAWhole() {
		String topic = topic("batchwhole", 3);
		Calls calls = new Calls();
		try (App app = App.of(FailingWhole.class)
			.bean(calls)
			.with(POLL + 3, "evenkeel.kafka.consumer.retry.max-attempts=2")
			.start(topic)) {
			calls.awaitExactly("v0,v1,v2", "v0,v1,v2");
			Assertions.assertThat(Topics.read(topic + "-dlt", 3)).hasSize(3);
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@Test
	void aPoisonRecordIsNoPartOfABatch() {
		String topic = EmbeddedBroker.topic("batchpoison", 1);
		Topics.send(topic, 0, "12345678", "one");
		Topics.send(topic, 0, "abc", "poison");
		Topics.send(topic, 0, "12345678", "two");
		Calls calls = new Calls();
		try (App app = App.of(Batches.class)
			.bean(calls)
			.with("spring.kafka.consumer.key-deserializer=org.apache.kafka.common.serialization.LongDeserializer")
			.start(topic)) {
			calls.await("one", "two");
			Assertions.assertThat(Topics.read(topic + "-dlt", 1)).hasSize(1);
			Topics.awaitCommitted(topic, topic, 0, 3);
			Assertions.assertThat(calls.all()).noneMatch((call) -> call.contains("null"));
		}
	}

	@ParameterizedTest
	@EnumSource
	void aUsersErrorHandlerForBatches(Engine engine) {
		String topic = topic("batchuser", 6);
		Calls calls = new Calls();
		try (App app = App.of(FailingAtV2.class, WithDefault.class)
			.bean(calls)
			.on(engine)
			.with(POLL + 6, "spring.kafka.consumer.fetch-min-size=1")
			.start(topic)) {
			calls.await("recovered v2", "v3,v4,v5");
			Assertions.assertThat(calls.count("v2,v3,v4,v5")).isEqualTo(2);
			Topics.awaitCommitted(topic, topic, 0, 6);
		}
	}

	@ParameterizedTest
	@EnumSource
	void aUsersErrorHandlerRetriesAndRecoversAWholeBatch(Engine engine) {
		String topic = topic("batchuserwhole", 3);
		Calls calls = new Calls();
		try (App app = App.of(FailingWhole.class, WithDefault.class)
			.bean(calls)
			.on(engine)
			.with(POLL + 3)
			.start(topic)) {
			calls.awaitExactly("v0,v1,v2", "v0,v1,v2", "v0,v1,v2", "recovered v0", "recovered v1", "recovered v2");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@EnumSource
	void anErrorHandlerOfBatchesOnly(Engine engine) {
		String topic = topic("batchonly", 3);
		Calls calls = new Calls();
		try (App app = App.of(FailingWhole.class, WithHandleBatch.class)
			.bean(calls)
			.on(engine)
			.with(POLL + 3)
			.start(topic)) {
			calls.awaitExactly("v0,v1,v2", "handled 3");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@EnumSource
	void interceptorAndConverter(Engine engine) {
		String topic = EmbeddedBroker.topic("batchconvert", 1);
		Topics.send(topic, "{\"name\":\"one\"}", "{\"name\":\"two\"}");
		Calls calls = new Calls();
		try (App app = App.of(Converting.class).bean(calls).on(engine).with(POLL + 2).start(topic)) {
			calls.awaitExactly("intercept 2", "[one, two]", "success 2");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	@ParameterizedTest
	@EnumSource
	void acknowledgeUpToAnIndexAndNack(Engine engine) {
		String topic = topic("batchack", 4);
		Calls calls = new Calls();
		try (App app = App.of(Acknowledging.class)
			.bean(calls)
			.on(engine)
			.with(POLL + 4, "spring.kafka.listener.ack-mode=manual_immediate")
			.start(topic)) {
			calls.await("v0,v1,v2,v3", "v2,v3");
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
	}

	@Test
	void anAsynchronousBatchIsDoneWhenItsFutureIs() {
		String topic = topic("batchasync", 4);
		Calls calls = new Calls();
		try (App app = App.of(Async.class).bean(calls).with(POLL + 2).start(topic)) {
			calls.awaitExactly("begin v0,v1", "end v0,v1", "begin v0,v1", "end v0,v1", "begin v2,v3", "end v2,v3");
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
	}

	static String join(List<String> values) {
		return String.join(",", values);
	}

	@Configuration(proxyBeanMethods = false)
	static class Batches {

		private final Calls calls;

		Batches(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<String> values) {
			this.calls.add(join(values));
			if (values.contains("v19")) {
				this.calls.add("end");
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FailingAtV2 {

		private final Calls calls;

		FailingAtV2(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<String> values) {
			this.calls.add(join(values));
			if (values.contains("v2")) {
				throw new BatchListenerFailedException("v2", values.indexOf("v2"));
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FailingWhole {

		private final Calls calls;

		FailingWhole(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<String> values) {
			this.calls.add(join(values));
			throw new IllegalStateException("always");
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithDefault {

		@Bean
		DefaultErrorHandler handler(Calls calls) {
			return new DefaultErrorHandler((record, failure) -> calls.add("recovered " + record.value()),
					new FixedBackOff(10, 2));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithHandleBatch {

		@Bean
		CommonErrorHandler handler(Calls calls) {
			return new CommonErrorHandler() {

				@Override
				public boolean seeksAfterHandling() {
					return true;
				}

				@Override
				public void handleBatch(Exception failure, ConsumerRecords<?, ?> data, Consumer<?, ?> consumer,
						MessageListenerContainer container, Runnable invokeListener) {
					calls.add("handled " + data.count());
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Converting {

		private final Calls calls;

		Converting(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<FailuresIT.Named> values) {
			this.calls.add(values.stream().map(FailuresIT.Named::name).toList().toString());
		}

		@Bean
		static BatchMessagingMessageConverter converter() {
			return new BatchMessagingMessageConverter(new JacksonJsonMessageConverter());
		}

		@Bean
		static BatchInterceptor<Object, Object> interceptor(Calls calls) {
			return new BatchInterceptor<>() {

				@Override
				public ConsumerRecords<Object, Object> intercept(ConsumerRecords<Object, Object> records,
						Consumer<Object, Object> consumer) {
					calls.add("intercept " + records.count());
					return records;
				}

				@Override
				public void success(ConsumerRecords<Object, Object> records, Consumer<Object, Object> consumer) {
					calls.add("success " + records.count());
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Acknowledging {

		private final Calls calls;

		Acknowledging(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<ConsumerRecord<String, String>> records, Acknowledgment acknowledgment) {
			this.calls.add(join(records.stream().map(ConsumerRecord::value).toList()));
			if (records.size() == 4) {
				acknowledgment.acknowledge(0);
				acknowledgment.nack(2, Duration.ofMillis(10));
			}
			else {
				acknowledgment.acknowledge();
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Async {

		private final Calls calls;

		Async(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		CompletableFuture<Void> listen(List<String> values) {
			this.calls.add("begin " + join(values));
			return CompletableFuture.runAsync(() -> {
				boolean first = this.calls.count("begin " + join(values)) == 1;
				this.calls.add("end " + join(values));
				if (first && values.contains("v0")) {
					throw new IllegalStateException("the first one fails once");
				}
			});
		}

	}

}
