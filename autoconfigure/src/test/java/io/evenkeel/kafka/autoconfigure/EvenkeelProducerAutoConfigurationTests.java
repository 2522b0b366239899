package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.autoconfigure.metrics.EvenkeelProducerMetricsAutoConfiguration;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplate;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplateCustomizer;
import io.evenkeel.kafka.producer.EvenkeelProducerFactory;
import io.evenkeel.kafka.producer.ProducerLimits;
import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import io.evenkeel.kafka.producer.SendFailedException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.env.Environment;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.test.util.ReflectionTestUtils;

import static org.assertj.core.api.Assertions.assertThat;

class EvenkeelProducerAutoConfigurationTests {

	private Environment environment;

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withInitializer((context) -> this.environment = context.getEnvironment())
		.withConfiguration(AutoConfigurations.of(KafkaAutoConfiguration.class, EvenkeelProducerAutoConfiguration.class,
				EvenkeelProducerMetricsAutoConfiguration.class))
		.withPropertyValues("spring.kafka.bootstrap-servers=localhost:1",
				"evenkeel.kafka.producer.shutdown.timeout=100ms");

	@Test
	void theTemplateIsOurs() {
		this.runner.run((context) -> {
			assertThat(context).hasSingleBean(KafkaTemplate.class)
				.getBean("kafkaTemplate")
				.isInstanceOf(EvenkeelKafkaTemplate.class);
			assertThat(context).hasSingleBean(ProducerFactory.class)
				.getBean("kafkaProducerFactory")
				.isInstanceOf(EvenkeelProducerFactory.class);
		});
	}

	@Test
	void disabledGivesBootsOwn() {
		this.runner.withPropertyValues("evenkeel.kafka.producer.enabled=false").run((context) -> {
			assertThat(context.getBean(KafkaTemplate.class)).isNotInstanceOf(EvenkeelKafkaTemplate.class);
			assertThat(context.getBean(ProducerFactory.class)).isExactlyInstanceOf(DefaultKafkaProducerFactory.class);
			assertThat(context).doesNotHaveBean(ProducerRegistry.class);
		});
	}

	@Test
	void backsOffWhenTheUserHasATemplate() {
		this.runner.withUserConfiguration(OwnTemplate.class).run((context) -> {
			assertThat(context).hasSingleBean(KafkaTemplate.class).hasBean("mine");
			assertThat(context).hasSingleBean(EvenkeelProducerFactory.class);
		});
	}

	@Test
	void startsWithoutMicrometerCore() {
		this.runner.withClassLoader(new FilteredClassLoader(MeterRegistry.class)).run((context) -> {
			assertThat(context).hasNotFailed().hasSingleBean(EvenkeelKafkaTemplate.class);
		});
	}

	@Test
	void templatePropertiesKeepTheirMeaning() {
		this.runner.withPropertyValues("spring.kafka.template.default-topic=standard",
				"spring.kafka.template.allow-non-transactional=true", "spring.kafka.template.transaction-id-prefix=tx-",
				"spring.kafka.template.close-timeout=3s", "spring.kafka.template.observation-enabled=true")
			.run((context) -> {
				EvenkeelKafkaTemplate<?, ?> template = context.getBean(EvenkeelKafkaTemplate.class);
				assertThat(template.getDefaultTopic()).isEqualTo("standard");
				assertThat(template.isAllowNonTransactional()).isTrue();
				assertThat(template.getTransactionIdPrefix()).isEqualTo("tx-");
				assertThat(ReflectionTestUtils.getField(template, "closeTimeout")).isEqualTo(Duration.ofSeconds(3));
				assertThat(ReflectionTestUtils.getField(template, "observationEnabled")).isEqualTo(true);
			});
	}

	@Test
	void customizersAreApplied() {
		this.runner.withUserConfiguration(Customizers.class).run((context) -> {
			assertThat(context.getBean(EvenkeelKafkaTemplate.class).getDefaultTopic()).isEqualTo("customized");
			assertThat(context.getBean(ProducerFactory.class).getPhysicalCloseTimeout())
				.isEqualTo(Duration.ofSeconds(7));
		});
	}

	@Test
	void aSendWithBrokersDownReturnsAtOnceAndCloses() {
		this.runner.run((context) -> {
			KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
			long start = System.nanoTime();
			CompletableFuture<?> send = template.send("orders", "value");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
			assertThat(send).isNotDone();
			context.close();
			assertThat(send).failsWithin(Duration.ofSeconds(2));
		});
	}

	@ParameterizedTest
	@CsvSource({ "spring.kafka.producer.properties.max.block.ms", "spring.kafka.properties.max.block.ms",
			"'spring.kafka.producer.properties[max.block.ms]'" })
	void maxBlockIsTakenAsMetadataTimeout(String property) {
		this.runner.withPropertyValues(property + "=350")
			.run((context) -> assertThat(failure(context)).hasMessageContaining("Limit: metadata.timeout=350ms"));
	}

