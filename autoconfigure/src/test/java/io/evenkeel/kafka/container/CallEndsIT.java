package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.micrometer.common.KeyValues;
import io.micrometer.observation.ObservationRegistry;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.KafkaListenerErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.micrometer.KafkaListenerObservation.DefaultKafkaListenerObservationConvention;
import org.springframework.kafka.support.micrometer.KafkaRecordReceiverContext;
import org.springframework.util.backoff.FixedBackOff;
import reactor.core.publisher.Mono;

/**
 * When a call is over, and that nothing around it changes how it has ended.
 */
class CallEndsIT {

	@Test
	void aRecordThatIsRepeatedForEverHoldsItsPartitionOnly() {
		String topic = EmbeddedBroker.topic("forever", 2);
		Topics.send(topic, 0, "k", "fail-always");
		String[] values = new String[20];
		for (int i = 0; i < values.length; i++) {
			values[i] = "v" + i;
			Topics.send(topic, 1, "k", values[i]);
		}
		Calls calls = new Calls();
		try (App app = App.of(Single.class, ForEver.class).bean(calls).start(topic)) {
			calls.await(values);
			Topics.awaitCommitted(topic, topic, 1, 20);
			Assertions.assertThat(calls.count("fail-always")).isGreaterThan(1);
			Assertions.assertThat(app.evenkeel("listener").snapshot().used()).isLessThanOrEqualTo(1);
		}
	}

	/** By declaration or by what it is, single records or batches: one rule. */
	@Test
	void aCallIsOverWhenItsFutureIs() {
		String topic = EmbeddedBroker.unique("futures");
		for (String kind : Futures.KINDS) {
			EmbeddedBroker.createTopic(topic + kind, 1, Map.of());
			Topics.send(topic + kind, "value");
		}
		Futures futures = new Futures();
		try (App app = App.of(FutureListeners.class)
			.bean(futures)
			.with("spring.kafka.listener.ack-mode=manual")
			.start(topic)) {
			for (String kind : Futures.KINDS) {
				futures.await(kind, 1).completeExceptionally(new IllegalStateException("simulated"));
			}
			for (String kind : List.of("-recovered", "-batch-recovered")) {
				Topics.awaitCommitted(topic + kind, topic + kind, 0, 1);
				Assertions.assertThat(futures.calls(kind)).as(kind).hasSize(1);
			}
			for (String kind : List.of("-object", "-batch-stage")) {
				CompletableFuture<Object> second = futures.await(kind, 2);
				Assertions.assertThat(Topics.committed(topic + kind, topic + kind, 0)).as(kind).isNotEqualTo(1);
				second.complete(null);
				Topics.awaitCommitted(topic + kind, topic + kind, 0, 1);
				Assertions.assertThat(futures.calls(kind)).as(kind).hasSize(2);
			}
		}
	}

	/** One that fails is an error handler that has failed: the records come again. */
	@Test
	void aFutureOfAnErrorHandlerIsPartOfItsCall() {
		String topic = EmbeddedBroker.unique("handlerfutures");
		List<String> kinds = List.of("-record", "-batch", "-async");
		for (String kind : kinds) {
			EmbeddedBroker.createTopic(topic + kind, 1, Map.of());
			Topics.send(topic + kind, "value");
		}
		Futures futures = new Futures();
		try (App app = App.of(FailingListeners.class).bean(futures).start(topic)) {
			for (String kind : kinds) {
				futures.await(kind, 1).completeExceptionally(new IllegalStateException("simulated"));
				// The adapter asks it once more about its own failure.
				futures.await(kind, 2).complete(null);
				CompletableFuture<Object> ofTheNextCall = futures.await(kind, 3);
				Assertions.assertThat(futures.calls(kind + "-called")).as(kind).hasSize(2);
				Assertions.assertThat(Topics.committed(topic + kind, topic + kind, 0)).as(kind).isNotEqualTo(1);
				ofTheNextCall.complete(null);
				Topics.awaitCommitted(topic + kind, topic + kind, 0, 1);
				Assertions.assertThat(futures.calls(kind + "-called")).as(kind).hasSize(2);
			}
		}
	}

	/** The others acknowledge as their listener's mode says. */
	@Test
	void ofTheMethodsOfAClassThoseThatReturnFuturesAreAsynchronous() {
		String topic = EmbeddedBroker.topic("mixed", 1);
		Topics.send(topic, "1", "text", "2");
		Futures futures = new Futures();
		try (App app = App.of(Mixed.class)
			.bean(futures)
			.with("spring.kafka.listener.ack-mode=manual",
					"spring.kafka.consumer.value-deserializer=" + NumberOrText.class.getName())
			.start(topic)) {
			CompletableFuture<Object> number = futures.await("number", 1);
			Assertions.assertThat(futures.calls("text")).isEmpty();
			number.complete(null);
			futures.await("number", 2).complete(null);
			Topics.awaitCommitted(topic, topic, 0, 1);
			futures.await("acknowledged", 1);
			futures.calls("text").get(0).complete(null);
			Topics.awaitCommitted(topic, topic, 0, 3);
			Assertions.assertThat(futures.calls("text")).hasSize(1);
		}
	}

