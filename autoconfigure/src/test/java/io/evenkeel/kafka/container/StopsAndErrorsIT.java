package io.evenkeel.kafka.container;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.engine.EngineSnapshot;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.boot.kafka.autoconfigure.DefaultKafkaConsumerFactoryCustomizer;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.event.ListenerContainerIdleEvent;
import org.springframework.kafka.listener.CommonContainerStoppingErrorHandler;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.ConsumerSeekAware;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.Acknowledgment;

/**
 * A container from its start to its stop: what it waits for, what it survives, and what
 * it says.
 */
@ExtendWith(OutputCaptureExtension.class)
class StopsAndErrorsIT {

	private static final Duration LONG = Duration.ofSeconds(30);

	@Test
	void theEndOfTheApplicationWaitsForTheWholeDrain() {
		String topic = topic("lifedrain", 1, "v0");
		Calls calls = new Calls();
		try (App app = App.of(Slow.class, ShortShutdown.class).bean(calls).start(topic)) {
			calls.await("begin v0");
		}
		Assertions.assertThat(calls.all()).containsExactly("begin v0", "end v0");
		Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(1);
	}

	@Test
	void stopWaitsForTheDrainAndTheCommit() {
		String topic = topic("lifestop", 1);
		try (App app = App.of(Plain.class)
			.bean(new Calls())
			.with("evenkeel.kafka.consumer.rebalance.drain-timeout=20s")
			.start(topic)) {
			Assertions.assertThat(app.container("listener").getContainerProperties().getShutdownTimeout())
				.isEqualTo(26_000);
		}
	}

	@Test
	void anIdleCallbackThatThrowsCostsNothing() {
		String topic = topic("lifeidle", 1);
		Calls calls = new Calls();
		try (App app = App.of(FailingWhenIdle.class)
			.bean(calls)
			.with("spring.kafka.listener.idle-event-interval=100ms")
			.start(topic)) {
			calls.awaitSize(3);
			Assertions.assertThat(app.evenkeel("listener").rebalances()).hasSize(1);
			Assertions.assertThat(app.evenkeel("listener").restartCause()).isNull();
		}
	}

	/**
	 * The end of the application waits for the listener, which waits for its callback.
	 */
	@Test
	void aJobThatClosesItsApplicationWhenItIsIdleEnds() throws InterruptedException {
		String topic = topic("lifejob", 1, "v0");
		Calls calls = new Calls();
		try (App app = App.of(Plain.class, ClosesWhenIdle.class)
			.bean(calls)
			.with("spring.kafka.listener.idle-event-interval=100ms", "spring.lifecycle.timeout-per-shutdown-phase=1h")
			.start(topic)) {
			calls.await("closed");
			Assertions.assertThat(app.context().isActive()).isFalse();
		}
		Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(1);
	}

	@Test
	void anErrorHandlerThatRecoversAtLastIsNoFailureAnyMore() {
		String topic = topic("lifehandler", 1, "fail-always", "v1");
		Calls calls = new Calls();
		try (App app = App.of(Plain.class, FailingHandler.class).bean(calls).start(topic)) {
			Awaitility.await().atMost(LONG).until(() -> app.evenkeel("listener").recoveryFailingSince() != 0);
			calls.add("mended");
			calls.await("handled", "v1");
			Topics.awaitCommitted(topic, topic, 0, 2);
			Assertions.assertThat(app.evenkeel("listener").recoveryFailingSince()).isZero();
		}
	}

	@Test
	void aFailingRecoveryIsForgottenWithItsPartitionAndNotForAnother() {
		String topic = topic("liferecovery", 2);
		Topics.send(topic, 0, null, "fail-always");
		Topics.send(topic, 1, null, "fail-once-recovered");
		Calls calls = new Calls();
		try (App app = App.of(Plain.class, FailingRecoverer.class)
			.bean(calls)
			.with("evenkeel.kafka.consumer.retry.max-attempts=1", "evenkeel.kafka.consumer.concurrency=2")
			.start(topic)) {
			EvenkeelContainer<?, ?> container = app.evenkeel("listener");
			calls.await("recovering fail-always", "recovering fail-once-recovered");
			Topics.awaitCommitted(topic, topic, 1, 1);
			Assertions.assertThat(container.recoveryFailingSince()).isNotZero();
			container.stop();
			Assertions.assertThat(container.recoveryFailingSince()).isZero();
		}
	}

