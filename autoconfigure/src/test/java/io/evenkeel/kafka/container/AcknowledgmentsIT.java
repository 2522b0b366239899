package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.KafkaListenerErrorHandler;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.SendTo;

/**
 * When a record counts as done: acknowledgments, futures, recovered failures, replies.
 */
class AcknowledgmentsIT {

	@ParameterizedTest
	@EnumSource(value = AckMode.class, names = { "RECORD", "BATCH", "TIME", "COUNT", "COUNT_TIME" })
	void modesOfTheContainer(AckMode mode) {
		for (Engine engine : Engine.values()) {
			String topic = EmbeddedBroker.topic("mode", 1);
			Topics.send(topic, "one", "two", "three");
			Calls calls = new Calls();
			try (App app = App.of(Plain.class)
				.bean(calls)
				.on(engine)
				.with("spring.kafka.listener.ack-mode=" + mode, "spring.kafka.listener.ack-count=3",
						"spring.kafka.listener.ack-time=100ms")
				.start(topic)) {
				calls.awaitExactly("one", "two", "three");
				Topics.awaitCommitted(topic, topic, 0, 3);
			}
		}
	}

	@ParameterizedTest
	@EnumSource
	void anAcknowledgmentCoversTheEarlierRecords(Engine engine) {
		String topic = EmbeddedBroker.topic("cover", 1);
		Topics.send(topic, "one", "two", "ack", "four");
		Calls calls = new Calls();
		try (App app = App.of(Manual.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.ack-mode=manual")
			.start(topic)) {
			calls.awaitExactly("one#1", "two#1", "ack#1", "four#1");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
		Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(3);
	}

	@ParameterizedTest
	@ValueSource(strings = { "manual", "manual_immediate" })
	void acknowledgmentsFromAnotherThreadInAnyOrder(String mode) {
		String topic = EmbeddedBroker.topic("anyorder", 1);
		Topics.send(topic, "one", "two", "three");
		Calls calls = new Calls();
		try (App app = App.of(Manual.class)
			.bean(calls)
			.with("spring.kafka.listener.ack-mode=" + mode, "spring.kafka.listener.async-acks=true")
			.start(topic)) {
			calls.awaitSize(3);
			Map<String, Acknowledgment> acknowledgments = app.bean(Manual.class).acknowledgments;
			acknowledgments.get("three").acknowledge();
			acknowledgments.get("two").acknowledge();
			EvenkeelContainer<?, ?> container = app.evenkeel("listener");
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.until(() -> container.snapshot().partitions().get(0).gap() == 2);
			// The one that nobody acknowledged shows as the oldest.
			Assertions.assertThat(container.snapshot().partitions().get(0).oldestNanos()).isPositive();
			Assertions.assertThat(Topics.committed(topic, topic, 0)).isLessThan(1);
			acknowledgments.get("one").acknowledge();
			Topics.awaitCommitted(topic, topic, 0, 3);
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.until(() -> container.snapshot().partitions().get(0).oldestNanos() == -1);
		}
	}

	@ParameterizedTest
	@EnumSource
	void nackDeliversAgainBeforeTheLaterOnes(Engine engine) {
		String topic = EmbeddedBroker.topic("nack", 1);
		Topics.send(topic, "one", "nack", "ack");
		Calls calls = new Calls();
		try (App app = App.of(Manual.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.ack-mode=manual")
			.start(topic)) {
			// Not a failure: neither an attempt more nor a reason to give it up.
			calls.awaitExactly("one#1", "nack#1", "nack#1", "nack#1", "nack#1", "nack#1", "nack#1", "ack#1");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@ValueSource(classes = { Futures.class, Monos.class })
	void asynchronousReturnsHoldTheirLaneAndAreRetried(Class<?> listener) {
		String topic = EmbeddedBroker.topic("futures", 1);
		Topics.send(topic, "one", "fail-twice", "fail-always", "two");
		Calls calls = new Calls();
		try (App app = App.of(listener)
			.bean(calls)
			.with("evenkeel.kafka.consumer.concurrency=4", "evenkeel.kafka.consumer.retry.max-attempts=4")
			.start(topic)) {
			calls.awaitExactly("begin one#1", "end one#1", "begin fail-twice#1", "end fail-twice#1",
					"begin fail-twice#2", "end fail-twice#2", "begin fail-twice#3", "end fail-twice#3",
					"begin fail-always#1", "end fail-always#1", "begin fail-always#2", "end fail-always#2",
					"begin fail-always#3", "end fail-always#3", "begin fail-always#4", "end fail-always#4",
					"begin two#1", "end two#1");
			Assertions.assertThat(Topics.read(topic + "-dlt", 1)).hasSize(1);
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
	}

	@ParameterizedTest
	@EnumSource
	void aListenersErrorHandlerRecoversSynchronously(Engine engine) {
		String topic = EmbeddedBroker.topic("recovers", 1);
		Topics.send(topic, "one", "fail-always", "two");
		Calls calls = new Calls();
		try (App app = App.of(Recovering.class, Recovers.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("one", "fail-always", "recovered", "two");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@Test
	void aListenersErrorHandlerRecoversAsynchronously() {
		String topic = EmbeddedBroker.topic("recoversasync", 1);
		Topics.send(topic, "one", "fail-always", "two");
		Calls calls = new Calls();
		try (App app = App.of(RecoveringFutures.class, Recovers.class).bean(calls).start(topic)) {
			calls.awaitExactly("one", "fail-always", "recovered", "two");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@EnumSource
	void repliesAreSentAndFailuresOfTheListenerAreNot(Engine engine) {
		String topic = EmbeddedBroker.topic("reply", 1);
		EmbeddedBroker.createTopic(topic + "-reply", 1, Map.of());
		Topics.send(topic, "one", "two");
		Calls calls = new Calls();
		try (App app = App.of(Replying.class).bean(calls).on(engine).start(topic)) {
			Assertions.assertThat(Topics.read(topic + "-reply", 2))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("re: one", "re: two");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Plain {

		private final Calls calls;

		Plain(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Manual {

		private final Calls calls;

		final Map<String, Acknowledgment> acknowledgments = new ConcurrentHashMap<>();

		Manual(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(ConsumerRecord<String, String> record, Acknowledgment acknowledgment,
				@Header(name = KafkaHeaders.DELIVERY_ATTEMPT, defaultValue = "1") int attempt) {
			this.calls.add(record.value() + "#" + attempt);
			this.acknowledgments.put(record.value(), acknowledgment);
			if (record.value().equals("ack")) {
				acknowledgment.acknowledge();
			}
			else if (record.value().equals("nack")) {
				if (this.calls.count("nack#1") < 6) {
					acknowledgment.nack(Duration.ofMillis(10));
				}
				else {
					acknowledgment.acknowledge();
				}
			}
		}

	}

	/** Asynchronous work of one record. */
	static void work(Calls calls, String value, int attempt) {
		java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
		calls.add("end " + value + "#" + attempt);
		FailuresIT.fail(value, attempt);
	}

	@Configuration(proxyBeanMethods = false)
	static class Futures {

		private final Calls calls;

		Futures(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		CompletableFuture<Void> listen(String value, @Header(KafkaHeaders.DELIVERY_ATTEMPT) int attempt) {
			this.calls.add("begin " + value + "#" + attempt);
			return CompletableFuture.runAsync(() -> work(this.calls, value, attempt));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Monos {

		private final Calls calls;

		Monos(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		Mono<Void> listen(String value, @Header(KafkaHeaders.DELIVERY_ATTEMPT) int attempt) {
			this.calls.add("begin " + value + "#" + attempt);
			return Mono.fromFuture(() -> CompletableFuture.runAsync(() -> work(this.calls, value, attempt)));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Recovers {

		@Bean
		KafkaListenerErrorHandler recovers(Calls calls) {
			return (message, failure) -> {
				calls.add("recovered");
				return null;
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Recovering {

		private final Calls calls;

		Recovering(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", errorHandler = "recovers")
		void listen(String value) {
			this.calls.add(value);
			FailuresIT.fail(value, 0);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class RecoveringFutures {

		private final Calls calls;

		RecoveringFutures(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", errorHandler = "recovers")
		CompletableFuture<Void> listen(String value) {
			return CompletableFuture.runAsync(() -> {
				this.calls.add(value);
				FailuresIT.fail(value, 0);
			});
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Replying {

		private final String topic;

		Replying(@Value("${test.topic}") String topic) {
			this.topic = topic;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		@SendTo("${test.topic}-reply")
		String listen(String value) {
			return "re: " + value;
		}

	}

}
