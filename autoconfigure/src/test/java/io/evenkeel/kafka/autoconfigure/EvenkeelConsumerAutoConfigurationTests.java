package io.evenkeel.kafka.autoconfigure;

import java.util.Map;

import io.evenkeel.kafka.actuate.EvenkeelEndpoint;
import io.evenkeel.kafka.autoconfigure.health.EvenkeelEndpointAutoConfiguration;
import io.evenkeel.kafka.autoconfigure.health.EvenkeelListenersHealthAutoConfiguration;
import io.evenkeel.kafka.autoconfigure.metrics.EvenkeelConsumerMetricsAutoConfiguration;
import io.evenkeel.kafka.container.ContainerDependencies;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.EvenkeelContainerFactory;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.health.KafkaListenersHealthIndicator;
import io.evenkeel.kafka.metrics.ConsumerMeters;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The beans of the consumer side: there, backing off, tuned, and refused with a reason.
 * Listeners here do not start by themselves: no broker is needed.
 */
class EvenkeelConsumerAutoConfigurationTests {

	private ConfigurableApplicationContext context;

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withInitializer((context) -> this.context = context)
		.withConfiguration(AutoConfigurations.of(EvenkeelConsumerAutoConfiguration.class,
				EvenkeelConsumerMetricsAutoConfiguration.class, EvenkeelListenersHealthAutoConfiguration.class,
				EvenkeelEndpointAutoConfiguration.class, KafkaAutoConfiguration.class))
		.withPropertyValues("spring.kafka.consumer.group-id=test", "spring.kafka.listener.auto-startup=false");

	@Test
	void theFactoryOfListenersIsOurs() {
		this.runner.withUserConfiguration(Listening.class).run((context) -> {
			assertThat(context.getBean("kafkaListenerContainerFactory")).isInstanceOf(EvenkeelContainerFactory.class);
			assertThat(container(context)).isInstanceOf(EvenkeelContainer.class);
		});
	}

	@Test
	void bootsOwnFactoryStaysAvailable() {
		this.runner.run((context) -> {
			assertThat(context.getBean("springKafkaListenerContainerFactory"))
				.isExactlyInstanceOf(ConcurrentKafkaListenerContainerFactory.class);
			// By type there is one factory, as without us.
			assertThat(context.getBeanProvider(ConcurrentKafkaListenerContainerFactory.class).getIfUnique())
				.isInstanceOf(EvenkeelContainerFactory.class);
		});
	}

	@Test
	void disabledMeansBootsOwnContainer() {
		this.runner.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.enabled=false")
			.run((context) -> {
				assertThat(container(context)).isExactlyInstanceOf(ConcurrentMessageListenerContainer.class);
				assertThat(context).hasBean("springKafkaListenerContainerFactory");
			});
	}

	@Test
	void backsOffWhenTheUserDefinesTheFactory() {
		this.runner.withUserConfiguration(OwnFactory.class).run((context) -> {
			assertThat(context).getBean("kafkaListenerContainerFactory").isInstanceOf(EvenkeelContainerFactory.class);
			assertThat(context.getBean("kafkaListenerContainerFactory", ConcurrentKafkaListenerContainerFactory.class)
				.getContainerProperties()
				.getIdleEventInterval()).isEqualTo(815L);
		});
	}

	@Test
	void aListenerCanGoBackByNamingTheFactory() {
		this.runner.withUserConfiguration(GoingBack.class)
			.run((context) -> assertThat(container(context))
				.isExactlyInstanceOf(ConcurrentMessageListenerContainer.class));
	}

