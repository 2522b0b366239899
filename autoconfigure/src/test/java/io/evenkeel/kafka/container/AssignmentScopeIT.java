package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import jakarta.annotation.PreDestroy;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.support.ScopeNotActiveException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;

/**
 * Beans that live as long as an assignment.
 */
class AssignmentScopeIT {

	@Test
	void oneInstanceForEachPartitionDestroyedWithIt() {
		String topic = EmbeddedBroker.topic("scope", 2);
		Topics.send(topic, 0, null, "a");
		Topics.send(topic, 0, null, "b");
		Topics.send(topic, 1, null, "c");
		Journal journal = new Journal();
		try (App app = App.of(Listener.class).bean(journal).start(topic)) {
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> journal.used.size() == 3);
			Assertions.assertThat(journal.made).hasValue(2);
			Assertions.assertThat(journal.used.stream().filter((use) -> use.startsWith("0:")).distinct()).hasSize(1);
			Assertions.assertThat(journal.destroyed).hasValue(0);
			// A seek begins a new assignment of the partition.
			app.evenkeel("listener").pausePartition(new org.apache.kafka.common.TopicPartition(topic, 1));
			app.bean(Listener.class).seek(topic, 0);
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> journal.used.size() == 5);
			Assertions.assertThat(journal.made).hasValue(3);
			Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> journal.destroyed.get() == 1);
			app.container("listener").stop();
			Assertions.assertThat(journal.destroyed).hasValue(3);
		}
	}

	@Test
	void anAbandonedHandlerKeepsItsInstance() throws Exception {
		String topic = EmbeddedBroker.topic("abandoned", 1);
		Topics.send(topic, "block");
		Journal journal = new Journal();
		try (App app = App.of(Listener.class)
			.bean(journal)
			.with("evenkeel.kafka.consumer.rebalance.drain-timeout=200ms")
			.start(topic)) {
			Assertions.assertThat(journal.blocked.await(30, TimeUnit.SECONDS)).isTrue();
			app.container("listener").stop();
			Assertions.assertThat(journal.destroyed).hasValue(0);
			journal.release.countDown();
			Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> journal.destroyed.get() == 1);
		}
	}

	@Test
	void continuationsFindTheirInstanceThroughTheObservation() {
		String topic = EmbeddedBroker.topic("continued", 1);
		Topics.send(topic, "a", "b");
		Journal journal = new Journal();
		try (App app = App.of(AsyncListener.class)
			.bean(journal)
			.with("spring.kafka.listener.observation-enabled=true")
			.start(topic)) {
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> journal.used.size() == 2);
			Assertions.assertThat(journal.made).hasValue(1);
			Assertions.assertThat(journal.used.stream().distinct()).hasSize(1);
		}
		Assertions.assertThat(journal.destroyed).hasValue(1);
	}

	@Test
	void outsideOfAHandlerTheErrorIsClear() {
		String topic = EmbeddedBroker.topic("outside", 1);
		try (App app = App.of(Listener.class).bean(new Journal()).start(topic)) {
			State state = app.bean(State.class);
			Assertions.assertThatThrownBy(state::number)
				.isInstanceOf(ScopeNotActiveException.class)
				.rootCause()
				.hasMessageContaining("runs no handler of an assigned partition");
		}
	}

	/** What happened to the instances. */
	static class Journal {

		final AtomicInteger made = new AtomicInteger();

		final AtomicInteger destroyed = new AtomicInteger();

		final Queue<String> used = new ConcurrentLinkedQueue<>();

		final CountDownLatch blocked = new CountDownLatch(1);

		final CountDownLatch release = new CountDownLatch(1);

	}

	/** The bean of the scope. */
	static class State {

		private Journal journal;

		private int number;

		State() {
			// For the proxy.
		}

		State(Journal journal) {
			this.journal = journal;
			this.number = journal.made.incrementAndGet();
		}

		int number() {
			return this.number;
		}

		@PreDestroy
		void destroy() {
			this.journal.destroyed.incrementAndGet();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class States {

		@Bean
		@AssignmentScope
		State state(Journal journal) {
			return new State(journal);
		}

	}

	@Configuration(proxyBeanMethods = false)
	@org.springframework.context.annotation.Import(States.class)
	static class Listener extends org.springframework.kafka.listener.AbstractConsumerSeekAware {

		private final Journal journal;

		private final State state;

		Listener(Journal journal, State state) {
			this.journal = journal;
			this.state = state;
		}

		void seek(String topic, int partition) {
			getSeekCallbacksFor(new org.apache.kafka.common.TopicPartition(topic, partition)).get(0)
				.seekToBeginning(topic, partition);
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(ConsumerRecord<String, String> record) throws InterruptedException {
			this.journal.used.add(record.partition() + ":" + this.state.number());
			if (record.value().equals("block")) {
				this.journal.blocked.countDown();
				this.journal.release.await();
				this.state.number();
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	@org.springframework.context.annotation.Import(States.class)
	static class AsyncListener {

		private final Journal journal;

		private final State state;

		private final ObservationRegistry observations;

		AsyncListener(Journal journal, State state, ObservationRegistry observations) {
			this.journal = journal;
			this.state = state;
			this.observations = observations;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		CompletableFuture<Void> listen(String value) {
			Observation observation = this.observations.getCurrentObservation();
			return CompletableFuture.runAsync(() -> {
				try (Observation.Scope scope = observation.openScope()) {
					this.journal.used.add(String.valueOf(this.state.number()));
				}
			});
		}

		@Bean
		static ObservationRegistry observationRegistry() {
			ObservationRegistry registry = ObservationRegistry.create();
			registry.observationConfig().observationHandler((context) -> true);
			return registry;
		}

	}

}
