package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.aopalliance.intercept.MethodInterceptor;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.PartitionOffset;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.config.ContainerPostProcessor;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaListenerErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;
import org.springframework.kafka.requestreply.AggregatingReplyingKafkaTemplate;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.SendTo;

/**
 * The rest of what an annotated listener can do.
 */
class SurfaceIT {

	@ParameterizedTest
	@EnumSource
	void interceptorInItsOrder(Engine engine) {
		String topic = EmbeddedBroker.topic("intercept", 1);
		Topics.send(topic, "one", "skip", "class-cast", "two");
		Calls calls = new Calls();
		try (App app = App.of(Intercepted.class, UserErrorHandlersIT.WithDefault.class)
			.bean(calls)
			.on(engine)
			.start(topic)) {
			calls.await("after two");
			List<String> all = calls.all()
				.stream()
				.filter((call) -> !call.startsWith("failed") && !call.startsWith("recovered")
						&& !call.equals("after skip"))
				.toList();
			Assertions.assertThat(all)
				.containsExactly("intercept one", "listen one bound", "success one", "after one", "intercept skip",
						"success skip", "intercept class-cast", "listen class-cast bound", "failure class-cast",
						"after class-cast", "intercept two", "listen two bound", "success two", "after two");
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
	}

	@ParameterizedTest
	@EnumSource
	void filteredRecordsAreDone(Engine engine) {
		String topic = EmbeddedBroker.topic("filter", 1);
		Topics.send(topic, "one", "drop", "two", "drop");
		Calls calls = new Calls();
		try (App app = App.of(Filtered.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("one", "two");
			Topics.awaitCommitted(topic, topic, 0, 4);
		}
	}

	@Test
	void filteredRecordsAreDoneUnderManualAcknowledgmentToo() {
		String topic = EmbeddedBroker.topic("filterack", 1);
		Topics.send(topic, "drop", "one", "drop");
		Calls calls = new Calls();
		try (App app = App.of(FilteredManual.class, Filtered.Filter.class)
			.bean(calls)
			.with("spring.kafka.listener.ack-mode=manual", "spring.kafka.listener.async-acks=true")
			.start(topic)) {
			calls.awaitExactly("one");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@EnumSource
	void rebalanceListenerMaySeekAndPause(Engine engine) {
		String topic = EmbeddedBroker.topic("rebalance", 1);
		Topics.send(topic, "zero", "one", "two");
		Calls calls = new Calls();
		try (App app = App.of(Plain.class, Rebalanced.class).bean(calls).on(engine).start(topic)) {
			calls.await("two");
			app.container("listener").stop();
			Assertions.assertThat(calls.all())
				.containsExactly("assigned 1", "one", "two", "revoked before commit 1", "revoked after commit 1");
		}
		Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(3);
	}

	@ParameterizedTest
	@EnumSource
	void attributesOfTheAnnotation(Engine engine) {
		String topic = EmbeddedBroker.topic("attributes", 2);
		for (int i = 0; i < 4; i++) {
			Topics.send(topic, 0, null, "a" + i);
			Topics.send(topic, 1, null, "b" + i);
		}
		Calls calls = new Calls();
		try (App app = App.of(Attributes.class).bean(calls).on(engine).start(topic)) {
			calls.await("positions a2", "positions a3", "info hello", "pattern a0", "late a0 false", "filtered b0",
					"all batches", "recovered a0");
			Topics.awaitCommitted("manual", topic, 0, 1);
			Assertions.assertThat(calls.all()).doesNotContain("filtered a0");
			Assertions.assertThat(app.container("manual").getContainerProperties().getAckMode())
				.isEqualTo(AckMode.MANUAL_IMMEDIATE);
			Assertions.assertThat(calls.all())
				.doesNotContain("positions a0", "positions a1", "positions b2", "positions b3");
			MessageListenerContainer pattern = app.container("pattern");
			Assertions.assertThat(pattern.getGroupId()).isEqualTo("group-of-" + topic);
			Assertions.assertThat(pattern.getAssignmentsByClientId().keySet()).allMatch((id) -> id.startsWith("mine-"));
			Assertions.assertThat(pattern.metrics().keySet()).allMatch((id) -> id.startsWith("mine-"));
			Assertions.assertThat(((ConcurrentMessageListenerContainer<?, ?>) pattern).getConcurrency()).isEqualTo(2);
			Assertions.assertThat(pattern.getContainerProperties().isLogContainerConfig()).isTrue();
			Assertions.assertThat(pattern.getContainerProperties().getShutdownTimeout()).isEqualTo(4321);
			Assertions
				.assertThat(
						pattern.getContainerProperties().getKafkaConsumerProperties().getProperty("max.poll.records"))
				.isEqualTo("7");
		}
	}

	@ParameterizedTest
	@EnumSource
	@SuppressWarnings("unchecked")
	void requestAndReply(Engine engine) throws Exception {
		String topic = EmbeddedBroker.topic("request", 1);
		EmbeddedBroker.createTopic(topic + "-reply", 1, java.util.Map.of());
		try (App app = App.of(Replying.class).bean(new Calls()).on(engine).start(topic)) {
			ConcurrentKafkaListenerContainerFactory<Object, Object> factory = app.context()
				.getBean("kafkaListenerContainerFactory", ConcurrentKafkaListenerContainerFactory.class);
			ConcurrentMessageListenerContainer<Object, Object> replies = factory.createContainer(topic + "-reply");
			replies.getContainerProperties().setGroupId(topic + "-replies");
			ReplyingKafkaTemplate<Object, Object, Object> template = new ReplyingKafkaTemplate<>(
					app.bean(ProducerFactory.class), replies);
			template.start();
			try {
				Assertions.assertThat(template.waitForAssignment(Duration.ofSeconds(20))).isTrue();
				ConsumerRecord<Object, Object> reply = template
					.sendAndReceive(new ProducerRecord<>(topic, "ping"), Duration.ofSeconds(20))
					.get(30, TimeUnit.SECONDS);
				Assertions.assertThat(reply.value()).isEqualTo("pong to ping");
				// It is nobody's call.
				Assertions.assertThat(reply.headers().lastHeader(KafkaHeaders.DELIVERY_ATTEMPT)).isNull();
			}
			finally {
				template.destroy();
			}
		}
	}

	/** Two listeners answer each request, and the template acknowledges what it has. */
	@ParameterizedTest
	@EnumSource
	@SuppressWarnings("unchecked")
	void requestAndSeveralReplies(Engine engine) throws Exception {
		String topic = EmbeddedBroker.topic("requests", 1);
		EmbeddedBroker.createTopic(topic + "-reply", 1, java.util.Map.of());
		try (App app = App.of(Replying.class, ReplyingToo.class).bean(new Calls()).on(engine).start(topic)) {
			ConcurrentKafkaListenerContainerFactory<Object, Collection<ConsumerRecord<Object, Object>>> factory = app
				.context()
				.getBean("kafkaListenerContainerFactory", ConcurrentKafkaListenerContainerFactory.class);
			ConcurrentMessageListenerContainer<Object, Collection<ConsumerRecord<Object, Object>>> replies = factory
				.createContainer(topic + "-reply");
			replies.getContainerProperties().setGroupId(topic + "-replies");
			replies.getContainerProperties().setAckMode(ContainerProperties.AckMode.MANUAL_IMMEDIATE);
			AggregatingReplyingKafkaTemplate<Object, Object, Object> template = new AggregatingReplyingKafkaTemplate<>(
					app.bean(ProducerFactory.class), replies, (answers, timedOut) -> answers.size() == 2);
			template.start();
			try {
				Assertions.assertThat(template.waitForAssignment(Duration.ofSeconds(20))).isTrue();
				for (int i = 0; i < 3; i++) {
					Assertions
						.assertThat(
								template.sendAndReceive(new ProducerRecord<>(topic, "ping" + i), Duration.ofSeconds(20))
									.get(30, TimeUnit.SECONDS)
									.value())
						.extracting(ConsumerRecord::value)
						.containsExactlyInAnyOrder("pong to ping" + i, "pong too to ping" + i);
				}
				Topics.awaitCommitted(topic + "-replies", topic + "-reply", 0, 6);
			}
			finally {
				template.destroy();
			}
		}
	}

	@Test
	void lazyInitializationAndSeveralFactoriesAndTwoContexts() {
		String topic = EmbeddedBroker.topic("several", 2);
		Topics.send(topic, 0, null, "zero");
		Topics.send(topic, 1, null, "one");
		Calls calls = new Calls();
		try (App first = App.of(Several.class, OwnFactory.class)
			.bean(calls)
			.with("spring.main.lazy-initialization=true")
			.start(topic); App second = App.of(Plain.class).bean(calls).start(topic)) {
			first.bean(Several.class);
			calls.await("ours zero", "ours one", "springs zero", "springs one", "own zero", "own one", "zero", "one");
			Assertions.assertThat(first.container("ours")).isInstanceOf(EvenkeelContainer.class);
			Assertions.assertThat(first.container("springs"))
				.isExactlyInstanceOf(ConcurrentMessageListenerContainer.class);
			Assertions.assertThat(first.container("own")).isInstanceOf(EvenkeelContainer.class);
		}
	}

	@Test
	void theConsumerOfAListenerIsGuarded() {
		String topic = EmbeddedBroker.topic("guarded", 1);
		Topics.send(topic, "one", "rewind");
		Calls calls = new Calls();
		try (App app = App.of(WithConsumer.class).bean(calls).start(topic)) {
			calls.awaitExactly("one", "position ok", "refused", "rewind", "one", "position ok", "refused", "rewind");
			Topics.awaitCommitted(topic, topic, 0, 2);
			Assertions.assertThat(app.evenkeel("listener").snapshot().partitions().get(0).epoch()).isGreaterThan(1);
		}
	}

	@ParameterizedTest
	@EnumSource
	void settingsOfTheContainerProperties(Engine engine) {
		String topic = EmbeddedBroker.topic("settings", 1);
		Topics.send(topic, "one", "two");
		Calls calls = new Calls();
		try (App app = App.of(Plain.class, Customized.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.consumer.max-poll-records=1", "spring.kafka.listener.idle-between-polls=400ms")
			.start(topic)) {
			calls.await("two");
			Topics.awaitCommitted(topic, topic, 0, 2);
			calls.await("committed 2");
			Assertions.assertThat(calls.count("advice")).isEqualTo(2);
			Customized customized = app.bean(Customized.class);
			Assertions.assertThat(customized.between).isGreaterThan(Duration.ofMillis(300).toNanos());
		}
		try (org.apache.kafka.clients.admin.Admin admin = EmbeddedBroker.admin()) {
			OffsetAndMetadata committed = admin.listConsumerGroupOffsets(topic)
				.partitionsToOffsetAndMetadata()
				.get()
				.get(new TopicPartition(topic, 0));
			Assertions.assertThat(committed.metadata()).isEqualTo("metadata of listener");
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	@ParameterizedTest
	@EnumSource
	void timerOfTheListener(Engine engine) {
		String topic = EmbeddedBroker.topic("timer", 1);
		Topics.send(topic, "one", "two");
		Calls calls = new Calls();
		SimpleMeterRegistry registry = new SimpleMeterRegistry();
		try (App app = App.of(Plain.class).bean(calls).bean(registry).on(engine).start(topic)) {
			calls.awaitExactly("one", "two");
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.until(() -> registry.find("spring.kafka.listener")
					.tag("result", "success")
					.tag("name", "listener-0")
					.timer() != null
						&& registry.get("spring.kafka.listener").tag("result", "success").timer().count() == 2);
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
	static class Intercepted {

		private static final ThreadLocal<String> STATE = new ThreadLocal<>();

		private final Calls calls;

		Intercepted(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add("listen " + value + " " + STATE.get());
			FailuresIT.fail(value, 0);
		}

		@Bean
		static RecordInterceptor<Object, Object> interceptor(Calls calls) {
			return new RecordInterceptor<>() {

				@Override
				public void setupThreadState(Consumer<?, ?> consumer) {
					STATE.set("bound");
				}

				@Override
				public void clearThreadState(Consumer<?, ?> consumer) {
					STATE.remove();
				}

				@Override
				public ConsumerRecord<Object, Object> intercept(ConsumerRecord<Object, Object> record,
						Consumer<Object, Object> consumer) {
					calls.add("intercept " + record.value());
					return record.value().equals("skip") ? null : record;
				}

				@Override
				public void success(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
					calls.add("success " + record.value());
				}

				@Override
				public void failure(ConsumerRecord<Object, Object> record, Exception exception,
						Consumer<Object, Object> consumer) {
					calls.add("failure " + record.value());
				}

				@Override
				public void afterRecord(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
					calls.add("after " + record.value());
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Filtered extends Plain {

		Filtered(Calls calls) {
			super(calls);
		}

		@Configuration(proxyBeanMethods = false)
		static class Filter {

			@Bean
			RecordFilterStrategy<Object, Object> filter() {
				return (record) -> record.value().equals("drop");
			}

		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FilteredManual {

		private final Calls calls;

		FilteredManual(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value, Acknowledgment acknowledgment) {
			this.calls.add(value);
			acknowledgment.acknowledge();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Rebalanced {

		@Bean
		ConsumerAwareRebalanceListener rebalance(Calls calls) {
			return new ConsumerAwareRebalanceListener() {

				@Override
				public void onPartitionsAssigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
					calls.add("assigned " + partitions.size());
					partitions.forEach((partition) -> consumer.seek(partition, 1));
				}

				@Override
				public void onPartitionsRevokedBeforeCommit(Consumer<?, ?> consumer,
						Collection<TopicPartition> partitions) {
					calls.add("revoked before commit " + partitions.size());
				}

				@Override
				public void onPartitionsRevokedAfterCommit(Consumer<?, ?> consumer,
						Collection<TopicPartition> partitions) {
					calls.add("revoked after commit " + partitions.size());
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Attributes {

		private final Calls calls;

		private final KafkaListenerEndpointRegistry registry;

		private final AtomicInteger batched = new AtomicInteger();

		Attributes(Calls calls, KafkaListenerEndpointRegistry registry) {
			this.calls = calls;
			this.registry = registry;
		}

		@KafkaListener(id = "positions",
				topicPartitions = @org.springframework.kafka.annotation.TopicPartition(topic = "${test.topic}",
						partitionOffsets = { @PartitionOffset(partition = "0", initialOffset = "2"),
								@PartitionOffset(partition = "1", initialOffset = "-1", seekPosition = "END") }))
		void positions(String value) {
			this.calls.add("positions " + value);
		}

		@KafkaListener(id = "info", topics = "${test.topic}", info = "hello")
		void info(String value, @Header(KafkaHeaders.LISTENER_INFO) String info) {
			this.calls.add("info " + info);
		}

		@KafkaListener(id = "pattern", groupId = "#{'group-of-' + '${test.topic}'}", topicPattern = "${test.topic}.*",
				clientIdPrefix = "mine", concurrency = "${no.such.property:2}", properties = "max.poll.records=7",
				containerPostProcessor = "postProcessor")
		void pattern(String value) {
			this.calls.add("pattern " + value);
			if (this.calls.count("pattern a0") == 1 && value.equals("a0")) {
				this.registry.getListenerContainer("late").start();
			}
		}

		@KafkaListener(id = "filtered", topics = "${test.topic}", filter = "noA")
		void filtered(String value) {
			this.calls.add("filtered " + value);
		}

		@KafkaListener(id = "batches", topics = "${test.topic}", batch = "true", properties = "fetch.min.bytes=1")
		void batches(List<String> values) {
			if (this.batched.addAndGet(values.size()) == 8) {
				this.calls.add("all batches");
			}
		}

		@KafkaListener(id = "manual", topics = "${test.topic}", ackMode = "MANUAL_IMMEDIATE")
		void manual(String value, Acknowledgment acknowledgment) {
			if (value.equals("a0")) {
				acknowledgment.acknowledge();
			}
		}

		@KafkaListener(id = "recovered", topics = "${test.topic}", errorHandler = "recovers")
		void recovered(String value) {
			throw new IllegalStateException(value);
		}

		@Bean
		static KafkaListenerErrorHandler recovers(Calls calls) {
			return (message, failure) -> {
				calls.add("recovered " + message.getPayload());
				return null;
			};
		}

		/** By its name only: Boot gives the one filter there is to all listeners. */
		@Bean(defaultCandidate = false)
		static RecordFilterStrategy<Object, Object> noA() {
			return (record) -> record.value().toString().startsWith("a");
		}

		@KafkaListener(id = "late", topics = "${test.topic}", autoStartup = "false")
		void late(String value) {
			this.calls.add("late " + value + " " + this.registry.getListenerContainer("late").isAutoStartup());
		}

		@Bean
		static ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> customizer() {
			return (container) -> container.getContainerProperties().setLogContainerConfig(true);
		}

		@Bean
		static ContainerPostProcessor<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> postProcessor() {
			return (container) -> container.getContainerProperties().setShutdownTimeout(4321);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ReplyingToo {

		@KafkaListener(id = "replying-too", groupId = "${test.topic}-too", idIsGroup = false, topics = "${test.topic}")
		@SendTo
		String listen(String value) {
			return "pong too to " + value;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Replying {

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		@SendTo
		String answer(String value) {
			return "pong to " + value;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Several {

		private final Calls calls;

		Several(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "ours", topics = "${test.topic}")
		void ours(String value) {
			this.calls.add("ours " + value);
		}

		@KafkaListener(id = "springs", topics = "${test.topic}",
				containerFactory = "springKafkaListenerContainerFactory")
		void springs(String value) {
			this.calls.add("springs " + value);
		}

		@KafkaListener(id = "own", topics = "${test.topic}", containerFactory = "ownFactory")
		void own(String value) {
			this.calls.add("own " + value);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnFactory {

		@Bean
		ConcurrentKafkaListenerContainerFactory<Object, Object> ownFactory(
				ConsumerFactory<Object, Object> consumerFactory) {
			ConcurrentKafkaListenerContainerFactory<Object, Object> factory = new ConcurrentKafkaListenerContainerFactory<>();
			factory.setConsumerFactory(consumerFactory);
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithConsumer {

		private final Calls calls;

		private final String topic;

		WithConsumer(Calls calls, @Value("${test.topic}") String topic) {
			this.calls = calls;
			this.topic = topic;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value, Consumer<?, ?> consumer) {
			this.calls.add(value);
			TopicPartition partition = new TopicPartition(this.topic, 0);
			if (value.equals("one")) {
				this.calls.add((consumer.position(partition) == 0) ? "position ok" : "position wrong");
				try {
					consumer.commitSync();
				}
				catch (UnsupportedOperationException ex) {
					this.calls.add("refused");
				}
			}
			else if (this.calls.count("rewind") == 1) {
				consumer.seekToBeginning(List.of(partition));
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Customized {

		private volatile long last;

		volatile long between;

		@Bean
		ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> customizer(
				Calls calls) {
			return (container) -> {
				container.getContainerProperties().setSyncCommits(false);
				container.getContainerProperties()
					.setCommitCallback((offsets, failure) -> offsets.values()
						.forEach((offset) -> calls.add("committed " + offset.offset())));
				container.getContainerProperties()
					.setOffsetAndMetadataProvider((metadata, offset) -> new OffsetAndMetadata(offset,
							"metadata of " + metadata.getListenerId().replace("-0", "")));
				container.getContainerProperties().setAdviceChain((MethodInterceptor) (invocation) -> {
					if (invocation.getMethod().getName().equals("onMessage")) {
						calls.add("advice");
						long now = System.nanoTime();
						this.between = now - this.last;
						this.last = now;
					}
					return invocation.proceed();
				});
			};
		}

	}

}