	@Test
	void severalConsumerFactoriesBesideAFactoryOfTheUserAreNoMatter() {
		this.runner.withUserConfiguration(Listening.class, TwoClusters.class)
			.run((context) -> assertThat(context).hasNotFailed());
		this.runner.withUserConfiguration(Listening.class, TwoClusters.class)
			.withPropertyValues("evenkeel.kafka.consumer.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void severalProducerFactoriesAreNoMatter() {
		this.runner.withUserConfiguration(Listening.class, TwoProducers.class)
			.withPropertyValues("spring.kafka.listener.auto-startup=true", "spring.kafka.bootstrap-servers=localhost:1")
			.run((context) -> {
				assertThat(context).hasNotFailed();
				ConsumerRecordRecoverer recoverer = context.getBean(ContainerDependencies.class)
					.recoverer()
					.apply("-dlt");
				assertThat(recoverer).isInstanceOf(DeadLetterPublishingRecoverer.class);
			});
	}

	@Test
	void theFactoryCanBeInjectedWithTypesOfTheApplication() {
		this.runner.withUserConfiguration(Tuning.class)
			.run((context) -> assertThat(context).hasNotFailed().hasBean("tuned"));
	}

	@Test
	void aFurtherFactoryOfOursTakesAFewLines() {
		this.runner.withUserConfiguration(SecondFactory.class, ListeningForBytes.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listener.ordering=key")
			.run((context) -> {
				assertThat(container(context)).isInstanceOf(EvenkeelContainer.class);
				assertThat(container(context).getContainerProperties().getGroupId()).isNull();
				assertThat(container(context).getContainerProperties().getIdleEventInterval()).isEqualTo(99L);
			});
	}

	@Test
	void aCustomizerHasTheLastWord() {
		this.runner.withUserConfiguration(Listening.class)
			.withBean(EvenkeelContainerFactoryCustomizer.class,
					() -> (factory) -> factory.getContainerProperties().setIdleEventInterval(4711L))
			.run((context) -> assertThat(container(context).getContainerProperties().getIdleEventInterval())
				.isEqualTo(4711L));
	}

	@Test
	void metersAreKeptOnlyWhereARegistryIs() {
		this.runner.run((context) -> assertThat(context).doesNotHaveBean(ConsumerMeters.class));
		this.runner.withBean(MeterRegistry.class, SimpleMeterRegistry::new)
			.run((context) -> assertThat(context).hasSingleBean(ConsumerMeters.class));
		this.runner.withClassLoader(new FilteredClassLoader(MeterRegistry.class))
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(EvenkeelContainerFactory.class));
	}

	@Test
	void healthIsToldUnlessSwitchedOff() {
		this.runner.run((context) -> assertThat(context).hasSingleBean(KafkaListenersHealthIndicator.class));
		this.runner.withPropertyValues("management.health.kafkalisteners.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(KafkaListenersHealthIndicator.class));
	}

	@Test
	void theEndpointIsThereWhenExposed() {
		this.runner.run((context) -> assertThat(context).doesNotHaveBean(EvenkeelEndpoint.class));
		this.runner.withPropertyValues("management.endpoints.web.exposure.include=evenkeel")
			.run((context) -> assertThat(context).hasSingleBean(EvenkeelEndpoint.class));
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void settingsOfAnUnknownListenerAreWarnedAboutWithTheNearestId(CapturedOutput output) {
		this.runner.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listner.concurrency=3")
			.run((context) -> assertThat(output)
				.contains("evenkeel.kafka.consumer.listeners.listner matches no @KafkaListener id")
				.contains("nearest are [listener]"));
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void aDrainTimeoutAboveItsCapIsWarnedAboutOnce(CapturedOutput output) {
		this.runner.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listener.rebalance.drain-timeout=200s",
					"spring.kafka.bootstrap-servers=localhost:1")
			.run((context) -> {
				String warning = "evenkeel.kafka.consumer.listeners.listener.rebalance.drain-timeout=200000ms is more than a "
						+ "third of max.poll.interval.ms and is capped at 100000 ms";
				assertThat(output).contains(warning);
				container(context).start();
				assertThat(output.toString().split(warning, -1)).hasSize(2);
			});
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void settingsOfAKnownListenerAreNotWarnedAbout(CapturedOutput output) {
		this.runner.withUserConfiguration(Listening.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listener.concurrency=3")
			.run((context) -> assertThat(output).doesNotContain("matches no @KafkaListener"));
	}

	@Test
	void aListenersOwnValuesDifferAndTheRestIsAsForAll() {
		this.runner
			.withPropertyValues("evenkeel.kafka.consumer.ordering=key", "evenkeel.kafka.consumer.retry.max-attempts=7",
					"evenkeel.kafka.consumer.listeners.my-Listener.retry.max-attempts=2",
					"evenkeel.kafka.consumer.listeners.[a.b].concurrency=9")
			.run((context) -> {
				ConsumerSettingsMapper mapper = new ConsumerSettingsMapper(Binder.get(this.context.getEnvironment()),
						context.getBean(EvenkeelConsumerProperties.class), new EvenkeelLoggingProperties());
				assertThat(mapper.forListener("my-Listener").retry().maxAttempts()).isEqualTo(2);
				assertThat(mapper.forListener("my-Listener").ordering()).isEqualTo(Ordering.KEY);
				assertThat(mapper.forListener("myListener").retry().maxAttempts()).isEqualTo(2);
				assertThat(mapper.forListener("other").retry().maxAttempts()).isEqualTo(7);
				assertThat(mapper.forListener("a.b").concurrency()).isEqualTo(9);
			});
	}

	@Test
	void messagesOfExceptionsAreLeftOutWhereTheyAreNotWanted() {
		this.runner.run((context) -> assertThat(
				context.getBean(ContainerDependencies.class).settings().apply("any").handler().exceptionMessages())
			.isTrue());
		this.runner.withPropertyValues("evenkeel.kafka.logging.exception-messages=false")
			.run((context) -> assertThat(
					context.getBean(ContainerDependencies.class).settings().apply("any").handler().exceptionMessages())
				.isFalse());
		this.runner.withPropertyValues("evenkeel.kafka.logging.exceptions-messages=false")
			.run((context) -> assertThat(context).hasFailed());
	}

	@Test
	void aMissingGroupIdIsRefusedWithPropertyAndCure() {
		new ApplicationContextRunner().withInitializer((context) -> this.context = context)
			.withConfiguration(
					AutoConfigurations.of(EvenkeelConsumerAutoConfiguration.class, KafkaAutoConfiguration.class))
			.withUserConfiguration(NoGroup.class)
			.run((context) -> {
				FailureAnalysis analysis = analysis(context);
				assertThat(analysis.getDescription()).contains("spring.kafka.consumer.group-id")
					.contains("no group id")
					// What those search for who know it from spring-kafka.
					.contains("No group.id found in consumer config");
				assertThat(analysis.getAction()).contains("spring.kafka.consumer.group-id=");
			});
	}

	@Test
	void anUnknownOrderingIsRefusedWithTheValidOnes() {
		this.runner.withPropertyValues("evenkeel.kafka.consumer.ordering=topic").run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains("evenkeel.kafka.consumer.ordering").contains("topic");
			assertThat(analysis.getAction()).contains("partition, key or none");
		});
	}

	private static ConcurrentMessageListenerContainer<?, ?> container(AssertableApplicationContext context) {
		return (ConcurrentMessageListenerContainer<?, ?>) context.getBean(KafkaListenerEndpointRegistry.class)
			.getListenerContainer("listener");
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
	static class NoGroup {

		@KafkaListener(topics = "topic")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class GoingBack {

		@KafkaListener(id = "listener", idIsGroup = false, topics = "topic",
				containerFactory = "springKafkaListenerContainerFactory")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnFactory {

		@Bean
		ConcurrentKafkaListenerContainerFactory<Object, Object> kafkaListenerContainerFactory() {
			ConcurrentKafkaListenerContainerFactory<Object, Object> factory = new ConcurrentKafkaListenerContainerFactory<>();
			factory.getContainerProperties().setIdleEventInterval(815L);
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class TwoClusters {

		@Bean
		ConsumerFactory<Object, Object> one() {
			return new DefaultKafkaConsumerFactory<>(Map.of("bootstrap.servers", "localhost:1"));
		}

		@Bean
		ConsumerFactory<Object, Object> two() {
			return new DefaultKafkaConsumerFactory<>(Map.of("bootstrap.servers", "localhost:2"));
		}

		@Bean
		ConcurrentKafkaListenerContainerFactory<Object, Object> kafkaListenerContainerFactory(
				@Qualifier("one") ConsumerFactory<Object, Object> one) {
			ConcurrentKafkaListenerContainerFactory<Object, Object> factory = new ConcurrentKafkaListenerContainerFactory<>();
			factory.setConsumerFactory(one);
			factory.setAutoStartup(false);
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class TwoProducers {

		@Bean
		ProducerFactory<String, String> texts() {
			return new DefaultKafkaProducerFactory<>(Map.of("bootstrap.servers", "localhost:1"));
		}

		@Bean
		ProducerFactory<String, byte[]> bytes() {
			return new DefaultKafkaProducerFactory<>(Map.of("bootstrap.servers", "localhost:1"));
		}

		@Bean
		KafkaTemplate<String, String> textTemplate(ProducerFactory<String, String> texts) {
			return new KafkaTemplate<>(texts);
		}

		@Bean
		KafkaTemplate<String, byte[]> bytesTemplate(ProducerFactory<String, byte[]> bytes) {
			return new KafkaTemplate<>(bytes);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Tuning {

		@Bean
		String tuned(ConcurrentKafkaListenerContainerFactory<String, String> factory) {
			return "tuned";
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SecondFactory {

		@Bean
		EvenkeelContainerFactory<String, byte[]> bytesFactory(ContainerDependencies support,
				ConsumerFactory<String, byte[]> consumerFactory) {
			EvenkeelContainerFactory<String, byte[]> factory = new EvenkeelContainerFactory<>(support);
			factory.setConsumerFactory(consumerFactory);
			factory.getContainerProperties().setIdleEventInterval(99L);
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ListeningForBytes {

		@KafkaListener(id = "listener", idIsGroup = false, topics = "topic", containerFactory = "bytesFactory")
		void listen(byte[] value) {
		}

	}

}
