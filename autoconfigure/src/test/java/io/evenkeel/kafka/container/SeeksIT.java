package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.PartitionOffset;
import org.springframework.kafka.listener.AbstractConsumerSeekAware;
import org.springframework.kafka.listener.ConsumerSeekAware;
import org.springframework.kafka.listener.ConsumerSeekAware.ConsumerSeekCallback;

/**
 * Seeks of the application.
 */
class SeeksIT {

	static List<Arguments> seeks() {
		return Arrays.stream(Engine.values())
			.flatMap((engine) -> java.util.stream.Stream.of(
					arguments(engine, "offset", 2, (callback, topic) -> callback.seek(topic, 0, 2)),
					arguments(engine, "computed", 3,
							(callback, topic) -> callback.seek(topic, 0, (current) -> current - 2)),
					arguments(engine, "beginning", 0, (callback, topic) -> callback.seekToBeginning(topic, 0)),
					arguments(engine, "beginnings", 0,
							(callback, topic) -> callback.seekToBeginning(List.of(new TopicPartition(topic, 0)))),
					arguments(engine, "relative to current", 4,
							(callback, topic) -> callback.seekRelative(topic, 0, -1, true)),
					arguments(engine, "relative to end", 3,
							(callback, topic) -> callback.seekRelative(topic, 0, -2, false)),
					arguments(engine, "relative to beginning", 1,
							(callback, topic) -> callback.seekRelative(topic, 0, 1, false)),
					arguments(engine, "timestamp", 0, (callback, topic) -> callback.seekToTimestamp(topic, 0, 1)),
					arguments(engine, "end", 5, (callback, topic) -> callback.seekToEnd(topic, 0)),
					arguments(engine, "late timestamp", 5,
							(callback, topic) -> callback.seekToTimestamp(topic, 0,
									System.currentTimeMillis() + 1_000_000))))
			.toList();
	}

	private static Arguments arguments(Engine engine, String name, int from,
			BiConsumer<ConsumerSeekCallback, String> action) {
		return Arguments.of(engine, name, from, action);
	}