	@Test
	void maxBlockOfACustomizerIsTakenAsMetadataTimeout() {
		this.runner.withUserConfiguration(MaxBlockCustomizer.class)
			.withPropertyValues("spring.kafka.producer.properties.max.block.ms=9000")
			.run((context) -> assertThat(failure(context)).hasMessageContaining("Limit: metadata.timeout=350ms"));
	}

	@Test
	void maxBlockOfACustomizerBesideMetadataTimeoutIsRefused() {
		this.runner.withUserConfiguration(MaxBlockCustomizer.class)
			.withPropertyValues("evenkeel.kafka.producer.metadata.timeout=3s")
			.run((context) -> {
				assertThat(context).hasFailed();
				FailureAnalysis analysis = new InvalidSettingFailureAnalyzer(this.environment)
					.analyze(context.getStartupFailure());
				assertThat(analysis).isNotNull();
				assertThat(analysis.getDescription())
					.contains("max.block.ms=350 (from the configuration of the producer factory)")
					.contains("beside evenkeel.kafka.producer.metadata.timeout=3s (from ");
			});
	}

	/** Kafka's own way to say: for ever. */
	@Test
	void theLongestMaxBlockIsNoBadInput() {
		this.runner.withPropertyValues("spring.kafka.producer.properties.max.block.ms=" + Long.MAX_VALUE)
			.run((context) -> {
				assertThat(context).hasNotFailed();
				CompletableFuture<?> send = context.getBean(KafkaTemplate.class).send("orders", "value");
				context.close();
				assertThat(send).failsWithin(Duration.ofSeconds(2))
					.withThrowableThat()
					.havingRootCause()
					.withMessageContaining("CLOSED");
			});
	}

	@Test
	void severalAdminsLeaveTheTopicsToOneOfOurs() {
		this.runner.withUserConfiguration(TwoAdmins.class)
			.withPropertyValues("evenkeel.kafka.producer.startup.verify-topics=orders",
					"evenkeel.kafka.producer.startup.on-missing=fail", "evenkeel.kafka.producer.startup.timeout=500ms")
			.run(EvenkeelProducerAutoConfigurationTests::missingTopics);
	}

	private static FailureAnalysis missingTopics(AssertableApplicationContext context) {
		assertThat(context).hasFailed();
		FailureAnalysis analysis = new ProducerMissingTopicsFailureAnalyzer().analyze(context.getStartupFailure());
		assertThat(analysis).isNotNull();
		assertThat(analysis.getDescription()).contains("orders").contains("localhost:1");
		return analysis;
	}

	private static Throwable failure(ApplicationContext context) {
		CompletableFuture<?> send = context.getBean(KafkaTemplate.class).send("orders", "value");
		Throwable failure = send.handle((result, ex) -> (Throwable) ex).orTimeout(5, TimeUnit.SECONDS).join();
		assertThat(failure).isNotNull();
		return NestedExceptionUtils.getMostSpecificCause(failure);
	}

	@ParameterizedTest
	@CsvSource({ "spring.kafka.producer.properties.max.block.ms", "spring.kafka.properties.max.block.ms" })
	void maxBlockBesideMetadataTimeoutIsRefused(String property) {
		this.runner.withPropertyValues(property + "=1500", "evenkeel.kafka.producer.metadata.timeout=3s")
			.run((context) -> {
				assertThat(context).hasFailed();
				FailureAnalysis analysis = new InvalidSettingFailureAnalyzer(this.environment)
					.analyze(context.getStartupFailure());
				assertThat(analysis).isNotNull();
				assertThat(analysis.getDescription()).contains(property + "=1500 (from ")
					.contains("beside evenkeel.kafka.producer.metadata.timeout=3s (from ");
				assertThat(analysis.getAction()).contains("Remove max.block.ms")
					.contains("evenkeel.kafka.producer.metadata.timeout");
			});
	}

	@Test
	void topicsHaveLimitsOfTheirOwn() {
		this.runner
			.withPropertyValues("evenkeel.kafka.producer.topics.orders.metadata.timeout=3s",
					"evenkeel.kafka.producer.topics.orders.fail-fast.open-duration=0",
					"evenkeel.kafka.producer.topics.orders.metadata.unknown-topic-timeout=2s",
					"evenkeel.kafka.producer.topics.audit.fail-fast.open-duration=0",
					"evenkeel.kafka.producer.metadata.retry.max-attempts=9")
			.run((context) -> {
				ProducerLimits limits = (ProducerLimits) ReflectionTestUtils
					.getField(context.getBean(EvenkeelProducerFactory.class), "limits");
				TopicSettings orders = limits.settings(null).topic("orders");
				assertThat(orders.metadataTimeout()).isEqualTo(Duration.ofSeconds(3));
				assertThat(orders.failFastOpenDuration()).isEqualTo(Duration.ZERO);
				assertThat(orders.maxAttempts()).isEqualTo(9);
				assertThat(limits.settings(null).topic("audit").metadataTimeout()).isEqualTo(Duration.ofSeconds(60));
				assertThat(limits.settings(null).topic("audit").unknownTopicTimeout())
					.isEqualTo(Duration.ofSeconds(10));
				assertThat(orders.unknownTopicTimeout()).isEqualTo(Duration.ofSeconds(2));
				// The user's max.block.ms is the general timeout, for such a topic too.
				assertThat(limits.settings(Duration.ofSeconds(7)).topic("audit").metadataTimeout())
					.isEqualTo(Duration.ofSeconds(7));
				assertThat(limits.settings(Duration.ofSeconds(7)).topic("orders").metadataTimeout())
					.isEqualTo(Duration.ofSeconds(3));
			});
	}

