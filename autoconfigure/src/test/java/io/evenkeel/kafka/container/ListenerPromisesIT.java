package io.evenkeel.kafka.container;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.event.ConcurrentContainerStoppedEvent;
import org.springframework.kafka.event.ListenerContainerIdleEvent;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerGroupSequencer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerAwareListenerErrorHandler;
import org.springframework.kafka.listener.ConsumerSeekAware;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.kafka.support.micrometer.KafkaRecordReceiverContext;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionSystemException;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.util.backoff.FixedBackOff;

/**
 * What spring-kafka's manual and its own tests promise a listener, under both containers.
 */
class ListenerPromisesIT {

	@ParameterizedTest
	@EnumSource
	void whatACallbackIsToldTheContainerKnows(Engine engine) {
		String topic = EmbeddedBroker.topic("told", 2);
		Calls calls = new Calls();
		try (App app = App.of(ByHand.class).bean(calls).on(engine).start(topic)) {
			Assertions.assertThat(app.container("byhand").getAssignedPartitions())
				.containsExactly(new TopicPartition(topic, 1));
			MessageListenerContainer container = app.bean(ConcurrentKafkaListenerContainerFactory.class)
				.createContainer(topic);
			container.getContainerProperties().setGroupId(topic + "-told");
			container.setupMessageListener(new Told(calls, container));
			container.start();
			try {
				calls.awaitExactly("assigned 2", "first poll 2");
			}
			finally {
				container.stop();
			}
		}
	}

	@ParameterizedTest
	@EnumSource
	void observationsNameListenerClientGroupAndCluster(Engine engine) {
		String topic = EmbeddedBroker.topic("observed", 1);
		Observed observed = new Observed();
		try (App app = App.of(Listener.class, WithObservations.class)
			.bean(new Calls())
			.bean(observed)
			.on(engine)
			.with("spring.kafka.listener.observation-enabled=true", "spring.kafka.client-id=observing")
			.start(topic)) {
			Awaitility.await().until(() -> !app.container("listener").getAssignedPartitions().isEmpty());
			Topics.send(topic, "one", "two");
			Awaitility.await().untilAsserted(() -> {
				Assertions.assertThat(observed.seen).hasSizeGreaterThanOrEqualTo(2);
				Assertions.assertThat(observed.last())
					.contains("remote=Apache Kafka: " + clusterId(), "spring.kafka.listener.id=listener-0",
							"messaging.kafka.client_id=observing-0",
							"messaging.consumer.id=" + topic + " - observing-0",
							"messaging.kafka.consumer.group=" + topic, "messaging.source.name=" + topic,
							"messaging.kafka.source.partition=0");
			});
		}
	}

