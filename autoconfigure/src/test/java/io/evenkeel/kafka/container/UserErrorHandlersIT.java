package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.annotation.DltHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.CommonContainerStoppingErrorHandler;
import org.springframework.kafka.listener.CommonDelegatingErrorHandler;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.CommonLoggingErrorHandler;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.listener.RetryListener;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.util.backoff.FixedBackOff;

/**
 * Error handlers of the user's own, and retry topics, under both containers.
 */
class UserErrorHandlersIT {

	@ParameterizedTest
	@EnumSource
	void defaultErrorHandlerWithBackOffRecovererAndRetryListeners(Engine engine) {
		String topic = EmbeddedBroker.topic("default", 1);
		Topics.send(topic, "one", "fail-always", "class-cast", "two");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class, WithDefault.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("one", "fail-always", "failed 1", "fail-always", "failed 2", "fail-always", "failed 3",
					"recovered fail-always", "class-cast", "failed 1", "recovered class-cast", "two");
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
	}

	@ParameterizedTest
	@EnumSource
	void defaultErrorHandlerWithDeadLetterRecoverer(Engine engine) {
		String topic = EmbeddedBroker.topic("userdlt", 1);
		EmbeddedBroker.createTopic(topic + ".DLT", 1, java.util.Map.of());
		Topics.send(topic, "fail-always", "two");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class, WithDeadLetters.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("fail-always", "fail-always", "two");
			Assertions.assertThat(Topics.read(topic + ".DLT", 1)).hasSize(1);
		}
	}

	@ParameterizedTest
	@EnumSource
	void containerStoppingErrorHandler(Engine engine) {
		String topic = EmbeddedBroker.topic("stopping", 1);
		Topics.send(topic, "one", "fail-always", "two");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class, WithStopping.class).bean(calls).on(engine).start(topic)) {
			MessageListenerContainer container = app.container("listener");
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !container.isRunning());
			Topics.awaitCommitted(topic, topic, 0, 1);
			Assertions.assertThat(calls.all()).containsExactly("one", "fail-always");
		}
	}

	@ParameterizedTest
	@EnumSource
	void delegatingErrorHandlerChoosesByCause(Engine engine) {
		String topic = EmbeddedBroker.topic("delegating", 1);
		Topics.send(topic, "illegal-argument", "fail-twice", "two");
		Calls calls = new Calls();
		try (App app = App.of(Counting.class, WithDelegating.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("illegal-argument", "fail-twice", "fail-twice", "fail-twice", "two");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@EnumSource
	void anErrorHandlerThatOnlySeeks(Engine engine) {
		String topic = EmbeddedBroker.topic("seeking", 1);
		Topics.send(topic, "one", "fail-twice", "two");
		Calls calls = new Calls();
		try (App app = App.of(Counting.class, WithSeeking.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("one", "fail-twice", "fail-twice", "fail-twice", "two");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@EnumSource
	void retryTopicsEndToEnd(Engine engine) {
		String topic = EmbeddedBroker.topic("retryable", 1);
		Topics.send(topic, "fail-always", "two");
		Calls calls = new Calls();
		try (App app = App.of(Retryable.class, Scheduler.class).bean(calls).on(engine).start(topic)) {
			calls.await("dlt fail-always");
			Assertions.assertThat(calls.all())
				.containsExactlyInAnyOrder("fail-always@" + topic, "two@" + topic, "fail-always@" + topic + "-retry",
						"fail-always@" + topic + "-retry", "dlt fail-always");
		}
	}

	@Test
	void aPoisonPillGoesToTheUsersHandlerToo() {
		String topic = EmbeddedBroker.topic("userpoison", 1);
		Topics.send(topic, 0, "abc", "poison");
		Topics.send(topic, 0, "12345678", "two");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class, WithDefault.class)
			.bean(calls)
			.with("spring.kafka.consumer.key-deserializer=org.apache.kafka.common.serialization.LongDeserializer")
			.start(topic)) {
			calls.awaitExactly("failed 1", "recovered null", "two");
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Listener {

		private final Calls calls;

		Listener(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
			FailuresIT.fail(value, 0);
		}

	}

	/** Fails by the number of calls seen so far. */
	@Configuration(proxyBeanMethods = false)
	static class Counting {

		private final Calls calls;

		Counting(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
			FailuresIT.fail(value, (int) this.calls.count(value));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithDefault {

		@Bean
		DefaultErrorHandler handler(Calls calls) {
			DefaultErrorHandler handler = new DefaultErrorHandler(
					(record, failure) -> calls.add("recovered " + record.value()), new FixedBackOff(10, 2));
			handler.setRetryListeners((RetryListener) (record, failure, attempt) -> calls.add("failed " + attempt));
			return handler;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithDeadLetters {

		@Bean
		DefaultErrorHandler handler(KafkaTemplate<Object, Object> template) {
			return new DefaultErrorHandler(
					new DeadLetterPublishingRecoverer(template,
							(record, failure) -> new TopicPartition(record.topic() + ".DLT", record.partition())),
					new FixedBackOff(0, 1));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithStopping {

		@Bean
		CommonContainerStoppingErrorHandler handler() {
			return new CommonContainerStoppingErrorHandler();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithDelegating {

		@Bean
		CommonErrorHandler handler() {
			DefaultErrorHandler seeking = new DefaultErrorHandler(new FixedBackOff(0, 5));
			CommonDelegatingErrorHandler handler = new CommonDelegatingErrorHandler(seeking);
			CommonLoggingErrorHandler logging = new CommonLoggingErrorHandler() {

				@Override
				public boolean seeksAfterHandling() {
					return true;
				}

				@Override
				public void handleRemaining(Exception failure, List<ConsumerRecord<?, ?>> records,
						Consumer<?, ?> consumer, MessageListenerContainer container) {
					ConsumerRecord<?, ?> record = records.get(0);
					consumer.seek(new TopicPartition(record.topic(), record.partition()), record.offset() + 1);
				}
			};
			handler.setErrorHandlers(
					new java.util.LinkedHashMap<>(java.util.Map.of(IllegalArgumentException.class, logging)));
			return handler;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithSeeking {

		@Bean
		CommonErrorHandler handler() {
			return new CommonErrorHandler() {

				@Override
				public boolean seeksAfterHandling() {
					return true;
				}

				@Override
				public void handleRemaining(Exception failure, List<ConsumerRecord<?, ?>> records,
						Consumer<?, ?> consumer, MessageListenerContainer container) {
					ConsumerRecord<?, ?> record = records.get(0);
					consumer.seek(new TopicPartition(record.topic(), record.partition()), record.offset());
					throw new KafkaException("Seek to current after exception", failure);
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Retryable {

		private final Calls calls;

		Retryable(Calls calls) {
			this.calls = calls;
		}

		@RetryableTopic(attempts = "3", backOff = @BackOff(delay = 300))
		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value, @Header(KafkaHeaders.RECEIVED_TOPIC) String topic) {
			this.calls.add(value + "@" + topic);
			FailuresIT.fail(value, 0);
		}

		@DltHandler
		void dead(String value) {
			this.calls.add("dlt " + value);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Scheduler {

		@Bean
		ThreadPoolTaskScheduler retryScheduler() {
			return new ThreadPoolTaskScheduler();
		}

	}

}