	@Test
	void theCommittedOffsetIsKnownWithoutTheMapToo() {
		String topic = topic("lifecommitted", 1, "v0");
		for (String save : new String[] { "true", "false" }) {
			try (App app = App.of(Plain.class)
				.bean(new Calls())
				.with("evenkeel.kafka.consumer.commit.save-completed=" + save)
				.start(topic)) {
				Awaitility.await()
					.atMost(LONG)
					.untilAsserted(() -> Assertions.assertThat(app.evenkeel("listener").snapshot().partitions())
						.extracting(EngineSnapshot.Partition::committed)
						.containsExactly(1L));
			}
		}
	}

	@Test
	void aRecovererWithADestinationOfItsOwnGetsNoOtherTopic() throws Exception {
		String topic = topic("lifedestination", 1, "fail-always");
		EmbeddedBroker.createTopic(topic + ".dead", 1, Map.of());
		try (App app = App.of(Plain.class, OwnDestination.class)
			.bean(new Calls())
			.with("evenkeel.kafka.consumer.retry.max-attempts=1")
			.start(topic)) {
			Topics.awaitCommitted(topic, topic, 0, 1);
			Assertions.assertThat(Topics.read(topic + ".dead", 1)).hasSize(1);
			try (Admin admin = EmbeddedBroker.admin()) {
				Assertions.assertThat(admin.listTopics().names().get()).doesNotContain(topic + "-dlt");
			}
		}
	}

	@Test
	void aUsersErrorHandlerIsAnnouncedOnce(CapturedOutput output) {
		String topic = topic("lifeannounced", 1);
		try (App app = App.of(Plain.class, Second.class, FailingHandler.class).bean(new Calls()).start(topic)) {
			app.container("listener").stop();
			app.container("listener").start();
		}
		Assertions.assertThat(output.getOut().split("takes the place of evenkeel.kafka.consumer.retry", -1)).hasSize(2);
	}

	@Test
	void aRebalanceThatBringsNothingIsNoEvent() {
		String topic = topic("lifeempty", 1);
		Calls calls = new Calls();
		try (App app = App.of(Plain.class, Rebalances.class)
			.bean(calls)
			.with("spring.kafka.consumer.properties.partition.assignment.strategy="
					+ "org.apache.kafka.clients.consumer.CooperativeStickyAssignor")
			.start(topic)) {
			calls.await("listener 1");
			app.container("listener").enforceRebalance();
			calls.await("listener 0");
			Assertions.assertThat(app.evenkeel("listener").rebalances()).hasSize(1);
			Assertions.assertThat(calls.all().stream().filter((call) -> call.startsWith("event")))
				.containsExactly("event 1");
		}
	}

	@ParameterizedTest
	@EnumSource
	void anErrorHandlerStopsTheContainerAtAnErrorOfTheConsumer(Engine engine) {
		String topic = topic("lifeother", 1);
		try (App app = App.of(Plain.class, Stopping.class, FailingConsumer.class)
			.bean(new Calls())
			.on(engine)
			.start(topic)) {
			MessageListenerContainer container = app.container("listener");
			Awaitility.await().atMost(LONG).until(() -> !container.isRunning());
			Assertions.assertThat(container.isInExpectedState()).isFalse();
		}
	}

	@Test
	void aListenerThatDoesNotAcknowledgeIsWarnedAbout(CapturedOutput output) {
		String topic = topic("lifeunacknowledged", 1, "never");
		try (App app = App.of(Manual.class)
			.bean(new Calls())
			.with("spring.kafka.listener.ack-mode=manual", "evenkeel.kafka.consumer.rebalance.drain-timeout=1s")
			.start(topic)) {
			Awaitility.await().atMost(LONG).until(() -> output.getOut().contains("Call acknowledge() for each record"));
		}
	}

	@Test
	void aListenerThatFailsAfterItsAcknowledgmentIsWarnedAbout(CapturedOutput output) {
		String topic = topic("lifeacknowledged", 1, "fail", "v1");
		Calls calls = new Calls();
		try (App app = App.of(Manual.class).bean(calls).with("spring.kafka.listener.ack-mode=manual").start(topic)) {
			Topics.awaitCommitted(topic, topic, 0, 2);
			calls.awaitExactly("fail", "v1");
			Assertions.assertThat(output.getOut()).contains(topic + "-0@0 and failed after that; it counts as done");
		}
	}

