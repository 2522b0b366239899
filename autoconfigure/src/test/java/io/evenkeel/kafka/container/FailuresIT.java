package io.evenkeel.kafka.container;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.engine.StopCause;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListenerConfigurer;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.kafka.support.converter.JacksonJsonMessageConverter;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.validation.Errors;
import org.springframework.validation.Validator;
import org.springframework.validation.annotation.Validated;

/**
 * Failing records under our own retry and recovery.
 */
class FailuresIT {

	private static final String RETRY = "evenkeel.kafka.consumer.retry.";

	@Test
	void aRetryParksOnlyItsLane() {
		String topic = EmbeddedBroker.topic("lane", 1);
		Topics.send(topic, 0, "bad", "fail-twice");
		for (int i = 0; i < 20; i++) {
			Topics.send(topic, 0, (i % 10 == 9) ? "bad" : "good-" + i, "v" + i);
		}
		Calls calls = new Calls();
		try (App app = App.of(Failing.class)
			.bean(calls)
			.with("evenkeel.kafka.consumer.ordering=key", RETRY + "initial-interval=1s")
			.start(topic)) {
			calls.awaitSize(23);
			List<String> all = calls.all();
			Assertions.assertThat(all.get(0)).isEqualTo("fail-twice#1");
			// All other keys were done while the record waited, and its own key waited
			// with it.
			Assertions.assertThat(all.subList(1, 19)).doesNotContain("v9#1", "v19#1").allMatch((v) -> v.endsWith("#1"));
			Assertions.assertThat(all.subList(19, 23)).containsExactly("fail-twice#2", "fail-twice#3", "v9#1", "v19#1");
			Topics.awaitCommitted(topic, topic, 0, 21);
		}
	}

	@Test
	void anAlwaysFailingRecordIsDeadLetteredAfterExactlyItsAttempts() {
		String topic = EmbeddedBroker.topic("dlt", 3);
		Topics.send(topic, 2, "k", "fail-always");
		Topics.send(topic, 2, "k", "fine");
		Calls calls = new Calls();
		try (App app = App.of(Failing.class).bean(calls).with(RETRY + "max-attempts=3").start(topic)) {
			calls.awaitExactly("fail-always#1", "fail-always#2", "fail-always#3", "fine#1");
			List<ConsumerRecord<byte[], byte[]>> dead = Topics.read(topic + "-dlt", 1);
			Assertions.assertThat(dead).hasSize(1);
			ConsumerRecord<byte[], byte[]> record = dead.get(0);
			Assertions.assertThat(record.partition()).isEqualTo(2);
			Assertions.assertThat(Topics.text(record.key())).isEqualTo("k");
			Assertions.assertThat(Topics.text(record.value())).isEqualTo("fail-always");
			Assertions.assertThat(Topics.header(record, KafkaHeaders.DLT_ORIGINAL_TOPIC)).isEqualTo(topic);
			Assertions.assertThat(Topics.header(record, KafkaHeaders.DLT_ORIGINAL_CONSUMER_GROUP)).isEqualTo(topic);
			Assertions.assertThat(number(record, KafkaHeaders.DLT_ORIGINAL_PARTITION)).isEqualTo(2);
			Assertions
				.assertThat(ByteBuffer.wrap(record.headers().lastHeader(KafkaHeaders.DLT_ORIGINAL_OFFSET).value())
					.getLong())
				.isZero();
			Assertions.assertThat(Topics.header(record, KafkaHeaders.DLT_EXCEPTION_CAUSE_FQCN))
				.isEqualTo(IllegalStateException.class.getName());
			Assertions.assertThat(record.headers().lastHeader(KafkaHeaders.DELIVERY_ATTEMPT)).isNull();
			Assertions.assertThat(Topics.partitions(topic + "-dlt")).isEqualTo(3);
			Topics.awaitCommitted(topic, topic, 2, 2);
		}
	}

	private static int number(ConsumerRecord<?, ?> record, String header) {
		return ByteBuffer.wrap(record.headers().lastHeader(header).value()).getInt();
	}