	@Test
	void whatThrowsAroundACallChangesNothingOfIt() {
		String topic = EmbeddedBroker.topic("around", 1);
		Topics.send(topic, "one", "class-cast", "two");
		Calls calls = new Calls();
		try (App app = App.of(Single.class, Throwing.class)
			.bean(calls)
			.with("spring.kafka.listener.observation-enabled=true")
			.start(topic)) {
			Topics.awaitCommitted(topic, topic, 0, 3);
			calls.awaitExactly("one", "class-cast", "two");
			Assertions.assertThat(app.evenkeel("listener").snapshot().used()).isZero();
		}
	}

	@Test
	void aCopyOfARecordIsTheRecord() {
		String topic = EmbeddedBroker.topic("copies", 1);
		Topics.send(topic, "one", "bad", "two");
		Calls calls = new Calls();
		try (App app = App.of(Copies.class)
			.bean(calls)
			.with("evenkeel.kafka.consumer.retry.max-attempts=1")
			.start(topic)) {
			Topics.awaitCommitted(topic, topic, 0, 3);
			Assertions.assertThat(Topics.read(topic + "-dlt", 1))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("bad");
			calls.await("two");
			Assertions.assertThat(calls.count("one")).isEqualTo(1);
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Single {

		private final Calls calls;

		Single(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
			FailuresIT.fail(value, 0);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ForEver {

		@Bean
		DefaultErrorHandler errors() {
			return new DefaultErrorHandler(new FixedBackOff(100, FixedBackOff.UNLIMITED_ATTEMPTS));
		}

	}

	/** The futures that listeners have returned. */
	static final class Futures {

		static final List<String> KINDS = List.of("-object", "-batch-stage", "-recovered", "-batch-recovered");

		private final Map<String, List<CompletableFuture<Object>>> all = new ConcurrentHashMap<>();

		CompletableFuture<Object> next(String kind) {
			CompletableFuture<Object> future = new CompletableFuture<>();
			calls(kind).add(future);
			return future;
		}

		List<CompletableFuture<Object>> calls(String kind) {
			return this.all.computeIfAbsent(kind, (key) -> new CopyOnWriteArrayList<>());
		}

		CompletableFuture<Object> await(String kind, int number) {
			Awaitility.await(kind).atMost(Duration.ofSeconds(30)).until(() -> calls(kind).size() >= number);
			return calls(kind).get(number - 1);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FutureListeners {

		private final Futures futures;

		FutureListeners(Futures futures) {
			this.futures = futures;
		}

		@KafkaListener(id = "object", groupId = "${test.topic}-object", topics = "${test.topic}-object")
		Object object(String value, Acknowledgment acknowledgment) {
			acknowledgment.acknowledge();
			return this.futures.next("-object");
		}

		@KafkaListener(id = "stage", groupId = "${test.topic}-batch-stage", topics = "${test.topic}-batch-stage",
				batch = "true")
		CompletionStage<Object> stage(List<String> values) {
			return this.futures.next("-batch-stage");
		}

		@KafkaListener(id = "recovered", groupId = "${test.topic}-recovered", topics = "${test.topic}-recovered",
				errorHandler = "recovering")
		Object recovered(String value) {
			return this.futures.next("-recovered");
		}

		@KafkaListener(id = "batch-recovered", groupId = "${test.topic}-batch-recovered",
				topics = "${test.topic}-batch-recovered", batch = "true", errorHandler = "recovering")
		CompletableFuture<Object> batchRecovered(List<String> values) {
			return this.futures.next("-batch-recovered");
		}

		@Bean
		static KafkaListenerErrorHandler recovering() {
			return (message, failure) -> null;
		}

	}

	/** Each fails, and its error handler works on it for a while. */
	@Configuration(proxyBeanMethods = false)
	static class FailingListeners {

		private final Futures futures;

		FailingListeners(Futures futures) {
			this.futures = futures;
		}

		@KafkaListener(id = "record", groupId = "${test.topic}-record", topics = "${test.topic}-record",
				errorHandler = "recordHandler")
		void listen(String value) {
			this.futures.next("-record-called");
			throw new IllegalStateException("simulated");
		}

		@KafkaListener(id = "batch", groupId = "${test.topic}-batch", topics = "${test.topic}-batch", batch = "true",
				errorHandler = "batchHandler")
		void batch(List<String> values) {
			this.futures.next("-batch-called");
			throw new IllegalStateException("simulated");
		}

		@KafkaListener(id = "async", groupId = "${test.topic}-async", topics = "${test.topic}-async",
				errorHandler = "asyncHandler")
		CompletableFuture<Object> async(String value) {
			this.futures.next("-async-called");
			return CompletableFuture.failedFuture(new IllegalStateException("simulated"));
		}

		@Bean
		static KafkaListenerErrorHandler recordHandler(Futures futures) {
			return (message, failure) -> futures.next("-record");
		}

		@Bean
		static KafkaListenerErrorHandler batchHandler(Futures futures) {
			return (message, failure) -> Mono.fromFuture(futures.next("-batch"));
		}

		@Bean
		static KafkaListenerErrorHandler asyncHandler(Futures futures) {
			return (message, failure) -> futures.next("-async");
		}

	}

	@Configuration(proxyBeanMethods = false)
	@KafkaListener(id = "mixed", idIsGroup = false, topics = "${test.topic}")
	static class Mixed {

		private final Futures futures;

		Mixed(Futures futures) {
			this.futures = futures;
		}

		@KafkaHandler
		CompletableFuture<Object> number(Integer value) {
			return this.futures.next("number");
		}

		@KafkaHandler
		void text(String value, Acknowledgment acknowledgment) {
			this.futures.next("text").thenRun(acknowledgment::acknowledge);
			this.futures.next("acknowledged");
		}

	}

	/** Made by the client. */
	public static final class NumberOrText implements Deserializer<Object> {

		@Override
		public Object deserialize(String topic, byte[] data) {
			String text = new String(data, java.nio.charset.StandardCharsets.UTF_8);
			return text.matches("\\d+") ? (Object) Integer.valueOf(text) : text;
		}

	}

	/** All of it throws, after the listener has done its work. */
	@Configuration(proxyBeanMethods = false)
	static class Throwing {

		@Bean
		ObservationRegistry observations() {
			ObservationRegistry registry = ObservationRegistry.create();
			registry.observationConfig().observationHandler((context) -> true);
			return registry;
		}

		@Bean
		io.evenkeel.kafka.autoconfigure.EvenkeelContainerFactoryCustomizer convention() {
			return (factory) -> factory.getContainerProperties()
				.setObservationConvention(new DefaultKafkaListenerObservationConvention() {

					@Override
					public KeyValues getLowCardinalityKeyValues(KafkaRecordReceiverContext context) {
						throw new IllegalStateException("simulated: convention");
					}

				});
		}

		@Bean
		RecordInterceptor<Object, Object> interceptor() {
			return new RecordInterceptor<>() {

				@Override
				public ConsumerRecord<Object, Object> intercept(ConsumerRecord<Object, Object> record,
						Consumer<Object, Object> consumer) {
					return record;
				}

				@Override
				public void success(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
					throw new IllegalStateException("simulated: success");
				}

				@Override
				public void failure(ConsumerRecord<Object, Object> record, Exception exception,
						Consumer<Object, Object> consumer) {
					throw new IllegalStateException("simulated: failure");
				}

				@Override
				public void afterRecord(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
					throw new AssertionError("simulated: after");
				}

				@Override
				public void clearThreadState(Consumer<?, ?> consumer) {
					throw new IllegalStateException("simulated: clear");
				}

			};
		}

		@Bean
		DefaultErrorHandler errors() {
			return new DefaultErrorHandler() {

				@Override
				public boolean handleOne(Exception thrownException, ConsumerRecord<?, ?> record,
						Consumer<?, ?> consumer, MessageListenerContainer container) {
					return true;
				}

				@Override
				public void clearThreadState() {
					throw new IllegalStateException("simulated: clear");
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Copies {

		private final Calls calls;

		Copies(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<ConsumerRecord<String, String>> records) {
			for (ConsumerRecord<String, String> record : records) {
				if (record.value().equals("bad")) {
					throw new BatchListenerFailedException("simulated", record);
				}
				this.calls.add(record.value());
			}
		}

		@Bean
		BatchInterceptor<Object, Object> copying() {
			return (records, consumer) -> {
				Map<TopicPartition, List<ConsumerRecord<Object, Object>>> copies = new LinkedHashMap<>();
				for (ConsumerRecord<Object, Object> record : records) {
					copies
						.computeIfAbsent(new TopicPartition(record.topic(), record.partition()),
								(key) -> new ArrayList<>())
						.add(new ConsumerRecord<>(record.topic(), record.partition(), record.offset(), record.key(),
								record.value()));
				}
				return new ConsumerRecords<>(copies, Map.of());
			};
		}

	}

}
