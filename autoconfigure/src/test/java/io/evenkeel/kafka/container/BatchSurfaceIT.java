package io.evenkeel.kafka.container;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.metrics.ConsumerMeters;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
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
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.util.backoff.FixedBackOff;

/**
 * What stands around a batch listener: filters, interceptors that keep a batch back, an
 * error handler of the user's own, and the headers of its records.
 */
class BatchSurfaceIT {

	private static final String[] ERROR_HANDLING = {
			"spring.kafka.consumer.value-deserializer="
					+ "org.springframework.kafka.support.serializer.ErrorHandlingDeserializer",
			"spring.kafka.consumer.properties.spring.deserializer.value.delegate.class="
					+ "org.apache.kafka.common.serialization.LongDeserializer" };

	@ParameterizedTest
	@EnumSource
	void aFilterTakesRecordsOutOfABatch(Engine engine) {
		String topic = topic("batchfilter", "skip", "v1", "skip", "v3");
		Calls calls = new Calls();
		try (App app = App.of(Batches.class, Filter.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("v1,v3");
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
	}

	@Test
	void theIndexOfAFailureCountsWhatTheFilterHasLeft() {
		String topic = topic("batchindex", "skip", "fail", "v2");
		Calls calls = new Calls();
		try (App app = App.of(Batches.class, Filter.class)
			.bean(calls)
			.with("evenkeel.kafka.consumer.retry.max-attempts=2")
			.start(topic)) {
			calls.awaitExactly("fail,v2", "fail,v2", "v2");
			Topics.awaitCommitted(topic, topic, 0, 3);
			Assertions.assertThat(Topics.read(topic + "-dlt", 1))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("fail");
		}
	}

	@Test
	void anAsynchronousBatchThatIsKeptBackIsDone() {
		String topic = topic("batchkept", "keep-back");
		Calls calls = new Calls();
		try (App app = App.of(Async.class, KeepingBack.class).bean(calls).start(topic)) {
			Topics.awaitCommitted(topic, topic, 0, 1);
			Topics.send(topic, "v1");
			calls.awaitExactly("v1");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	@Test
	void anAsynchronousBatchThatIsFilteredAsAWholeIsDone() {
		String topic = topic("batchfiltered", "skip");
		Calls calls = new Calls();
		try (App app = App.of(Async.class, Filter.class).bean(calls).start(topic)) {
			Topics.awaitCommitted(topic, topic, 0, 1);
			Topics.send(topic, "v1");
			calls.awaitExactly("v1");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	@Test
	void aUsersErrorHandlerDecidesOnAsynchronousBatches() {
		String topic = topic("batchasyncuser", "fail", "v1");
		Calls calls = new Calls();
		try (App app = App.of(Async.class, WithDefault.class).bean(calls).start(topic)) {
			calls.awaitExactly("fail,v1", "fail,v1", "recovered fail", "recovered v1");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	/** A record behind the one that failed had no call that counts. */
	@Test
	void theHeadersSayWhichCallItIs() {
		String topic = topic("batchheaders", "fail", "v1");
		Calls calls = new Calls();
		try (App app = App.of(Headers.class)
			.bean(calls)
			.with("evenkeel.kafka.consumer.retry.max-attempts=2")
			.start(topic)) {
			calls.awaitExactly("fail 1 hello,v1 1 hello", "fail 2 hello,v1 1 hello", "v1 1 hello");
		}
	}

	@Test
	void repeatedCallsUnderAUsersErrorHandlerAreCounted() {
		String topic = topic("batchuserheaders", "fail", "v1");
		Calls calls = new Calls();
		try (App app = App.of(Headers.class, WithDefault.class, Meters.class).bean(calls).start(topic)) {
			calls.awaitExactly("fail 1 hello,v1 1 hello", "fail 2 hello,v1 2 hello", "recovered fail", "v1 3 hello");
			Assertions.assertThat(app.bean(MeterRegistry.class).get("evenkeel.consumer.retries").counter().count())
				.isEqualTo(3);
		}
	}

	@Test
	void repeatedCallsUnderARollbackProcessorAreCounted() {
		String topic = topic("batchrollback", "fail-twice", "v1");
		Calls calls = new Calls();
		try (App app = App.of(Headers.class, TransactionsIT.AfterRollback.class, Meters.class)
			.bean(calls)
			.with("spring.kafka.producer.transaction-id-prefix=" + topic + "-")
			.start(topic)) {
			calls.awaitExactly("fail-twice 1 hello,v1 1 hello", "fail-twice 2 hello,v1 2 hello",
					"fail-twice 3 hello,v1 3 hello");
			Assertions.assertThat(app.bean(MeterRegistry.class).get("evenkeel.consumer.retries").counter().count())
				.isEqualTo(4);
		}
	}

	@Test
	void aRecordThatWasNotDeserializedIsNoPartOfABatch() {
		String topic = topic("batchundeserialized", "12345678", "abc", "12345679");
		Calls calls = new Calls();
		try (App app = App.of(Longs.class).bean(calls).with(ERROR_HANDLING).start(topic)) {
			calls.awaitExactly("[3544952156018063160]", "[3544952156018063161]");
			Topics.awaitCommitted(topic, topic, 0, 3);
			Assertions.assertThat(Topics.read(topic + "-dlt", 1))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("abc");
		}
	}

	@Test
	void aUsersErrorHandlerDecidesOnRecordsThatWereNotDeserialized() {
		String topic = topic("batchundeserialized", "abc", "12345678");
		Calls calls = new Calls();
		try (App app = App.of(Longs.class, WithDefault.class).bean(calls).with(ERROR_HANDLING).start(topic)) {
			calls.awaitExactly("recovered null", "[3544952156018063160]");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	private static String topic(String prefix, String... values) {
		String topic = EmbeddedBroker.topic(prefix, 1);
		Topics.send(topic, values);
		return topic;
	}

	@Configuration(proxyBeanMethods = false)
	static class Batches {

		private final Calls calls;

		Batches(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<String> values) {
			this.calls.add(BatchListenersIT.join(values));
			if (values.contains("fail")) {
				throw new BatchListenerFailedException("fail", values.indexOf("fail"));
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
			this.calls.add(BatchListenersIT.join(values));
			return CompletableFuture.runAsync(() -> {
				if (values.contains("fail")) {
					throw new IllegalStateException("always");
				}
			});
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Headers {

		private final Calls calls;

		Headers(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true", info = "hello")
		void listen(List<ConsumerRecord<String, String>> records) {
			this.calls.add(BatchListenersIT.join(records.stream().map(Headers::text).toList()));
			if (records.get(0).value().equals("fail-twice") && this.calls.all().size() < 3) {
				throw new IllegalStateException("not yet");
			}
			if (records.get(0).value().equals("fail")) {
				throw new BatchListenerFailedException("fail", records.get(0));
			}
		}

		private static String text(ConsumerRecord<String, String> record) {
			byte[] attempt = record.headers().lastHeader(KafkaHeaders.DELIVERY_ATTEMPT).value();
			return record.value() + " " + ByteBuffer.wrap(attempt).getInt() + " "
					+ Topics.header(record, KafkaHeaders.LISTENER_INFO);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Longs {

		private final Calls calls;

		Longs(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<Long> values) {
			this.calls.add(values.toString());
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Filter {

		@Bean
		RecordFilterStrategy<Object, Object> filter() {
			return new RecordFilterStrategy<>() {

				@Override
				public boolean filter(ConsumerRecord<Object, Object> record) {
					return "skip".equals(record.value());
				}

				@Override
				public boolean ignoreEmptyBatch() {
					return true;
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class KeepingBack {

		@Bean
		ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> customizer() {
			BatchInterceptor<Object, Object> interceptor = new BatchInterceptor<>() {

				@Override
				public ConsumerRecords<Object, Object> intercept(ConsumerRecords<Object, Object> records,
						Consumer<Object, Object> consumer) {
					return "keep-back".equals(records.iterator().next().value()) ? null : records;
				}

			};
			return (container) -> container.setBatchInterceptor(interceptor);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithDefault {

		@Bean
		DefaultErrorHandler handler(Calls calls) {
			return new DefaultErrorHandler((record, failure) -> calls.add("recovered " + record.value()),
					new FixedBackOff(0, 1));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Meters {

		@Bean
		SimpleMeterRegistry registry() {
			return new SimpleMeterRegistry();
		}

		@Bean
		ConsumerMeters meters(MeterRegistry registry) {
			return new ConsumerMeters(registry);
		}

	}

}