	@ParameterizedTest
	@ValueSource(strings = { "class-cast", "illegal-argument", "illegal-argument-subclass" })
	void aFailureNotWorthARetryIsNotRetried(String kind) {
		String topic = EmbeddedBroker.topic("fatal", 1);
		Topics.send(topic, kind);
		Calls calls = new Calls();
		try (App app = App.of(Failing.class)
			.bean(calls)
			.with(RETRY + "not-retryable=java.lang.IllegalArgumentException")
			.start(topic)) {
			Assertions.assertThat(Topics.read(topic + "-dlt", 1)).hasSize(1);
			Assertions.assertThat(calls.all()).containsExactly(kind + "#1");
		}
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void aPoisonPillIsDeadLetteredWithItsRawBytes(boolean errorHandling) {
		String topic = EmbeddedBroker.topic("poison", 1);
		Topics.send(topic, 0, "key", "12345678");
		Topics.send(topic, 0, "key", "abc");
		Topics.send(topic, 0, "key", "87654321");
		Calls calls = new Calls();
		String deserializer = "org.apache.kafka.common.serialization.LongDeserializer";
		App.Builder builder = errorHandling
				? App.of(Numbers.class)
					.with("spring.kafka.consumer.value-deserializer="
							+ "org.springframework.kafka.support.serializer.ErrorHandlingDeserializer")
					.with("spring.kafka.consumer.properties.spring.deserializer.value.delegate.class=" + deserializer)
				: App.of(Numbers.class).with("spring.kafka.consumer.value-deserializer=" + deserializer);
		try (App app = builder.bean(calls).start(topic)) {
			calls.awaitSize(2);
			List<ConsumerRecord<byte[], byte[]>> dead = Topics.read(topic + "-dlt", 1);
			Assertions.assertThat(dead).hasSize(1);
			Assertions.assertThat(Topics.text(dead.get(0).value())).isEqualTo("abc");
			Assertions.assertThat(Topics.text(dead.get(0).key())).isEqualTo("key");
			Assertions.assertThat(dead.get(0).headers().toArray())
				.extracting((header) -> header.key())
				.allMatch((name) -> name.startsWith("kafka_"));
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@Test
	void aPoisonKeyIsDeadLetteredWithItsRawBytes() {
		String topic = EmbeddedBroker.topic("poisonkey", 1);
		Topics.send(topic, 0, "abc", "value");
		Topics.send(topic, 0, "12345678", "fine");
		Calls calls = new Calls();
		try (App app = App.of(Failing.class)
			.bean(calls)
			.with("spring.kafka.consumer.key-deserializer=org.apache.kafka.common.serialization.LongDeserializer")
			.start(topic)) {
			calls.awaitExactly("fine#1");
			List<ConsumerRecord<byte[], byte[]>> dead = Topics.read(topic + "-dlt", 1);
			Assertions.assertThat(Topics.text(dead.get(0).key())).isEqualTo("abc");
			Assertions.assertThat(Topics.text(dead.get(0).value())).isEqualTo("value");
		}
	}

	@Test
	void conversionAndValidationErrorsAreDeadLetteredWithoutARetry() {
		String topic = EmbeddedBroker.topic("convert", 1);
		Topics.send(topic, "{\"name\":\"one\"}", "not json", "{\"name\":\"invalid\"}", "{\"name\":\"two\"}");
		Calls calls = new Calls();
		try (App app = App.of(Converting.class).bean(calls).start(topic)) {
			calls.awaitExactly("one", "two");
			Assertions.assertThat(Topics.read(topic + "-dlt", 2))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("not json", "{\"name\":\"invalid\"}");
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
	}

	@Test
	void skipGivesTheRecordUpAndGoesOn() {
		String topic = EmbeddedBroker.topic("skip", 1);
		Topics.send(topic, "fail-always", "fine");
		Calls calls = new Calls();
		try (App app = App.of(Failing.class)
			.bean(calls)
			.with(RETRY + "max-attempts=2", "evenkeel.kafka.consumer.recovery.on-exhausted=skip")
			.start(topic)) {
			calls.awaitExactly("fail-always#1", "fail-always#2", "fine#1");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	@Test
	void stopStopsTheContainerAndLeavesTheRecordUnfinished() {
		String topic = EmbeddedBroker.topic("stop", 1);
		Topics.send(topic, "fine", "fail-always", "later");
		Calls calls = new Calls();
		try (App app = App.of(Failing.class)
			.bean(calls)
			.with(RETRY + "max-attempts=2", "evenkeel.kafka.consumer.recovery.on-exhausted=stop")
			.start(topic)) {
			EvenkeelContainer<?, ?> container = app.evenkeel("listener");
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !container.isRunning());
			Assertions.assertThat(container.isInExpectedState()).isFalse();
			Assertions.assertThat(container.failure().cause()).isEqualTo(StopCause.RECOVERY);
			Assertions.assertThat(calls.all()).containsExactly("fine#1", "fail-always#1", "fail-always#2");
			Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(1);
		}
	}

	@Test
	void aRecoveryThatFailsIsTriedAgainAndTheRecordStaysUnfinished() {
		String topic = EmbeddedBroker.topic("recoverer", 1);
		Topics.send(topic, "fail-always", "fine");
		Calls calls = new Calls();
		FlakyRecoverer recoverer = new FlakyRecoverer();
		try (App app = App.of(Failing.class).bean(calls).bean(recoverer).with(RETRY + "max-attempts=1").start(topic)) {
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> recoverer.calls.get() >= 3);
			Assertions.assertThat(app.evenkeel("listener").recoveryFailingSince()).isNotZero();
			Assertions.assertThat(Topics.committed(topic, topic, 0)).isLessThan(1);
			Assertions.assertThat(calls.all()).containsExactly("fail-always#1");
			recoverer.works.complete(null);
			calls.awaitExactly("fail-always#1", "fine#1");
			Topics.awaitCommitted(topic, topic, 0, 2);
			Assertions.assertThat(app.evenkeel("listener").recoveryFailingSince()).isZero();
		}
	}

	static List<Arguments> asynchronous() {
		return List.of(Arguments.of(Async.class, "key"), Arguments.of(Async.class, "partition"),
				Arguments.of(Reactive.class, "key"), Arguments.of(Reactive.class, "partition"));
	}

	@ParameterizedTest(name = "{0} {1}")
	@MethodSource("asynchronous")
	void twoAlwaysFailingRecordsOfAnAsynchronousListenerAreBothDeadLettered(Class<?> listener, String ordering) {
		String topic = EmbeddedBroker.topic("async", 1);
		for (int i = 0; i < 50; i++) {
			Topics.send(topic, 0, "k" + i, (i == 7 || i == 8) ? "fail-always-" + i : "v" + i);
		}
		Calls calls = new Calls();
		try (App app = App.of(listener)
			.bean(calls)
			.with(RETRY + "max-attempts=3", "evenkeel.kafka.consumer.ordering=" + ordering,
					"evenkeel.kafka.consumer.concurrency=8")
			.start(topic)) {
			calls.awaitSize(48 + 2 * 3);
			Assertions.assertThat(Topics.read(topic + "-dlt", 2))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactlyInAnyOrder("fail-always-7", "fail-always-8");
			Topics.awaitCommitted(topic, topic, 0, 50);
			Assertions.assertThat(calls.all()).doesNotHaveDuplicates().hasSize(54);
		}
	}

	/** Fails as the value says. */
	static void fail(String value, int attempt) {
		switch (value) {
			case "class-cast" -> throw new ClassCastException(value);
			case "illegal-argument" -> throw new IllegalArgumentException(value);
			case "illegal-argument-subclass" -> throw new NumberFormatException(value);
			case "fail-twice" -> {
				if (attempt <= 2) {
					throw new IllegalStateException(value);
				}
			}
			default -> {
				if (value.startsWith("fail-always")) {
					throw new IllegalStateException(value);
				}
			}
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Failing {

		private final Calls calls;

		Failing(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value, @Header(KafkaHeaders.DELIVERY_ATTEMPT) int attempt) {
			this.calls.add(value + "#" + attempt);
			fail(value, attempt);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Async {

		private final Calls calls;

		Async(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		CompletableFuture<Void> listen(String value, @Header(KafkaHeaders.DELIVERY_ATTEMPT) int attempt) {
			return CompletableFuture.runAsync(() -> {
				this.calls.add(value + "#" + attempt);
				fail(value, attempt);
			});
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Reactive {

		private final Calls calls;

		Reactive(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		Mono<Void> listen(String value, @Header(KafkaHeaders.DELIVERY_ATTEMPT) int attempt) {
			return Mono.delay(Duration.ofMillis(5)).doOnNext((tick) -> {
				this.calls.add(value + "#" + attempt);
				fail(value, attempt);
			}).then();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Numbers {

		private final Calls calls;

		Numbers(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(Long value) {
			this.calls.add(new String(ByteBuffer.allocate(8).putLong(value).array(), StandardCharsets.US_ASCII));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Converting {

		private final Calls calls;

		Converting(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(@Validated @Payload Named named) {
			this.calls.add(named.name());
		}

		@Bean
		JacksonJsonMessageConverter converter() {
			return new JacksonJsonMessageConverter();
		}

		@Bean
		KafkaListenerConfigurer validation() {
			return (registrar) -> registrar.setValidator(new Validator() {

				@Override
				public boolean supports(Class<?> type) {
					return type == Named.class;
				}

				@Override
				public void validate(Object target, Errors errors) {
					if (((Named) target).name().equals("invalid")) {
						errors.reject("invalid");
					}
				}

			});
		}

	}

	record Named(String name) {
	}

	/** Fails until told otherwise. */
	static class FlakyRecoverer implements ConsumerRecordRecoverer {

		final AtomicInteger calls = new AtomicInteger();

		final CompletableFuture<Void> works = new CompletableFuture<>();

		@Override
		public void accept(ConsumerRecord<?, ?> record, Exception exception) {
			this.calls.incrementAndGet();
			if (!this.works.isDone()) {
				throw new IllegalStateException("not yet");
			}
		}

	}

}
