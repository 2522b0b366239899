package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.event.KafkaEvent;
import org.springframework.kafka.event.ListenerContainerIdleEvent;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ListenerContainerPauseService;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.test.utils.ContainerTestUtils;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.stereotype.Component;

/**
 * Starting, pausing and stopping, and what is told of it.
 */
class ContainerLifeIT {

	private static void awaitAssigned(MessageListenerContainer container, int partitions) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(30))
			.until(() -> container.getAssignedPartitions() != null
					&& container.getAssignedPartitions().size() == partitions);
	}

	@ParameterizedTest
	@EnumSource
	void pauseAndResumeOfContainerAndPartition(Engine engine) {
		String topic = EmbeddedBroker.topic("pause", 2);
		Calls calls = new Calls();
		try (App app = App.of(SurfaceIT.Plain.class, Events.class, PauseService.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.poll-timeout=100ms")
			.start(topic)) {
			MessageListenerContainer container = app.container("listener");
			Events events = app.bean(Events.class);
			awaitAssigned(container, 2);
			app.bean(ListenerContainerPauseService.class).pause("listener", Duration.ofMinutes(10));
			events.await("ConsumerPausedEvent");
			Assertions.assertThat(container.isPauseRequested()).isTrue();
			Awaitility.await().atMost(Duration.ofSeconds(10)).until(container::isContainerPaused);
			Topics.send(topic, 0, null, "zero");
			app.bean(ListenerContainerPauseService.class).resume("listener");
			events.await("ConsumerResumedEvent");
			calls.await("zero");
			TopicPartition partition = new TopicPartition(topic, 1);
			container.pausePartition(partition);
			events.await("ConsumerPartitionPausedEvent");
			Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> container.isPartitionPaused(partition));
			Topics.send(topic, 1, null, "held");
			Topics.send(topic, 0, null, "flows");
			calls.await("flows");
			Assertions.assertThat(calls.all()).doesNotContain("held");
			container.resumePartition(partition);
			events.await("ConsumerPartitionResumedEvent");
			calls.await("held");
		}
	}

	@ParameterizedTest
	@EnumSource
	void eventsOfTheContainersLife(Engine engine) {
		String topic = EmbeddedBroker.topic("events", 1);
		Calls calls = new Calls();
		try (App app = App.of(SurfaceIT.Plain.class, Events.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.idle-event-interval=100ms",
					"spring.kafka.listener.idle-partition-event-interval=100ms",
					"spring.kafka.listener.poll-timeout=50ms")
			.start(topic)) {
			Events events = app.bean(Events.class);
			events.await("ConsumerStartingEvent");
			events.await("ConsumerStartedEvent");
			events.await("ListenerContainerIdleEvent");
			events.await("ListenerContainerPartitionIdleEvent");
			Topics.send(topic, "one");
			events.await("ListenerContainerNoLongerIdleEvent");
			events.await("ListenerContainerPartitionNoLongerIdleEvent");
			app.container("listener").stop();
			events.await("ConsumerStoppingEvent");
			events.await("ConsumerStoppedEvent");
			events.await("ConcurrentContainerStoppedEvent");
		}
	}

	@Test
	void aSilentOwnerIsTold() {
		String topic = EmbeddedBroker.topic("silent", 1);
		try (App app = App.of(SurfaceIT.Plain.class, Events.class, Blocking.class)
			.bean(new Calls())
			.with("spring.kafka.listener.idle-event-interval=100ms", "spring.kafka.listener.monitor-interval=1s",
					"spring.kafka.listener.poll-timeout=100ms")
			.start(topic)) {
			app.bean(Events.class).await("NonResponsiveConsumerEvent");
			app.bean(Blocking.class).release.countDown();
		}
	}

	@ParameterizedTest
	@EnumSource
	void missingTopicsAreFatalWhenAskedFor(Engine engine) {
		Assertions
			.assertThatThrownBy(() -> App.of(SurfaceIT.Plain.class)
				.bean(new Calls())
				.on(engine)
				.with("spring.kafka.listener.missing-topics-fatal=true")
				.start(EmbeddedBroker.unique("missing")))
			.rootCause()
			.hasMessageContaining("not present");
	}

	@Test
	void startedAndStoppedAHundredTimesWithoutALeakedThread() {
		String topic = EmbeddedBroker.topic("hundred", 1);
		Calls calls = new Calls();
		try (App app = App.of(SurfaceIT.Plain.class).bean(calls).start(topic)) {
			MessageListenerContainer container = app.container("listener");
			for (int i = 0; i < 100; i++) {
				container.stop();
				Assertions.assertThat(container.isRunning()).isFalse();
				container.start();
				if (i % 20 == 0) {
					Topics.send(topic, "v" + i);
					calls.await("v" + i);
				}
			}
			container.stop();
			Awaitility.await()
				.atMost(Duration.ofSeconds(20))
				.untilAsserted(() -> Assertions.assertThat(threads("listener-")).isEmpty());
			Assertions.assertThat(calls.all()).hasSize(5);
		}
	}

	private static Set<String> threads(String prefix) {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.map(Thread::getName)
			.filter((name) -> name.startsWith(prefix))
			.collect(Collectors.toSet());
	}

	/** The record in hand is the last one, however many were polled with it. */
	@ParameterizedTest
	@EnumSource
	void anImmediateStopBeginsNoOtherRecord(Engine engine) {
		String topic = EmbeddedBroker.topic("stopnow", 1);
		Topics.send(topic, "held", "one", "two");
		Calls calls = new Calls();
		try (App app = App.of(Held.class, Immediate.class).bean(calls).on(engine).start(topic)) {
			calls.await("held");
			MessageListenerContainer container = app.container("listener");
			CountDownLatch stopped = new CountDownLatch(1);
			container.stop(stopped::countDown);
			Awaitility.await().until(() -> !container.isRunning());
			app.bean(Held.class).release.countDown();
			Assertions.assertThat(stopped.await(20, TimeUnit.SECONDS)).isTrue();
			Assertions.assertThat(calls.all()).containsExactly("held");
			Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(1);
			container.start();
			calls.awaitExactly("held", "one", "two");
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * Two members of one listener would get in each other's way: the second waits. Red
	 * when the end of the first is taken for that of the second, which then can never be
	 * stopped.
	 */
	@Test
	void aStartDuringAStopWaitsForItsEnd() throws Exception {
		String topic = EmbeddedBroker.topic("startstop", 1);
		Topics.send(topic, "held", "one");
		Calls calls = new Calls();
		try (App app = App.of(Held.class).bean(calls).on(Engine.EVENKEEL).start(topic)) {
			calls.await("held");
			MessageListenerContainer container = app.container("listener");
			CountDownLatch stopped = new CountDownLatch(2);
			container.stop(stopped::countDown);
			container.stop(stopped::countDown);
			Assertions.assertThat(stopped.getCount()).isEqualTo(2);
			container.start();
			Assertions.assertThat(container.isRunning()).isTrue();
			Assertions.assertThat(calls.all()).containsExactly("held");
			app.bean(Held.class).release.countDown();
			Assertions.assertThat(stopped.await(20, TimeUnit.SECONDS)).isTrue();
			calls.awaitExactly("held", "one");
			Assertions.assertThat(container.isRunning()).isTrue();
			container.stop();
			Assertions.assertThat(container.isRunning()).isFalse();
			Topics.send(topic, 0, null, "two");
			container.start();
			container.stop();
			container.start();
			calls.awaitExactly("held", "one", "two");
		}
	}

	/** What spring-kafka's own test utilities wait with looks into a private field. */
	@ParameterizedTest
	@EnumSource
	void testUtilitiesWaitForTheAssignment(Engine engine) {
		String topic = EmbeddedBroker.topic("utils", 2);
		try (App app = App.of(SurfaceIT.Plain.class).bean(new Calls()).on(engine).start(topic)) {
			ContainerTestUtils.waitForAssignment(app.container("listener"), 2);
			Assertions.assertThat(app.container("listener").getAssignedPartitions()).hasSize(2);
		}
	}

	@ParameterizedTest
	@EnumSource
	void anImmediatePauseBeginsNoOtherRecord(Engine engine) {
		String topic = EmbeddedBroker.topic("pausenow", 1);
		Topics.send(topic, "held", "one", "two");
		Calls calls = new Calls();
		try (App app = App.of(Held.class, Immediate.class, Events.class).bean(calls).on(engine).start(topic)) {
			calls.await("held");
			MessageListenerContainer container = app.container("listener");
			container.pause();
			if (engine == Engine.EVENKEEL) {
				// Polling goes on while the record is in hand, so that is when it pauses.
				Awaitility.await().until(container::isContainerPaused);
			}
			app.bean(Held.class).release.countDown();
			Awaitility.await().until(container::isContainerPaused);
			Topics.awaitCommitted(topic, topic, 0, 1);
			Assertions.assertThat(calls.all()).containsExactly("held");
			container.resume();
			calls.awaitExactly("held", "one", "two");
		}
	}

	/** A registry that outlives its application, as a global one does. */
	@Test
	void metersGoWithTheirContext() {
		String topic = EmbeddedBroker.topic("meters", 1);
		SimpleMeterRegistry registry = new SimpleMeterRegistry();
		for (int start = 0; start < 2; start++) {
			Topics.send(topic, "v" + start);
			Calls calls = new Calls();
			try (App app = App.of(SurfaceIT.Plain.class).bean(calls).bean(registry).start(topic)) {
				calls.awaitExactly("v" + start);
				Topics.awaitCommitted(topic, topic, 0, start + 1);
			}
			// The owner lets the context go with its last act, so it may be a moment
			// behind.
			Awaitility.await()
				.atMost(Duration.ofSeconds(30))
				.untilAsserted(() -> Assertions.assertThat(threads("listener-")).isEmpty());
			Assertions
				.assertThat(registry.getMeters()
					.stream()
					.map((meter) -> meter.getId())
					.filter((id) -> id.getName().startsWith("evenkeel.") && id.getTag("partition") != null))
				.isEmpty();
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class PauseService {

		@Bean
		ListenerContainerPauseService pauseService(KafkaListenerEndpointRegistry registry) {
			ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
			scheduler.initialize();
			return new ListenerContainerPauseService(registry, scheduler);
		}

	}

	@Component
	static class Events {

		private final Calls events = new Calls();

		@EventListener
		void on(KafkaEvent event) {
			this.events.add(event.getClass().getSimpleName());
		}

		void await(String event) {
			this.events.await(event);
		}

	}

	/** Keeps the owner from polling. */
	@Component
	static class Blocking {

		final java.util.concurrent.CountDownLatch release = new java.util.concurrent.CountDownLatch(1);

		@EventListener
		void on(ListenerContainerIdleEvent event) throws InterruptedException {
			this.release.await(20, java.util.concurrent.TimeUnit.SECONDS);
		}

	}

	/** Keeps its first record until it is told. */
	@Configuration(proxyBeanMethods = false)
	static class Held {

		final CountDownLatch release = new CountDownLatch(1);

		private final Calls calls;

		Held(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) throws InterruptedException {
			this.calls.add(value);
			if (value.equals("held")) {
				this.release.await(20, TimeUnit.SECONDS);
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Immediate {

		@Bean
		ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> immediate() {
			return (container) -> {
				container.getContainerProperties().setStopImmediate(true);
				container.getContainerProperties().setPauseImmediate(true);
			};
		}

	}

}
