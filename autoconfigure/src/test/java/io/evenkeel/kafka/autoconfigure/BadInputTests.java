package io.evenkeel.kafka.autoconfigure;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.health.KafkaListenersHealthIndicator;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mockito.Mockito;

import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.adapter.DefaultBatchToRecordAdapter;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What is wrong with a configuration is said when the application starts: the property,
 * its value, where it came from and what to write. No broker is needed.
 */
class BadInputTests {

	private ConfigurableApplicationContext context;

	private final ApplicationContextRunner runner = StartupAnalysis.runner()
		.withInitializer((context) -> this.context = context);

	private final ApplicationContextRunner stopped = this.runner
		.withPropertyValues("spring.kafka.listener.auto-startup=false");

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			value = { "concurrency|0", "concurrency|10001", "max-pending-records|0", "max-pending-bytes|0B",
					"listeners.listener.max-pending-bytes|-1B", "commit.interval|0s", "commit.interval|9000000d",
					"commit.timeout|-1s", "handler.warn-after|-1s", "handler.timeout|0s", "handler.timeout|-1s",
					"listeners.listener.handler.timeout|400d", "rebalance.drain-timeout|-1s",
					"rebalance.drain-timeout|400d", "retry.max-attempts|0", "retry.jitter|1.5", "retry.multiplier|0.5",
					"retry.initial-interval|0ms", "retry.max-interval|400d", "restart.initial-interval|0s",
					"restart.max-interval|-1s", "recovery.topic-suffix|/bad suffix",
					"retry.not-retryable|java.lang.String", "listeners.listener.concurrency|0",
					"listeners.myListener.retry.jitter|-1", "listeners[my.listener].retry.max-attempts|0" })
	void consumerValuesOutOfRange(String name, String value) {
		refused("evenkeel.kafka.consumer." + name, value);
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			value = { "metadata.timeout|0s", "metadata.timeout|200000d", "metadata.timeout|500us",
					"metadata.unknown-topic-timeout|0s", "buffer.when-full|maybe",
					"topics.orders.metadata.unknown-topic-timeout|-1s", "metadata.retry.multiplier|0.5",
					"buffer.max-records|0", "buffer.max-bytes|0B", "fail-fast.open-duration|-1s",
					"shutdown.timeout|-1s", "startup.timeout|0s", "delivery-timeout|0s", "delivery-timeout|500us",
					"delivery-timeout|5ms", "delivery-timeout|30d", "topics.orders.metadata.timeout|0s",
					"topics.Orders.metadata.timeout|0s", "topics[orders.v1].metadata.retry.jitter|7" })
	void producerValuesOutOfRange(String name, String value) {
		refused("evenkeel.kafka.producer." + name, value);
	}

	@ParameterizedTest
	@CsvSource({ "management.health.kafkalisteners.stale-after,-1s", "management.health.kafkalisteners.stale-after,0",
			"management.health.kafkaproducer.stale-after,-1s", "management.health.kafkaproducer.stale-after,0" })
	void healthValuesOutOfRange(String property, String value) {
		refused(property, value);
	}

	private void refused(String property, String value) {
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues(property + "=" + value)
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription()).contains(property + "=" + value)
					.contains("from \"" + property + "\" from property source \"test\"");
				assertThat(analysis.getAction()).contains("Write");
			});
	}

	@Test
	void anEnvironmentVariableIsNamedAsTheOrigin() {
		this.stopped
			.withInitializer((context) -> context.getEnvironment()
				.getPropertySources()
				.addFirst(new SystemEnvironmentPropertySource("systemEnvironment",
						Map.of("EVENKEEL_KAFKA_CONSUMER_LISTENERS_LISTENER_RETRY_MAXATTEMPTS", "0"))))
			.withUserConfiguration(Listening.class)
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("evenkeel.kafka.consumer.listeners.listener.retry.max-attempts=0")
				.contains("EVENKEEL_KAFKA_CONSUMER_LISTENERS_LISTENER_RETRY_MAXATTEMPTS"));
	}

	@Test
	void theCommandLineIsNamedAsTheOrigin() {
		this.stopped
			.withInitializer((context) -> context.getEnvironment()
				.getPropertySources()
				.addFirst(new MapPropertySource("commandLineArgs",
						Map.of("evenkeel.kafka.producer.bufferMaxRecords", "1",
								"evenkeel.kafka.producer.buffer.maxRecords", "-4"))))
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("evenkeel.kafka.producer.buffer.max-records=-4")
				.contains("commandLineArgs"));
	}

	/** Only what may commit records in hand is refused: nobody knows what it makes. */
	@Test
	void autoCommitOfAFactoryOfAnotherKindIsRefused() {
		this.stopped.withUserConfiguration(Listening.class, ForeignFactory.class).run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains("enable.auto.commit=true");
			assertThat(analysis.getAction()).contains("enable.auto.commit=false");
		});
	}

	@Test
	void aNameThatNothingReadsStopsTheStartWithTheNearestNames() {
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.odering=key")
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription()).contains("evenkeel.kafka.consumer.odering=key (from ")
					.contains("the nearest are evenkeel.kafka.consumer.ordering");
				assertThat(analysis.getAction()).contains("Write evenkeel.kafka.consumer.ordering");
			});
	}

	@Test
	void aMissingGroupIdIsRefusedAlsoWhenNothingStarts() {
		this.stopped.withUserConfiguration(NoGroup.class)
			.withPropertyValues("spring.kafka.consumer.group-id=")
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription()).contains("spring.kafka.consumer.group-id")
					.contains("no group id");
				assertThat(analysis.getAction()).contains("spring.kafka.consumer.group-id=");
			});
	}

	@Test
	void aConcurrencyOfSpringKafkaIsNamedAsSuch() {
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("spring.kafka.listener.concurrency=20000")
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("spring.kafka.listener.concurrency=20000 (from \"spring.kafka.listener.concurrency\""));
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("spring.kafka.listener.concurrency=0")
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("spring.kafka.listener.concurrency=0 (from \"spring.kafka.listener.concurrency\""));
	}

	/** The consumer would refuse it in each poll, and be replaced for ever. */
	@Test
	void aNegativePollTimeoutOfSpringKafkaIsRefused() {
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("spring.kafka.listener.poll-timeout=-1s")
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription())
					.contains("spring.kafka.listener.poll-timeout=-1s (from \"spring.kafka.listener.poll-timeout\"");
				assertThat(analysis.getAction()).contains("write a duration such as 100ms");
			});
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("spring.kafka.listener.poll-timeout=0")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void aConcurrencyOfTheAnnotationIsNamedAsSuch() {
		this.stopped.withUserConfiguration(TooMany.class)
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("concurrency=20000 (from @KafkaListener(concurrency) of listener 'listener'"));
		this.stopped.withUserConfiguration(None.class)
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("concurrency=0 (from @KafkaListener(concurrency) of listener 'listener'"));
	}

	@Test
	void bothSidesOfAConflictAreNamedWhereTheyWereSet() {
		this.stopped.withUserConfiguration(Five.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listener.max-pending-records=3")
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("evenkeel.kafka.consumer.listeners.listener.max-pending-records=3 (from ")
				.contains("beside concurrency=5 (from @KafkaListener(concurrency)"));
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listener.concurrency=50",
					"evenkeel.kafka.consumer.max-pending-records=20")
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("evenkeel.kafka.consumer.max-pending-records=20 (from ")
				.contains("beside evenkeel.kafka.consumer.listeners.listener.concurrency=50 (from "));
	}

	@Test
	void transactionsWithAnotherOrderingNameTheListenersOwn() {
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("spring.kafka.producer.transaction-id-prefix=tx",
					"evenkeel.kafka.consumer.listeners.listener.ordering=none")
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription())
					.contains("evenkeel.kafka.consumer.listeners.listener.ordering=none (from ");
				assertThat(analysis.getAction()).contains("ordering=partition");
			});
	}

	/** The adapter is answered with the first record: the others could be lost. */
	@Test
	void futuresOfASplitBatchAreRefused() {
		this.stopped.withUserConfiguration(SplitBatches.class).run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains("BatchToRecordAdapter").contains("listener 'split'");
			assertThat(analysis.getAction()).contains("Leave the adapter and batch out");
		});
	}

	@Test
	void retryTopicsWithTransactionsAreNoBadInput() {
		this.stopped.withUserConfiguration(Retrying.class)
			.withPropertyValues("spring.kafka.producer.transaction-id-prefix=tx")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void twoListenersWithOneIdAreBothNamed() {
		this.stopped.withUserConfiguration(Listening.class, SameId.class).run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains("'listener'")
				.contains("BadInputTests$Listening.listen")
				.contains("BadInputTests$SameId.listenToo");
			assertThat(analysis.getAction()).contains("id of its own");
		});
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "spring.kafka.consumer.properties.max.poll.interval.ms|abc",
			"spring.kafka.consumer.properties.partition.assignment.strategy|no.such.Assignor",
			"spring.kafka.consumer.properties.isolation.level|foo", "spring.kafka.consumer.auto-offset-reset|foo",
			"spring.kafka.properties.session.timeout.ms|soon", "spring.kafka.bootstrap-servers|localhost" })
	void aConsumerConfigurationThatTheClientRefuses(String property, String value) {
		for (ApplicationContextRunner any : new ApplicationContextRunner[] { this.runner, this.stopped }) {
			any.withUserConfiguration(Listening.class)
				.withPropertyValues("evenkeel.kafka.producer.enabled=false", property + "=" + value)
				.run((context) -> {
					FailureAnalysis analysis = analysis(context);
					assertThat(analysis.getDescription()).contains(property + "=" + value + " (from \"" + property);
					assertThat(analysis.getAction()).contains("Write");
				});
		}
	}

	@Test
	void settingsOfTheOtherGroupProtocol() {
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("spring.kafka.consumer.properties.group.protocol=consumer",
					"spring.kafka.consumer.properties.session.timeout.ms=10000")
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("spring.kafka.consumer.properties.session.timeout.ms=10000 (from ")
				.contains("group.protocol"));
	}

	@Test
	void whatOnlyTheConsumersConstructorFindsStopsTheStartToo() {
		this.runner.withUserConfiguration(Listening.class)
			.withPropertyValues("spring.kafka.consumer.properties.security.protocol=SSL",
					"spring.kafka.consumer.properties.ssl.truststore.location=/no/such/store.jks")
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("ssl.truststore.location=/no/such/store.jks"));
	}

	/** A mock of a test needs no brokers, and takes whatever it is given. */
	@Test
	void aFactoryThatMakesConsumersOfItsOwnIsBelieved() {
		this.runner.withUserConfiguration(Listening.class)
			.withBean(DefaultKafkaConsumerFactory.class, Mocks::new)
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(context.getBean(KafkaListenerEndpointRegistry.class)
					.getListenerContainer("listener")
					.isRunning()).isTrue();
			});
	}

	@Test
	void aNameThatCannotBeResolvedStopsNothing() {
		this.runner.withUserConfiguration(Listening.class)
			.withPropertyValues("spring.kafka.bootstrap-servers=no-such-host.invalid:9092")
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(context.getBean(KafkaListenerEndpointRegistry.class)
					.getListenerContainer("listener")
					.isRunning()).isTrue();
			});
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			value = { "spring.kafka.producer.acks|foo", "spring.kafka.producer.compression-type|zipped",
					"spring.kafka.producer.properties.batch.size|many",
					"spring.kafka.producer.properties.partitioner.class|no.such.Partitioner",
					"spring.kafka.bootstrap-servers|localhost", "spring.kafka.properties.linger.ms|-2" })
	void aProducerConfigurationThatTheClientRefuses(String property, String value) {
		this.runner.withPropertyValues(property + "=" + value).run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains(property + "=" + value + " (from \"" + property);
			assertThat(analysis.getAction()).contains("Write");
		});
	}

	@ParameterizedTest
	@CsvSource({ "spring.kafka.producer.acks,1", "spring.kafka.producer.acks,0", "spring.kafka.producer.retries,0",
			"spring.kafka.producer.properties.enable.idempotence,false",
			"spring.kafka.properties.max.in.flight.requests.per.connection,6" })
	void transactionsThatCannotBeHad(String property, String value) {
		this.runner.withPropertyValues("spring.kafka.producer.transaction-id-prefix=tx", property + "=" + value)
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription()).contains(property + "=" + value + " (from ")
					.contains("beside spring.kafka.producer.transaction-id-prefix=tx (from ")
					.contains("transactions cannot be had");
				assertThat(analysis.getAction()).contains("or write ");
			});
	}

	@Test
	void aDeliveryTimeoutOfSpringKafkaIsNamedAsSuch() {
		this.runner
			.withPropertyValues("spring.kafka.producer.properties.delivery.timeout.ms=3000",
					"spring.kafka.properties.request.timeout.ms=5000")
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription())
					.contains("spring.kafka.producer.properties.delivery.timeout.ms=3000 (from ")
					.contains("beside spring.kafka.properties.request.timeout.ms=5000 (from ");
				assertThat(analysis.getAction()).contains("delivery.timeout.ms=5005");
			});
	}

	@ParameterizedTest
	@CsvSource({ "1500,evenkeel.kafka.producer.metadata.timeout=3s", "soon,spring.main.banner-mode=off" })
	void maxBlockOfAFactoryOfTheUserIsReadAtTheStart(String maxBlock, String property) {
		this.runner
			.withBean(ProducerFactory.class,
					() -> new DefaultKafkaProducerFactory<>(
							Map.of("bootstrap.servers", "localhost:1", "max.block.ms", maxBlock)))
			.withPropertyValues(property)
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription())
					.contains("max.block.ms=" + maxBlock + " (from the configuration of the producer factory)");
				assertThat(analysis.getAction()).contains("Remove max.block.ms");
			});
	}

	@Test
	void aTopicWithDotsMustStandInBrackets() {
		this.runner.withPropertyValues("evenkeel.kafka.producer.topics.orders.v1.metadata.timeout=3s")
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription())
					.contains("evenkeel.kafka.producer.topics.orders.v1.metadata.timeout=3s (from ");
				assertThat(analysis.getAction())
					.contains("Write evenkeel.kafka.producer.topics[orders.v1].metadata.timeout=3s");
			});
		this.runner
			.withPropertyValues("evenkeel.kafka.producer.topics[orders.v1].metadata.timeout=3s",
					"evenkeel.kafka.producer.topics.my_Orders.metadata.retry.maxAttempts=3")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void anUnknownSettingOfATopicOrAListenerIsRefused() {
		this.runner.withPropertyValues("evenkeel.kafka.producer.topics.orders.metadata.timout=3s")
			.run((context) -> assertThat(analysis(context).getAction()).contains("metadata.timeout"));
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listener.concurency=3")
			.run((context) -> assertThat(analysis(context).getAction()).contains("concurrency"));
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.my.listener.concurrency=3")
			.run((context) -> assertThat(analysis(context).getAction())
				.contains("evenkeel.kafka.consumer.listeners[my.listener].concurrency=3"));
		this.stopped.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listener.retry.not-retryable[0]=java.io.IOException")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void noAnalysisShowsAPassword() {
		this.runner
			.withPropertyValues("spring.kafka.properties.security.protocol=SASL_PLAINTEXT",
					"spring.kafka.properties.sasl.mechanism=PLAIN",
					"spring.kafka.properties.sasl.jaas.config=Module required password=\"geheim",
					"spring.kafka.producer.retries=1")
			.withUserConfiguration(Listening.class)
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription() + analysis.getAction()).contains("sasl.jaas.config")
					.doesNotContain("geheim");
			});
	}

	private FailureAnalysis analysis(AssertableApplicationContext started) {
		return StartupAnalysis.of(started, this.context);
	}

	@Configuration(proxyBeanMethods = false)
	static class Listening {

		@KafkaListener(id = "listener", idIsGroup = false, topics = "topic")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SameId {

		@KafkaListener(id = "listener", idIsGroup = false, topics = "other")
		void listenToo(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class NoGroup {

		@KafkaListener(topics = "topic")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ForeignFactory {

		@Bean
		ConsumerFactory<Object, Object> foreign() {
			ConsumerFactory<Object, Object> foreign = Mockito.mock();
			Mockito.when(foreign.getConfigurationProperties())
				.thenReturn(Map.of("enable.auto.commit", "true", "group.id", "test"));
			return foreign;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class TooMany {

		@KafkaListener(id = "listener", topics = "topic", concurrency = "20000")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class None {

		@KafkaListener(id = "listener", topics = "topic", concurrency = "0")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SplitBatches {

		@KafkaListener(id = "split", topics = "topic", batch = "true")
		CompletableFuture<Void> listen(String value) {
			return CompletableFuture.completedFuture(null);
		}

		@Bean
		EvenkeelContainerFactoryCustomizer splitting() {
			return (factory) -> factory.setBatchToRecordAdapter(new DefaultBatchToRecordAdapter<>());
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Five {

		@KafkaListener(id = "listener", topics = "topic", concurrency = "5")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Retrying {

		@RetryableTopic(autoCreateTopics = "false", kafkaTemplate = "kafkaTemplate")
		@KafkaListener(id = "listener", topics = "topic")
		void listen(String value) {
		}

	}

	/** Its bootstrap name becomes resolvable, and then something else is wrong. */
	static final class RefusedLater extends DefaultKafkaConsumerFactory<Object, Object> {

		private final AtomicInteger made = new AtomicInteger();

		RefusedLater() {
			super(Map.of("bootstrap.servers", "localhost:1", "group.id", "test"));
		}

		@Override
		protected Consumer<Object, Object> createRawConsumer(Map<String, Object> configProps) {
			ConfigException cause = (this.made.incrementAndGet() <= 2)
					? new ConfigException("No resolvable bootstrap urls given in bootstrap.servers")
					: new ConfigException("isolation.level", "foo");
			throw new KafkaException("Failed to construct kafka consumer", cause);
		}

	}

	/** Makes consumers without a client. */
	static final class Mocks extends DefaultKafkaConsumerFactory<Object, Object> {

		Mocks() {
			super(Map.of("bootstrap.servers", "nowhere", "group.id", "g"));
		}

		@Override
		protected Consumer<Object, Object> createRawConsumer(Map<String, Object> config) {
			return new MockConsumer<>("earliest");
		}

	}

}
