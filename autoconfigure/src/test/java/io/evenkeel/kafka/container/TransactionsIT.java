package io.evenkeel.kafka.container;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.autoconfigure.EvenkeelProducerAutoConfiguration;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.producer.EvenkeelProducerFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.event.ConsumerStoppedEvent;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.DefaultAfterRollbackProcessor;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.Acknowledgment;
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

	/** Nothing of such a call is committed, and it would never be. */
	@ParameterizedTest
	@ValueSource(classes = { StockProducers.class, OurProducers.class })
	void aSendThatFailsWithoutTheListenersSayingSoIsAFailedCall(Class<?> producers) {
		String topic = topicWithHiddenFailures("txhidden");
		Calls calls = new Calls();
		try (App app = App.of(Hiding.class, producers)
			.bean(calls)
			.with(PREFIX + topic + "-", "evenkeel.kafka.consumer.retry.max-attempts=2")
			.start(topic)) {
			calls.awaitExactly("one", "hide-call", "hide-call", "hide-delivery", "hide-delivery", "two");
			Topics.awaitCommitted(topic, topic, 0, 4);
			Assertions.assertThat(Topics.read(topic + "-dlt", 2, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("hide-call", "hide-delivery");
			Assertions.assertThat(Topics.read(topic + "-out", 2, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("one", "two");
		}
	}

	@ParameterizedTest
	@EnumSource
	void theAfterRollbackProcessorHearsOfSendsThatFailUnseen(Engine engine) {
		String topic = topicWithHiddenFailures("txhiddenrecover");
		Calls calls = new Calls();
		try (App app = App.of(Hiding.class, AfterRollback.class)
			.bean(calls)
			.on(engine)
			.with(PREFIX + topic + "-")
			.start(topic)) {
			calls.awaitExactly("one", "hide-call", "hide-call", "hide-call", "hide-call", "recovered hide-call",
					"hide-delivery", "hide-delivery", "hide-delivery", "hide-delivery", "recovered hide-delivery",
					"two");
			Topics.awaitCommitted(topic, topic, 0, 4);
			Assertions.assertThat(Topics.read(topic + "-out", 2, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("one", "two");
		}
	}

	/** It was not asked inside of the transaction: there was nothing to ask about yet. */
	@Test
	void aUsersErrorHandlerHearsOfSendsThatFailUnseen() {
		String topic = topicWithHiddenFailures("txhiddenhandler");
		Calls calls = new Calls();
		try (App app = App.of(Hiding.class, Handler.class).bean(calls).with(PREFIX + topic + "-").start(topic)) {
			calls.awaitExactly("one", "hide-call", "hide-call", "hide-call", "recovered hide-call", "hide-delivery",
					"hide-delivery", "hide-delivery", "recovered hide-delivery", "two");
			Topics.awaitCommitted(topic, topic, 0, 4);
			Assertions.assertThat(Topics.read(topic + "-out", 4, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("one", "recovered", "recovered", "two");
		}
	}

	/** Nobody gives the record up, and it shows as a recovery that fails. */
	@Test
	void anErrorHandlerThatHidesAFailedSendIsAskedAgain() {
		String topic = topicWithHiddenFailures("txhidinghandler");
		Topics.send(topic, "fail-always", "three");
		Calls calls = new Calls();
		try (App app = App.of(Hiding.class, HidingHandler.class).bean(calls).with(PREFIX + topic + "-").start(topic)) {
			Awaitility.await()
				.atMost(Duration.ofSeconds(30))
				.until(() -> app.evenkeel("listener").recoveryFailingSince() != 0);
			calls.add("mended");
			calls.await("three");
			Topics.awaitCommitted(topic, topic, 0, 6);
			Assertions.assertThat(app.evenkeel("listener").recoveryFailingSince()).isZero();
			Assertions.assertThat(Topics.read(topic + "-out", 7, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("one", "recovered", "recovered", "two", "fail-always", "recovered", "three");
		}
	}

	/** One that stands beside the cluster's trouble is not given up for it. */
	@ParameterizedTest
	@CsvSource({ "false", "true" })
	void aCommitThatFailsForTheClusterIsNoAttemptOfTheRecord(boolean processor) {
		String topic = EmbeddedBroker.topic("txcluster", 1);
		EmbeddedBroker.createTopic(topic + "-out", 1, java.util.Map.of());
		Topics.send(topic, "fail-twice", "two");
		Calls calls = new Calls();
		try (App app = (processor ? App.of(Forwarding.class, TiredCoordinator.class, AfterRollback.class)
				: App.of(Forwarding.class, TiredCoordinator.class))
			.bean(calls)
			.with(PREFIX + topic + "-", "evenkeel.kafka.consumer.retry.max-attempts=3")
			.start(topic)) {
			// Failed twice, not committed five times, committed.
			calls.awaitExactly("fail-twice", "fail-twice", "fail-twice", "fail-twice", "fail-twice", "fail-twice",
					"fail-twice", "fail-twice", "two");
			Topics.awaitCommitted(topic, topic, 0, 2);
			Assertions.assertThat(Topics.read(topic + "-out", 2, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("fail-twice", "two");
		}
	}

	/** Somebody else has its transactional id, and the application wants to know. */
	@ParameterizedTest
	@EnumSource
	void aFencedProducerEndsTheListenerWhereThatIsWanted(Engine engine) {
		String topic = EmbeddedBroker.topic("txfenced", 1);
		EmbeddedBroker.createTopic(topic + "-out", 1, java.util.Map.of());
		Topics.send(topic, "one", "two");
		Calls calls = new Calls();
		try (App app = App.of(Forwarding.class, Fenced.class)
			.bean(calls)
			.on(engine)
			.with(PREFIX + topic + "-")
			.start(topic)) {
			calls.await("stopped FENCED");
			Assertions.assertThat(calls.count("one")).isEqualTo(1);
			Assertions.assertThat(calls.count("two")).isZero();
			// Spring's concurrent container goes on without its only child.
			if (engine == Engine.EVENKEEL) {
				Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !app.container("listener").isRunning());
				Assertions.assertThat(app.container("listener").isInExpectedState()).isFalse();
			}
		}
		Assertions.assertThat(Topics.committed(topic, topic, 0)).isLessThan(1);
	}

	private static String topicWithHiddenFailures(String prefix) {
		String topic = EmbeddedBroker.topic(prefix, 1);
		EmbeddedBroker.createTopic(topic + "-out", 1, java.util.Map.of());
		EmbeddedBroker.createTopic(topic + "-small", 1, java.util.Map.of("max.message.bytes", "1000"));
		Topics.send(topic, "one", "hide-call", "hide-delivery", "two");
		return topic;
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

	/** By declaration or by what it is: the offsets are stored when it has ended. */
	@Test
	void theTransactionOfABatchEndsWithItsFuture() {
		String topic = EmbeddedBroker.unique("txbatchfuture");
		for (String kind : List.of("-object", "-future")) {
			EmbeddedBroker.createTopic(topic + kind, 1, java.util.Map.of());
			Topics.send(topic + kind, "one", "two");
		}
		CallEndsIT.Futures futures = new CallEndsIT.Futures();
		try (App app = App.of(FutureBatches.class)
			.bean(futures)
			.with(PREFIX + topic + "-", "spring.kafka.consumer.max-poll-records=2")
			.start(topic)) {
			for (String kind : List.of("-object", "-future")) {
				CompletableFuture<Object> first = futures.await(kind, 1);
				Assertions.assertThat(Topics.committed(topic + kind, topic + kind, 0)).as(kind).isLessThan(1);
				first.completeExceptionally(new IllegalStateException("simulated"));
				CompletableFuture<Object> second = futures.await(kind, 2);
				Assertions.assertThat(Topics.committed(topic + kind, topic + kind, 0)).as(kind).isLessThan(1);
				second.complete(null);
				Awaitility.await(kind).atMost(Duration.ofSeconds(30)).until(() -> {
					futures.calls(kind).forEach((future) -> future.complete(null));
					return Topics.committed(topic + kind, topic + kind, 0) == 2;
				});
			}
		}
	}

	@ParameterizedTest
	@EnumSource
	void aUsersErrorHandlerIsAskedInsideTheTransaction(Engine engine) {
		String topic = EmbeddedBroker.topic("txhandler", 1);
		EmbeddedBroker.createTopic(topic + "-out", 1, java.util.Map.of());
		Topics.send(topic, "one", "fail-always", "fail-twice", "two");
		Calls calls = new Calls();
		try (App app = App.of(Forwarding.class, Handler.class)
			.bean(calls)
			.on(engine)
			.with(PREFIX + topic + "-")
			.start(topic)) {
			calls.awaitExactly("one", "fail-always", "fail-always", "fail-always", "recovered fail-always",
					"fail-twice", "fail-twice", "fail-twice", "two");
			Topics.awaitCommitted(topic, topic, 0, 4);
			Assertions.assertThat(Topics.read(topic + "-out", 4, "read_committed"))
				.extracting((record) -> Topics.text(record.value()))
				.containsExactly("one", "recovered", "fail-twice", "two");
		}
	}

	@ParameterizedTest
	@EnumSource
	void retryTopicsInTransactions(Engine engine) {
		String topic = EmbeddedBroker.topic("txretry", 1);
		Topics.send(topic, "fail-always", "fine");
		Calls calls = new Calls();
		try (App app = App.of(UserErrorHandlersIT.Retryable.class, UserErrorHandlersIT.Scheduler.class)
			.bean(calls)
			.on(engine)
			.with(PREFIX + topic + "-")
			.start(topic)) {
			calls.await("dlt fail-always", "fine@" + topic);
			Topics.awaitCommitted(topic, topic, 0, 2);
			Assertions.assertThat(calls.all().stream().filter((call) -> call.startsWith("fail-always"))).hasSize(3);
		}
	}

	/** spring-kafka takes MANUAL for granted in a transaction, acknowledged or not. */
	@ParameterizedTest
	@CsvSource({ "EVENKEEL,manual", "EVENKEEL,manual_immediate", "SPRING,manual_immediate" })
	void acknowledgmentsByHandGoIntoTheTransaction(Engine engine, String mode) {
		String topic = EmbeddedBroker.topic("txmanual", 1);
		Topics.send(topic, "v0", "ack-1", "fail-once", "nack-once", "v4");
		Calls calls = new Calls();
		try (App app = App.of(Acknowledging.class, AfterRollback.class)
			.bean(calls)
			.on(engine)
			.with(PREFIX + topic + "-", "spring.kafka.listener.ack-mode=" + mode)
			.start(topic)) {
			calls.awaitExactly("v0", "ack-1", "fail-once", "fail-once", "nack-once", "nack-once", "v4");
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
		// The last one was not acknowledged.
		Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(4);
	}

	@Test
	void anAcknowledgmentAfterTheTransactionIsRefused() {
		String topic = EmbeddedBroker.topic("txlate", 1);
		Topics.send(topic, "late", "ack");
		Calls calls = new Calls();
		try (App app = App.of(Acknowledging.class)
			.bean(calls)
			.with(PREFIX + topic + "-", "spring.kafka.listener.ack-mode=manual")
			.start(topic)) {
			calls.awaitExactly("late", "ack", "refused");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	@Test
	void theTransactionOfAnAsynchronousListenerEndsWithItsFuture() {
		String topic = EmbeddedBroker.topic("txasync", 1);
		Topics.send(topic, "one", "fail-twice", "two", "fail-always", "three");
		Calls calls = new Calls();
		try (App app = App.of(Later.class)
			.bean(calls)
			.with(PREFIX + topic + "-", "evenkeel.kafka.consumer.retry.max-attempts=3")
			.start(topic)) {
			calls.awaitExactly("one", "done one", "fail-twice", "fail-twice", "fail-twice", "done fail-twice", "two",
					"done two", "fail-always", "fail-always", "fail-always", "three", "done three");
			Topics.awaitCommitted(topic, topic, 0, 5);
			Assertions.assertThat(Topics.read(topic + "-dlt", 1, "read_committed")).hasSize(1);
		}
	}

	@Test
	void anErrorHandlerForBatchesInTransactionsIsRefused() {
		String topic = EmbeddedBroker.topic("txbatchhandler", 1);
		Assertions
			.assertThatThrownBy(() -> App.of(ForwardingBatches.class, Handler.class)
				.bean(new Calls())
				.with(PREFIX + topic + "-")
				.start(topic))
			.rootCause()
			.isInstanceOfSatisfying(InvalidSettingException.class, (refused) -> {
				Assertions.assertThat(refused.getSettings().get(0).name()).isEqualTo("CommonErrorHandler");
				Assertions.assertThat(refused.getAction()).contains("springKafkaListenerContainerFactory");
			});
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

	/** Sends, and does not look at how it went. */
	@Configuration(proxyBeanMethods = false)
	static class Hiding {

		private final Calls calls;

		private final KafkaTemplate<Object, Object> template;

		private final String topic;

		Hiding(Calls calls, KafkaTemplate<Object, Object> template, @Value("${test.topic}") String topic) {
			this.calls = calls;
			this.template = template;
			this.topic = topic;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
			this.template.send(this.topic + "-out", value);
			if (value.equals("hide-call")) {
				Assertions.assertThatException().isThrownBy(() -> this.template.send("not a topic", value));
			}
			else if (value.equals("hide-delivery")) {
				// The broker's limit is smaller than the client's.
				this.template.send(this.topic + "-small", "v".repeat(20_000));
			}
			FailuresIT.fail(value, 0);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class StockProducers {

	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration(EvenkeelProducerAutoConfiguration.class)
	static class OurProducers {

		OurProducers(ProducerFactory<?, ?> producers) {
			Assertions.assertThat(producers).isInstanceOf(EvenkeelProducerFactory.class);
		}

	}

	/** Five commits are not answered, more than a record has attempts. */
	@Configuration(proxyBeanMethods = false)
	static class TiredCoordinator {

		private final AtomicInteger commits = new AtomicInteger();

		@Bean
		DefaultKafkaProducerFactoryCustomizer tired() {
			return this::makeTired;
		}

		private <K, V> void makeTired(DefaultKafkaProducerFactory<K, V> factory) {
			factory.addPostProcessor(this::tired);
		}

		@SuppressWarnings("unchecked")
		private <K, V> Producer<K, V> tired(Producer<K, V> producer) {
			return (Producer<K, V>) Proxy.newProxyInstance(Producer.class.getClassLoader(),
					new Class<?>[] { Producer.class }, (proxy, method, args) -> {
						if (method.getName().equals("commitTransaction") && this.commits.incrementAndGet() <= 5) {
							// Left open, it would hide what comes after it.
							producer.abortTransaction();
							throw new TimeoutException("The coordinator did not answer");
						}
						try {
							return method.invoke(producer, args);
						}
						catch (InvocationTargetException ex) {
							throw ex.getCause();
						}
					});
		}

	}

	/** No commit comes through. */
	@Configuration(proxyBeanMethods = false)
	static class Fenced {

		@Bean
		DefaultKafkaProducerFactoryCustomizer fenced() {
			return this::fence;
		}

		@Bean
		static ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> stops() {
			return (container) -> container.getContainerProperties().setStopContainerWhenFenced(true);
		}

		@Bean
		static ApplicationListener<ConsumerStoppedEvent> stopped(Calls calls) {
			return (event) -> calls.add("stopped " + event.getReason());
		}

		private <K, V> void fence(DefaultKafkaProducerFactory<K, V> factory) {
			factory.addPostProcessor(this::fenced);
		}

		@SuppressWarnings("unchecked")
		private <K, V> Producer<K, V> fenced(Producer<K, V> producer) {
			return (Producer<K, V>) Proxy.newProxyInstance(Producer.class.getClassLoader(),
					new Class<?>[] { Producer.class }, (proxy, method, args) -> {
						if (method.getName().equals("commitTransaction")) {
							// Left open, it would hide what comes after it.
							producer.abortTransaction();
							throw new ProducerFencedException("simulated");
						}
						try {
							return method.invoke(producer, args);
						}
						catch (InvocationTargetException ex) {
							throw ex.getCause();
						}
					});
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

	/** Acknowledges what is called so, and the others' predecessors with it. */
	@Configuration(proxyBeanMethods = false)
	static class Acknowledging {

		private final Calls calls;

		private volatile Acknowledgment late;

		Acknowledging(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value, Acknowledgment acknowledgment) {
			this.calls.add(value);
			boolean again = this.calls.count(value) > 1;
			if (value.equals("fail-once") && !again) {
				acknowledgment.acknowledge();
				throw new IllegalStateException(value);
			}
			if (value.equals("nack-once") && !again) {
				acknowledgment.nack(Duration.ofMillis(10));
			}
			else if (value.equals("late")) {
				this.late = acknowledgment;
			}
			else if (!value.startsWith("v")) {
				Acknowledgment earlier = this.late;
				if (earlier != null) {
					Assertions.assertThatIllegalStateException().isThrownBy(earlier::acknowledge);
					this.calls.add("refused");
				}
				acknowledgment.acknowledge();
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Later {

		private final Calls calls;

		private final AtomicInteger twice = new AtomicInteger();

		Later(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		CompletableFuture<Void> listen(String value) {
			this.calls.add(value);
			return CompletableFuture.runAsync(() -> {
				FailuresIT.fail(value, value.equals("fail-twice") ? this.twice.incrementAndGet() : 0);
				this.calls.add("done " + value);
			}, CompletableFuture.delayedExecutor(20, TimeUnit.MILLISECONDS));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Handler {

		@Bean
		DefaultErrorHandler handler(Calls calls, KafkaTemplate<Object, Object> template,
				@Value("${test.topic}") String topic) {
			DefaultErrorHandler handler = new DefaultErrorHandler((record, failure) -> {
				calls.add("recovered " + record.value());
				template.send(topic + "-out", "recovered").join();
			}, new FixedBackOff(10, 2));
			// The client tells a refused record as itself or as the cause of another
			// exception, as it happens; the handler would begin to count anew.
			handler.setResetStateOnExceptionChange(false);
			return handler;
		}

	}

	/** Its sends fail for a while, and it does not look. */
	@Configuration(proxyBeanMethods = false)
	static class HidingHandler {

		@Bean
		DefaultErrorHandler handler(Calls calls, KafkaTemplate<Object, Object> template,
				@Value("${test.topic}") String topic) {
			AtomicBoolean broken = new AtomicBoolean();
			return new DefaultErrorHandler((record, failure) -> {
				calls.add("recovered " + record.value());
				// It is asked twice for each call; what it is mended for begins with the
				// first.
				if (calls.count("recovered fail-always") % 2 == 1) {
					broken.set(calls.count("mended") == 0);
				}
				if (record.value().equals("fail-always") && broken.get()) {
					template.send(topic + "-small", "v".repeat(20_000));
				}
				template.send(topic + "-out", "recovered");
			}, new FixedBackOff(0, 0));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FutureBatches {

		private final CallEndsIT.Futures futures;

		FutureBatches(CallEndsIT.Futures futures) {
			this.futures = futures;
		}

		@KafkaListener(id = "object", groupId = "${test.topic}-object", topics = "${test.topic}-object", batch = "true")
		Object object(List<String> values) {
			return this.futures.next("-object");
		}

		@KafkaListener(id = "future", groupId = "${test.topic}-future", topics = "${test.topic}-future", batch = "true")
		CompletableFuture<Object> future(List<String> values) {
			return this.futures.next("-future");
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