	@ParameterizedTest
	@EnumSource
	void transactionsOfAManagerThatIsNotKafkas(Engine engine) {
		String topic = EmbeddedBroker.topic("plaintx", 1);
		Topics.send(topic, "one", "skip", "fail", "uncommitted", "two");
		Calls calls = new Calls();
		try (App app = App.of(FailsOnce.class, WithPlainTransactions.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("begin", "one", "commit", "begin", "fail", "rollback", "begin", "fail", "commit",
					"begin", "uncommitted", "commit", "begin", "uncommitted", "commit", "begin", "two", "commit");
			Topics.awaitCommitted(topic, topic, 0, 5);
		}
	}

	@ParameterizedTest
	@EnumSource
	void whatIsAcknowledgedInATransactionThatIsRolledBackComesAgain(Engine engine) {
		String topic = EmbeddedBroker.topic("manualtx", 1);
		Topics.send(topic, "one", "fail", "two");
		Calls calls = new Calls();
		try (App app = App.of(AcknowledgesAndFails.class, WithPlainTransactions.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.ack-mode=manual")
			.start(topic)) {
			calls.awaitExactly("begin", "one", "commit", "begin", "fail", "rollback", "begin", "fail", "commit",
					"begin", "two", "commit");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@EnumSource
	void eventsComeFromTheChildAndThreadsHaveItsName(Engine engine) {
		String topic = EmbeddedBroker.topic("child", 1);
		Topics.send(topic, "one");
		Calls calls = new Calls();
		try (App app = App.of(NamesThreads.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.idle-event-interval=100ms")
			.start(topic)) {
			calls.await("one on my.listener-0", "listener-0 of listener is idle");
			ConcurrentMessageListenerContainer<?, ?> container = (ConcurrentMessageListenerContainer<?, ?>) app
				.container("listener");
			Assertions.assertThat(container.getContainers())
				.singleElement()
				.satisfies((child) -> Assertions.assertThat(child.getAssignedPartitions()).hasSize(1));
			container.stop();
			calls.await("listener stopped");
		}
	}

	@ParameterizedTest
	@EnumSource
	void groupsOfContainersRunOneAfterTheOther(Engine engine) {
		String topic = EmbeddedBroker.topic("sequence", 1);
		Topics.send(topic, "one");
		Calls calls = new Calls();
		try (App app = App.of(Groups.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("first one", "second one");
			Awaitility.await().until(() -> !app.container("second").isRunning());
			Assertions.assertThat(app.container("first").isRunning()).isFalse();
			app.container("first").start();
			Topics.send(topic, "two");
			calls.awaitExactly("first one", "second one", "first two");
		}
	}

	private static String clusterId() {
		try (Admin admin = EmbeddedBroker.admin()) {
			return admin.describeCluster().clusterId().get();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	@ParameterizedTest
	@EnumSource
	void eachRecordOfABatchIsObserved(Engine engine) {
		String topic = EmbeddedBroker.topic("batchobserved", 1);
		Topics.send(topic, "one", "two");
		Observed observed = new Observed();
		try (App app = App.of(Batches.class, WithObservations.class)
			.bean(observed)
			.on(engine)
			.with("spring.kafka.listener.observation-enabled=true", "spring.kafka.listener.type=batch")
			.start(topic)) {
			Topics.awaitCommitted(topic, topic, 0, 2);
			Assertions.assertThat(observed.seen)
				.hasSize(2)
				.allSatisfy((values) -> Assertions.assertThat(values).contains("spring.kafka.listener.id=listener-0"));
		}
	}

	@ParameterizedTest
	@EnumSource
	void whatAHandlerHasHandledAndDoesNotAcknowledgeIsNotCommitted(Engine engine) {
		String topic = EmbeddedBroker.topic("unacked", 1);
		Topics.send(topic, "one", "fail");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class, WithoutAcknowledgment.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("one", "fail", "handled");
		}
		Assertions.assertThat(Topics.committed(topic, topic, 0)).isEqualTo(1);
		try (App app = App.of(Listener.class, WithoutAcknowledgment.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("one", "fail", "handled", "fail", "handled");
			Topics.send(topic, "two");
			Topics.awaitCommitted(topic, topic, 0, 3);
		}
	}

	@ParameterizedTest
	@EnumSource
	void aDefaultErrorHandlerThatIsExtendedIsAskedForTheRemainingRecords(Engine engine) {
		String topic = EmbeddedBroker.topic("remaining", 1);
		Topics.send(topic, "fail", "two");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class, WithExtension.class).bean(calls).on(engine).start(topic)) {
			calls.awaitExactly("fail", "remaining", "fail", "remaining", "recovered", "two");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	@ParameterizedTest
	@EnumSource
	void aRecovererWorksInTheScopeOfTheCallThatFailed(Engine engine) {
		String topic = EmbeddedBroker.topic("scope", 1);
		Topics.send(topic, "later");
		Calls calls = new Calls();
		try (App app = App.of(FailsLater.class, WithObservations.class, WithScopes.class)
			.bean(calls)
			.bean(new Observed())
			.on(engine)
			.with("spring.kafka.listener.observation-enabled=true")
			.start(topic)) {
			calls.awaitExactly("later in a scope");
		}
	}

	@ParameterizedTest
	@EnumSource
	void anErrorHandlerOfTheListenerSeeksToTheBatchThatFailed(Engine engine) {
		String topic = EmbeddedBroker.topic("seeksbatch", 1);
		Topics.send(topic, "one", "two");
		Calls calls = new Calls();
		try (App app = App.of(SeeksBack.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.listener.type=batch")
			.start(topic)) {
			calls.awaitExactly("failed", "[one, two]");
			Topics.awaitCommitted(topic, topic, 0, 2);
		}
	}

	@ParameterizedTest
	@EnumSource
	void whatAnErrorHandlerGetsIsNestedAlike(Engine engine) {
		String topic = EmbeddedBroker.topic("nested", 1);
		Topics.send(topic, "fail", "poison");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class, ByHandBatches.class, WithNesting.class)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.consumer.value-deserializer=" + ErrorHandlingDeserializer.class.getName(),
					"spring.kafka.consumer.properties.spring.deserializer.value.delegate.class="
							+ Poisoned.class.getName())
			.start(topic)) {
			calls.await("ListenerExecutionFailedException of " + topic + " < IllegalStateException",
					"ListenerExecutionFailedException of " + topic + " < DeserializationException",
					"ListenerExecutionFailedException of " + topic + "-batch < BatchListenerFailedException");
		}
	}

	/** Looks into its container whenever it is told something. */
	record Told(Calls calls,
			MessageListenerContainer container) implements MessageListener<Object, Object>, ConsumerSeekAware {

		@Override
		public void onMessage(ConsumerRecord<Object, Object> data) {
		}

		@Override
		public void onPartitionsAssigned(Map<TopicPartition, Long> assignments, ConsumerSeekCallback callback) {
			this.calls.add("assigned " + this.container.getAssignedPartitions().size());
		}

		@Override
		public void onFirstPoll() {
			this.calls.add("first poll " + this.container.getAssignedPartitions().size());
		}

	}

	/** What observations say of calls. */
	static class Observed implements ObservationHandler<Observation.Context> {

		private final List<List<String>> seen = new CopyOnWriteArrayList<>();

		@Override
		public void onStop(Observation.Context context) {
			if (context instanceof KafkaRecordReceiverContext receiver) {
				List<String> values = new ArrayList<>();
				values.add("remote=" + receiver.getRemoteServiceName());
				context.getAllKeyValues().forEach((value) -> values.add(value.getKey() + "=" + value.getValue()));
				this.seen.add(values);
			}
		}

		@Override
		public boolean supportsContext(Observation.Context context) {
			return true;
		}

		List<String> last() {
			return this.seen.get(this.seen.size() - 1);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithObservations {

		@Bean
		ObservationRegistry observationRegistry(Observed observed) {
			ObservationRegistry registry = ObservationRegistry.create();
			registry.observationConfig().observationHandler(observed);
			return registry;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Listener {

		private final Calls calls;

		Listener(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", topics = "${test.topic}", idIsGroup = false)
		void listen(String value) {
			this.calls.add(value);
			if (value.startsWith("fail")) {
				throw new IllegalStateException(value);
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class NamesThreads {

		private final Calls calls;

		NamesThreads(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", topics = "${test.topic}", idIsGroup = false)
		void listen(String value) {
			this.calls.add(value + " on " + Thread.currentThread().getName());
		}

		@EventListener(condition = "event.listenerId.startsWith('listener-')")
		void idle(ListenerContainerIdleEvent event) {
			this.calls.add(event.getSource(KafkaMessageListenerContainer.class).getListenerId() + " of "
					+ event.getContainer(ConcurrentMessageListenerContainer.class).getListenerId() + " is idle");
		}

		@EventListener
		void stopped(ConcurrentContainerStoppedEvent event) {
			this.calls.add(event.getSource(ConcurrentMessageListenerContainer.class).getListenerId() + " stopped");
		}

		@Bean
		static ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> names() {
			return (container) -> {
				container.setChangeConsumerThreadName(true);
				container.setThreadNameSupplier((child) -> "my." + child.getListenerId());
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Groups {

		private final Calls calls;

		Groups(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "first", topics = "${test.topic}", containerGroup = "g1")
		void first(String value) {
			this.calls.add("first " + value);
		}

		@KafkaListener(id = "second", topics = "${test.topic}", containerGroup = "g2")
		void second(String value) {
			this.calls.add("second " + value);
		}

		@Bean
		static ContainerGroupSequencer sequencer(KafkaListenerEndpointRegistry registry) {
			ContainerGroupSequencer sequencer = new ContainerGroupSequencer(registry, 300, "g1", "g2");
			sequencer.setStopLastGroupWhenIdle(true);
			return sequencer;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FailsOnce {

		private final Calls calls;

		FailsOnce(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", topics = "${test.topic}", idIsGroup = false)
		void listen(String value) {
			this.calls.add(value);
			if (value.equals("fail") && this.calls.count("fail") == 1) {
				throw new IllegalStateException(value);
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class AcknowledgesAndFails {

		private final Calls calls;

		AcknowledgesAndFails(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", topics = "${test.topic}", idIsGroup = false)
		void listen(String value, Acknowledgment acknowledgment) {
			this.calls.add(value);
			acknowledgment.acknowledge();
			if (value.equals("fail") && this.calls.count("fail") == 1) {
				throw new IllegalStateException(value);
			}
		}

	}

	/** Stands for the database of the application. */
	@Configuration(proxyBeanMethods = false)
	static class WithPlainTransactions {

		@Bean
		@SuppressWarnings({ "deprecation", "removal" })
		ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> transactions(
				Calls calls) {
			return (container) -> {
				container.getContainerProperties().setTransactionManager(new NotedTransactions(calls));
				container.setRecordInterceptor((record, consumer) -> "skip".equals(record.value()) ? null : record);
			};
		}

	}

	/** Notes what becomes of transactions, and cannot commit one. */
	static class NotedTransactions extends AbstractPlatformTransactionManager {

		private static final long serialVersionUID = 1L;

		private final transient Calls calls;

		NotedTransactions(Calls calls) {
			this.calls = calls;
		}

		@Override
		protected Object doGetTransaction() {
			return this;
		}

		@Override
		protected void doBegin(Object transaction, TransactionDefinition definition) {
			this.calls.add("begin");
		}

		@Override
		protected void doCommit(DefaultTransactionStatus status) {
			this.calls.add("commit");
			if (this.calls.count("uncommitted") == 1 && this.calls.count("two") == 0) {
				throw new TransactionSystemException("cannot commit");
			}
		}

		@Override
		protected void doRollback(DefaultTransactionStatus status) {
			this.calls.add("rollback");
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Batches {

		@KafkaListener(id = "listener", topics = "${test.topic}", idIsGroup = false)
		void listen(List<String> values) {
		}

		@Bean
		static ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> observes() {
			return (container) -> container.getContainerProperties().setRecordObservationsInBatch(true);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SeeksBack {

		private final Calls calls;

		SeeksBack(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", topics = "${test.topic}", idIsGroup = false, errorHandler = "seeks")
		void listen(List<String> values) {
			if (this.calls.all().isEmpty()) {
				this.calls.add("failed");
				throw new IllegalStateException("again");
			}
			this.calls.add(values.toString());
		}

		@Bean
		static ConsumerAwareListenerErrorHandler seeks() {
			return (message, failure, consumer) -> {
				List<?> topics = message.getHeaders().get(KafkaHeaders.RECEIVED_TOPIC, List.class);
				List<?> partitions = message.getHeaders().get(KafkaHeaders.RECEIVED_PARTITION, List.class);
				List<?> offsets = message.getHeaders().get(KafkaHeaders.OFFSET, List.class);
				consumer.seek(new TopicPartition((String) topics.get(0), (Integer) partitions.get(0)),
						(Long) offsets.get(0));
				return null;
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithoutAcknowledgment {

		@Bean
		CommonErrorHandler errors(Calls calls) {
			return new CommonErrorHandler() {

				@Override
				public boolean handleOne(Exception failure, ConsumerRecord<?, ?> record, Consumer<?, ?> consumer,
						MessageListenerContainer container) {
					calls.add("handled");
					return true;
				}

				@Override
				public boolean isAckAfterHandle() {
					return false;
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithExtension {

		@Bean
		CommonErrorHandler errors(Calls calls) {
			return new DefaultErrorHandler((record, failure) -> calls.add("recovered"), new FixedBackOff(0, 1)) {

				@Override
				public void handleRemaining(Exception failure, List<ConsumerRecord<?, ?>> records,
						Consumer<?, ?> consumer, MessageListenerContainer container) {
					calls.add("remaining");
					super.handleRemaining(failure, records, consumer, container);
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FailsLater {

		@KafkaListener(id = "listener", topics = "${test.topic}", idIsGroup = false)
		CompletableFuture<Void> listen(String value) {
			return CompletableFuture.supplyAsync(() -> {
				throw new IllegalStateException(value);
			});
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithScopes {

		@Bean
		CommonErrorHandler errors(Calls calls, ObservationRegistry registry) {
			return new DefaultErrorHandler(
					(record, failure) -> calls.add(record.value()
							+ ((registry.getCurrentObservation() != null) ? " in a scope" : " in no scope")),
					new FixedBackOff(0, 0));
		}

	}

	/** Listener objects of batches say what they mean with exceptions of their own. */
	@Configuration(proxyBeanMethods = false)
	static class ByHandBatches {

		@Bean
		ConcurrentMessageListenerContainer<Object, Object> batches(
				ConcurrentKafkaListenerContainerFactory<Object, Object> factory, @Value("${test.topic}") String topic,
				CommonErrorHandler errors) {
			ConcurrentMessageListenerContainer<Object, Object> container = factory.createContainer(topic);
			container.setBeanName("batches");
			container.getContainerProperties().setGroupId(topic + "-batch");
			container.setCommonErrorHandler(errors);
			container.setupMessageListener((BatchMessageListener<Object, Object>) (records) -> {
				throw new BatchListenerFailedException("the first", 0);
			});
			return container;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class WithNesting {

		@Bean
		CommonErrorHandler errors(Calls calls) {
			return new CommonErrorHandler() {

				@Override
				public boolean handleOne(Exception failure, ConsumerRecord<?, ?> record, Consumer<?, ?> consumer,
						MessageListenerContainer container) {
					calls.add(nesting(failure));
					return true;
				}

				@Override
				public <K, V> ConsumerRecords<K, V> handleBatchAndReturnRemaining(Exception failure,
						ConsumerRecords<?, ?> data, Consumer<?, ?> consumer, MessageListenerContainer container,
						Runnable invokeListener) {
					calls.add(nesting(failure));
					return ConsumerRecords.empty();
				}

			};
		}

		private static String nesting(Exception failure) {
			String outer = (failure instanceof ListenerExecutionFailedException known)
					? "ListenerExecutionFailedException of " + known.getGroupId() : failure.getClass().getSimpleName();
			return (failure.getCause() != null) ? outer + " < " + failure.getCause().getClass().getSimpleName() : outer;
		}

	}

	/** Cannot read one value. */
	public static class Poisoned extends StringDeserializer {

		@Override
		public String deserialize(String topic, byte[] data) {
			String value = super.deserialize(topic, data);
			if ("poison".equals(value)) {
				throw new IllegalArgumentException(value);
			}
			return value;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ByHand {

		@KafkaListener(id = "byhand",
				topicPartitions = @org.springframework.kafka.annotation.TopicPartition(topic = "${test.topic}",
						partitions = "1"))
		void listen(String value) {
		}

	}

}