	@ParameterizedTest(name = "{0} {1}")
	@MethodSource("seeks")
	void seek(Engine engine, String name, int from, BiConsumer<ConsumerSeekCallback, String> action) {
		String topic = EmbeddedBroker.topic("seek", 1);
		Topics.send(topic, "v0", "v1", "v2", "v3", "v4");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.poll-timeout=100ms")
			.start(topic)) {
			calls.awaitSize(5);
			Topics.awaitCommitted(topic, topic, 0, 5);
			action.accept(app.bean(Listener.class).callback(topic), topic);
			calls.awaitSize(5 + 5 - from);
			// A seek to the end passes what was sent before it took effect.
			Awaitility.await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(300)).until(() -> {
				Topics.send(topic, "v5");
				return calls.count("v5") > 0;
			});
			Assertions.assertThat(calls.all().subList(5, calls.all().size()))
				.filteredOn((value) -> !value.equals("v5"))
				.containsExactlyElementsOf(List.of("v0", "v1", "v2", "v3", "v4").subList(from, 5));
		}
	}

	/**
	 * The client has fetched all of it when the first record is in hand, and waits at the
	 * end of the log for {@code fetch.max.wait.ms} before it fetches what the seek asks
	 * for: the idle interval is longer than that.
	 */
	@ParameterizedTest
	@EnumSource
	void aRelativeSeekInsideAListenerLosesNothing(Engine engine) {
		String topic = EmbeddedBroker.topic("seekinside", 1);
		Topics.sendAll(topic, IntStream.range(0, 100).mapToObj((i) -> Map.entry("k" + i, "v" + i)).toList());
		Calls calls = new Calls();
		try (App app = App.of(Relative.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.poll-timeout=100ms", "spring.kafka.listener.idle-event-interval=700ms",
					"spring.kafka.consumer.fetch-max-wait=100ms")
			.start(topic)) {
			Awaitility.await()
				.atMost(Duration.ofSeconds(30))
				.untilAsserted(() -> Assertions.assertThat(new HashSet<>(calls.all())).hasSize(100));
			Topics.awaitCommitted(topic, topic, 0, 100);
			// Once more what it went back to, and nothing pending when it was idle.
			Assertions.assertThat(calls.all().size()).isGreaterThan(100);
			Awaitility.await()
				.atMost(Duration.ofSeconds(30))
				.until(() -> app.bean(Relative.class).handledWhenIdle >= 0);
			Assertions.assertThat(app.bean(Relative.class).handledWhenIdle).isEqualTo(100);
			Assertions.assertThat(app.bean(Relative.class).idleAt)
				.isEqualTo(Map.of(new TopicPartition(topic, 0), 100L));
		}
	}

	@Test
	void aSeekIsANewAssignment() {
		String topic = EmbeddedBroker.topic("seekepoch", 1);
		Topics.send(topic, "v0", "v1");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class, Assigned.class).bean(calls).start(topic)) {
			calls.awaitSize(2);
			EvenkeelContainer<?, ?> container = app.evenkeel("listener");
			Assertions.assertThat(app.bean(Assigned.class).event.get().getPartitions())
				.containsExactly(new TopicPartition(topic, 0));
			// The listener has already moved it inside the callback: still one
			// assignment.
			long epoch = container.snapshot().partitions().get(0).epoch();
			Assertions.assertThat(app.bean(Assigned.class).event.get().getEpochs())
				.containsExactly(Map.entry(new TopicPartition(topic, 0), epoch));
			app.bean(Listener.class).callback(topic).seekToBeginning(topic, 0);
			calls.awaitSize(4);
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.until(() -> container.snapshot().partitions().get(0).epoch() > epoch);
		}
	}

	@Test
	void initialOffsetsCountMoreThanWhatWasCommitted() {
		String topic = EmbeddedBroker.topic("seekinitial", 1);
		Topics.send(topic, "v0", "v1", "v2");
		for (int start = 0; start < 2; start++) {
			Calls calls = new Calls();
			try (App app = App.of(FromTheFirst.class).bean(calls).start(topic)) {
				calls.awaitExactly("v1", "v2");
				Topics.awaitCommitted(topic, topic, 0, 3);
			}
		}
	}

	/** Remembers the last event. */
	static class Assigned {

		final AtomicReference<PartitionsAssignedEvent> event = new AtomicReference<>();

		@EventListener
		void on(PartitionsAssignedEvent event) {
			this.event.set(event);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Listener extends AbstractConsumerSeekAware {

		private final Calls calls;

		Listener(Calls calls) {
			this.calls = calls;
		}

		ConsumerSeekCallback callback(String topic) {
			return getSeekCallbacksFor(new TopicPartition(topic, 0)).get(0);
		}

		@Override
		public void onPartitionsAssigned(Map<TopicPartition, Long> assignments, ConsumerSeekCallback callback) {
			super.onPartitionsAssigned(assignments, callback);
			assignments.forEach((partition, offset) -> callback.seek(partition.topic(), partition.partition(), offset));
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Relative implements ConsumerSeekAware {

		private final ThreadLocal<ConsumerSeekCallback> callback = new ThreadLocal<>();

		private final Calls calls;

		volatile int handledWhenIdle = -1;

		volatile Map<TopicPartition, Long> idleAt = Map.of();

		Relative(Calls calls) {
			this.calls = calls;
		}

		@Override
		public void registerSeekCallback(ConsumerSeekCallback callback) {
			this.callback.set(callback);
		}

		@Override
		public void onIdleContainer(Map<TopicPartition, Long> assignments, ConsumerSeekCallback callback) {
			if (!this.calls.all().isEmpty() && this.handledWhenIdle < 0) {
				this.idleAt = assignments;
				this.handledWhenIdle = new HashSet<>(this.calls.all()).size();
			}
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(ConsumerRecord<String, String> record) throws InterruptedException {
			boolean first = this.calls.count(record.value()) == 0;
			Thread.sleep(10);
			this.calls.add(record.value());
			if (record.offset() == 10 && first) {
				this.callback.get().seekRelative(record.topic(), 0, -1, true);
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FromTheFirst {

		private final Calls calls;

		FromTheFirst(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false,
				topicPartitions = @org.springframework.kafka.annotation.TopicPartition(topic = "${test.topic}",
						partitionOffsets = @PartitionOffset(partition = "0", initialOffset = "1")))
		void listen(String value) {
			this.calls.add(value);
		}

	}

}