	private static String topic(String prefix, int partitions, String... values) {
		String topic = EmbeddedBroker.topic(prefix, partitions);
		Topics.send(topic, values);
		return topic;
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
			if (value.startsWith("fail")) {
				throw new IllegalStateException("always");
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Second {

		@KafkaListener(id = "second", topics = "${test.topic}")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Slow {

		private final Calls calls;

		Slow(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) throws InterruptedException {
			this.calls.add("begin " + value);
			Thread.sleep(2000);
			this.calls.add("end " + value);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Manual {

		private final Calls calls;

		Manual(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value, Acknowledgment acknowledgment) {
			this.calls.add(value);
			if (!value.equals("never")) {
				acknowledgment.acknowledge();
			}
			if (value.equals("fail")) {
				throw new IllegalStateException("too late");
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ClosesWhenIdle {

		@Bean
		static ApplicationListener<ListenerContainerIdleEvent> end(ConfigurableApplicationContext context,
				Calls calls) {
			return (event) -> {
				context.close();
				calls.add("closed");
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FailingWhenIdle implements ConsumerSeekAware {

		private final Calls calls;

		FailingWhenIdle(Calls calls) {
			this.calls = calls;
		}

		@Override
		public void onIdleContainer(Map<TopicPartition, Long> assignments, ConsumerSeekCallback callback) {
			this.calls.add("idle");
			throw new IllegalStateException("a mistake of the application");
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ShortShutdown {

		@Bean
		ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> customizer() {
			return (container) -> container.getContainerProperties().setShutdownTimeout(1000);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FailingHandler {

		@Bean
		CommonErrorHandler handler(Calls calls) {
			return new CommonErrorHandler() {

				@Override
				public boolean handleOne(Exception failure, ConsumerRecord<?, ?> record, Consumer<?, ?> consumer,
						MessageListenerContainer container) {
					if (calls.count("mended") == 0) {
						throw new IllegalStateException("the place for errors is away");
					}
					calls.add("handled");
					return true;
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FailingRecoverer {

		@Bean
		ConsumerRecordRecoverer recoverer(Calls calls) {
			return (record, failure) -> {
				calls.add("recovering " + record.value());
				if (record.value().equals("fail-always") || calls.count("recovering " + record.value()) == 1) {
					throw new IllegalStateException("the place for errors is away");
				}
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnDestination {

		@Bean
		DeadLetterPublishingRecoverer recoverer(KafkaTemplate<?, ?> template) {
			return new DeadLetterPublishingRecoverer(template,
					(record, failure) -> new TopicPartition(record.topic() + ".dead", 0));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Rebalances {

		private final Calls calls;

		Rebalances(Calls calls) {
			this.calls = calls;
		}

		@EventListener
		void assigned(PartitionsAssignedEvent event) {
			this.calls.add("event " + event.getPartitions().size());
		}

		@Bean
		ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> customizer() {
			ConsumerRebalanceListener listener = new ConsumerRebalanceListener() {

				@Override
				public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
					Rebalances.this.calls.add("listener " + partitions.size());
				}

				@Override
				public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
				}

			};
			return (container) -> container.getContainerProperties().setConsumerRebalanceListener(listener);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Stopping {

		@Bean
		CommonContainerStoppingErrorHandler handler() {
			return new CommonContainerStoppingErrorHandler();
		}

	}

	/** A poll of the first consumer with partitions fails. */
	@Configuration(proxyBeanMethods = false)
	static class FailingConsumer {

		@Bean
		DefaultKafkaConsumerFactoryCustomizer customizer() {
			AtomicBoolean failed = new AtomicBoolean();
			return (factory) -> failOnce(factory, failed);
		}

		private static <K, V> void failOnce(DefaultKafkaConsumerFactory<K, V> factory, AtomicBoolean failed) {
			factory.addPostProcessor((consumer) -> around(consumer, failed));
		}

		@SuppressWarnings("unchecked")
		private static <K, V> Consumer<K, V> around(Consumer<K, V> consumer, AtomicBoolean failed) {
			return (Consumer<K, V>) Proxy.newProxyInstance(StopsAndErrorsIT.class.getClassLoader(),
					new Class<?>[] { Consumer.class }, (proxy, method, args) -> {
						if (method.getName().equals("poll") && !consumer.assignment().isEmpty()
								&& failed.compareAndSet(false, true)) {
							throw new KafkaException("an error of the consumer");
						}
						try {
							return method.invoke(consumer, args);
						}
						catch (InvocationTargetException ex) {
							throw ex.getCause();
						}
					});
		}

	}

}
