package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.event.ConsumerPausedEvent;
import org.springframework.kafka.event.ConsumerStoppingEvent;
import org.springframework.kafka.event.KafkaEvent;
import org.springframework.kafka.event.ListenerContainerIdleEvent;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerGroupSequencer;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * What listeners do with what they are given: their consumer, their container, its events
 * and the thread that they are called on.
 */
class WhatListenersRelyOnIT {

	private static final InheritableThreadLocal<String> TENANT = new InheritableThreadLocal<>();

	/** Red when a worker is made on whatever thread comes along. */
	@Test
	void nothingOfAnotherThreadIsSeenByTheRecordsToCome() {
		String topic = EmbeddedBroker.topic("inherited", 1);
		Topics.sendAll(topic, IntStream.range(0, 40).mapToObj((i) -> Map.entry("k" + i, "v" + i)).toList());
		try (App app = App.of(Tenants.class)
			.with("evenkeel.kafka.consumer.ordering=key", "spring.kafka.listener.concurrency=4",
					"spring.kafka.listener.async-acks=true")
			.start(topic)) {
			Tenants tenants = app.bean(Tenants.class);
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> tenants.seen.size() == 40);
			Assertions.assertThat(tenants.seen).containsOnly("none");
			Assertions.assertThat(tenants.loaders).containsExactly(app.context().getClassLoader());
		}
	}

	@ParameterizedTest
	@EnumSource
	void commitsOfTheListenerItself(Engine engine) {
		String topic = EmbeddedBroker.topic("usercommits", 1);
		Topics.send(topic, "a", "b", "c");
		Calls calls = new Calls();
		try (App app = App.of(Committing.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.ack-mode=manual")
			.start(topic)) {
			calls.await("a", "b", "c");
			Topics.awaitCommitted(topic, topic, 0, 3);
			Committing listener = app.bean(Committing.class);
			Assertions.assertThat(listener.groups).containsExactly(topic);
			Assertions.assertThat(listener.assigned).containsExactly(Set.of(new TopicPartition(topic, 0)));
			Assertions.assertThat(app.container("listener").getAssignmentsByClientId().keySet())
				.containsExactlyElementsOf(listener.clients);
		}
	}

	/** The owner sits in its poll meanwhile. */
	@Test
	void questionsAreAnsweredFromTheLastTurn() {
		String topic = EmbeddedBroker.topic("questions", 1);
		Topics.send(topic, "a");
		Calls calls = new Calls();
		try (App app = App.of(Asking.class).bean(calls).start(topic)) {
			calls.await("a");
			// A tenth of what one wait for the owner's poll costs, for each question.
			Assertions.assertThat(app.bean(Asking.class).nanos).isLessThan(TimeUnit.MILLISECONDS.toNanos(5_000));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "container", "registry", "callback", "context" })
	void aStopInsideAHandlerDoesNotMakeItsRecordRunAgain(String how) {
		String topic = EmbeddedBroker.topic("stopinside", 1);
		Topics.send(topic, "one", "two");
		Calls calls = new Calls();
		try (App app = App.of(Stopping.class)
			.bean(calls)
			.with("test.how=" + how, "evenkeel.kafka.consumer.rebalance.drain-timeout=20s")
			.start(topic)) {
			calls.await("stopped one");
			Awaitility.await()
				.atMost(Duration.ofSeconds(15))
				.untilAsserted(() -> Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(1));
			Assertions.assertThat(calls.all()).containsExactly("one", "stopped one");
			if (how.equals("context")) {
				return;
			}
			// One that was stopped stops nothing more when the application ends.
			app.bean(KafkaListenerEndpointRegistry.class).start();
			app.container("listener").start();
			calls.await("two");
			Assertions.assertThat(calls.count("one")).isEqualTo(1);
		}
	}

	@ParameterizedTest
	@EnumSource
	void groupsOfContainersFollowEachOther(Engine engine) {
		String topic = EmbeddedBroker.topic("sequence", 1);
		Topics.sendAll(topic, IntStream.range(0, 30).mapToObj((i) -> Map.entry("k" + i, "v" + i)).toList());
		Calls calls = new Calls();
		try (App app = App.of(Sequence.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.poll-timeout=50ms")
			.start(topic)) {
			calls.awaitSize(60);
			List<String> all = calls.all();
			Assertions.assertThat(all.subList(0, 30)).allMatch((call) -> call.startsWith("first"));
			Assertions.assertThat(all.subList(30, 60)).allMatch((call) -> call.startsWith("second"));
			Assertions.assertThat(app.bean(Sequence.class).wrong).isNull();
		}
	}

	@ParameterizedTest
	@EnumSource
	void eventsAreToldWhenTheyAreTrue(Engine engine) {
		String topic = EmbeddedBroker.topic("true", 1);
		Topics.send(topic, "held");
		try (App app = App.of(Told.class).on(engine).with("spring.kafka.listener.poll-timeout=50ms").start(topic)) {
			Told told = app.bean(Told.class);
			MessageListenerContainer container = app.container("listener");
			await(told.begun);
			container.pause();
			Awaitility.await().during(Duration.ofMillis(400)).until(() -> !told.order.contains("paused"));
			told.release.countDown();
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> told.order.contains("paused"));
			container.resume();
			told.begun = new CountDownLatch(1);
			told.release = new CountDownLatch(1);
			Topics.send(topic, "again");
			await(told.begun);
			container.stop(() -> told.order.add("stopped"));
			Awaitility.await().during(Duration.ofMillis(400)).until(() -> !told.order.contains("stopping"));
			told.release.countDown();
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> told.order.contains("stopped"));
			Assertions.assertThat(told.order)
				.containsExactly("handled held", "paused", "handled again", "stopping", "stopped");
		}
	}

	private static void await(CountDownLatch latch) {
		try {
			Assertions.assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Tenants {

		final ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();

		final Set<ClassLoader> loaders = ConcurrentHashMap.newKeySet();

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		CompletableFuture<Void> listen(String value) {
			this.seen.add((TENANT.get() != null) ? TENANT.get() : "none");
			this.loaders.add(Thread.currentThread().getContextClassLoader());
			CompletableFuture<Void> done = new CompletableFuture<>();
			// The thread that ends a call makes room for the next, and a worker for it.
			Thread thread = new Thread(() -> {
				TENANT.set("alice");
				Thread.currentThread().setContextClassLoader(null);
				done.complete(null);
			});
			thread.start();
			return done;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Committing {

		private final Calls calls;

		final Set<String> groups = ConcurrentHashMap.newKeySet();

		final Set<Set<TopicPartition>> assigned = ConcurrentHashMap.newKeySet();

		final Set<String> clients = ConcurrentHashMap.newKeySet();

		Committing(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(ConsumerRecord<String, String> record, Consumer<?, ?> consumer) {
			this.calls.add(record.value());
			this.groups.add(consumer.groupMetadata().groupId());
			this.assigned.add(consumer.assignment());
			this.clients.add(consumer.metrics().keySet().iterator().next().tags().get("client-id"));
			Map<TopicPartition, OffsetAndMetadata> offset = Map.of(new TopicPartition(record.topic(), 0),
					new OffsetAndMetadata(record.offset() + 1));
			if (record.offset() == 1) {
				consumer.commitAsync(offset, null);
			}
			else {
				consumer.commitSync(offset);
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Asking {

		private final Calls calls;

		volatile long nanos;

		Asking(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(ConsumerRecord<String, String> record, Consumer<?, ?> consumer) {
			TopicPartition partition = new TopicPartition(record.topic(), 0);
			long start = System.nanoTime();
			for (int i = 0; i < 500; i++) {
				consumer.groupMetadata();
				consumer.assignment();
				consumer.paused();
				consumer.position(partition);
				consumer.currentLag(partition);
				consumer.metrics();
				consumer.subscription();
			}
			this.nanos = System.nanoTime() - start;
			this.calls.add(record.value());
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Stopping {

		private final Calls calls;

		private final ConfigurableApplicationContext context;

		Stopping(Calls calls, ConfigurableApplicationContext context) {
			this.calls = calls;
			this.context = context;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
			if (!value.equals("one")) {
				return;
			}
			KafkaListenerEndpointRegistry registry = this.context.getBean(KafkaListenerEndpointRegistry.class);
			MessageListenerContainer container = registry.getListenerContainer("listener");
			switch (this.context.getEnvironment().getRequiredProperty("test.how")) {
				case "container" -> container.stop();
				case "registry" -> registry.stop();
				case "callback" -> {
					CountDownLatch over = new CountDownLatch(1);
					registry.stop(over::countDown);
					await(over);
				}
				default -> this.context.close();
			}
			this.calls.add("stopped " + value);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Sequence {

		private final Calls calls;

		volatile Throwable wrong;

		Sequence(Calls calls) {
			this.calls = calls;
		}

		@Bean
		static ContainerGroupSequencer sequencer(KafkaListenerEndpointRegistry registry) {
			return new ContainerGroupSequencer(registry, 300, "g1", "g2");
		}

		@KafkaListener(id = "first", idIsGroup = false, groupId = "${test.topic}1", topics = "${test.topic}",
				containerGroup = "g1", autoStartup = "false", concurrency = "1")
		void first(String value) throws InterruptedException {
			Thread.sleep(20);
			this.calls.add("first " + value);
		}

		@KafkaListener(id = "second", idIsGroup = false, groupId = "${test.topic}2", topics = "${test.topic}",
				containerGroup = "g2", autoStartup = "false", concurrency = "1")
		void second(String value) {
			this.calls.add("second " + value);
		}

		@EventListener
		void event(KafkaEvent event) {
			try {
				if (event instanceof ListenerContainerIdleEvent idle) {
					event.getSource(KafkaMessageListenerContainer.class);
					event.getContainer(ConcurrentMessageListenerContainer.class);
					Assertions.assertThat(idle.getListenerId()).endsWith("-0");
				}
				event.getSource(MessageListenerContainer.class);
				event.getContainer(MessageListenerContainer.class);
			}
			catch (RuntimeException | AssertionError ex) {
				this.wrong = ex;
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Told {

		final List<String> order = new CopyOnWriteArrayList<>();

		volatile CountDownLatch begun = new CountDownLatch(1);

		volatile CountDownLatch release = new CountDownLatch(1);

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.begun.countDown();
			await(this.release);
			this.order.add("handled " + value);
		}

		@EventListener
		void paused(ConsumerPausedEvent event) {
			this.order.add("paused");
		}

		@EventListener
		void stopping(ConsumerStoppingEvent event) {
			this.order.add("stopping");
		}

	}

}