	@Test
	void deliveryTimeoutLowersARequestTimeoutThatNobodyChose() {
		this.runner.withPropertyValues("evenkeel.kafka.producer.delivery-timeout=3s").run((context) -> {
			assertThat(context.getBean(ProducerFactory.class).getConfigurationProperties())
				.containsEntry("delivery.timeout.ms", 3000)
				.containsEntry("request.timeout.ms", 2995);
		});
	}

	@Test
	void aFactoryOfTheUserSendsThroughUsToo() {
		this.runner.withUserConfiguration(OwnFactory.class)
			.withPropertyValues("evenkeel.kafka.producer.metadata.timeout=300ms")
			.run((context) -> {
				assertThat(context).doesNotHaveBean(EvenkeelProducerFactory.class);
				KafkaTemplate<String, String> template = context.getBean(KafkaTemplate.class);
				template.send("orders", "warm");
				long start = System.nanoTime();
				CompletableFuture<?> send = template.send("orders", "value");
				assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(200));
				assertThat(send).failsWithin(Duration.ofSeconds(3))
					.withThrowableThat()
					.havingRootCause()
					.isInstanceOf(SendFailedException.class);
				assertThat(context.getBean(ProducerRegistry.class).snapshots()).hasSize(1);
			});
	}

	@ParameterizedTest
	@CsvSource({ "startup.verify-topics", "startup.verify-topics[0]" })
	void missingTopicsStopTheStartIfAskedTo(String property) {
		long start = System.nanoTime();
		this.runner
			.withPropertyValues("evenkeel.kafka.producer." + property + "=orders",
					"evenkeel.kafka.producer.startup.on-missing=fail", "evenkeel.kafka.producer.startup.timeout=500ms")
			.run((context) -> assertThat(missingTopics(context).getAction()).contains("on-missing=warn"));
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(8));
	}

	@Test
	void missingTopicsAreAWarningByDefault() {
		this.runner
			.withPropertyValues("evenkeel.kafka.producer.startup.verify-topics=orders,payments",
					"evenkeel.kafka.producer.startup.timeout=300ms")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void metersAreBound() {
		this.runner.withBean(SimpleMeterRegistry.class).run((context) -> {
			KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
			CompletableFuture<?> send = template.send("not a topic", "value");
			assertThat(send).failsWithin(Duration.ofSeconds(2));
			MeterRegistry registry = context.getBean(MeterRegistry.class);
			assertThat(registry.get("evenkeel.producer.send")
				.tags("topic", "not a topic", "outcome", "failure", "reason", "invalid_topic")
				.tagKeys("producer")
				.timer()
				.count()).isEqualTo(1);
			assertThat(registry.get("evenkeel.producer.send.blocked").timer().count()).isEqualTo(1);
			assertThat(registry.get("evenkeel.producer.pending.records").gauge().value()).isZero();
			assertThat(registry.get("evenkeel.producer.metadata.age").gauge().value()).isGreaterThanOrEqualTo(0);
		});
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnTemplate {

		@Bean
		KafkaTemplate<Object, Object> mine(ProducerFactory<Object, Object> factory) {
			return new KafkaTemplate<>(factory);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnFactory {

		@Bean
		ProducerFactory<String, String> producerFactory() {
			return new DefaultKafkaProducerFactory<>(Map.of("bootstrap.servers", "localhost:1", "key.serializer",
					StringSerializer.class, "value.serializer", StringSerializer.class));
		}

		@Bean
		KafkaTemplate<String, String> kafkaTemplate(ProducerFactory<String, String> factory) {
			return new KafkaTemplate<>(factory);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class MaxBlockCustomizer {

		@Bean
		DefaultKafkaProducerFactoryCustomizer maxBlock() {
			return (factory) -> factory.updateConfigs(Map.of("max.block.ms", 350));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class TwoAdmins {

		@Bean
		KafkaAdmin one() {
			return new KafkaAdmin(Map.of("bootstrap.servers", "one:1"));
		}

		@Bean
		KafkaAdmin two() {
			return new KafkaAdmin(Map.of("bootstrap.servers", "two:1"));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Customizers {

		@Bean
		EvenkeelKafkaTemplateCustomizer templateCustomizer() {
			return (template) -> template.setDefaultTopic("customized");
		}

		@Bean
		DefaultKafkaProducerFactoryCustomizer factoryCustomizer() {
			return (factory) -> factory.setPhysicalCloseTimeout(7);
		}

	}

}
