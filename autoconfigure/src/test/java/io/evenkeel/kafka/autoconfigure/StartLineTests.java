package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.container.EvenkeelContainer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the log says of a listener, and what is taken with a line rather than refused. No
 * broker is needed: nobody waits for one.
 */
@ExtendWith(OutputCaptureExtension.class)
class StartLineTests {

	private static final String ID_IS_GROUP = "its id is its group too";

	private final ApplicationContextRunner runner = StartupAnalysis.runner()
		.withPropertyValues("spring.kafka.consumer.group-id=shop", "evenkeel.kafka.producer.enabled=false",
				"spring.kafka.consumer.properties.reconnect.backoff.ms=1000");

	private final ApplicationContextRunner stopped = this.runner
		.withPropertyValues("spring.kafka.listener.auto-startup=false");

	@Test
	void eachListenerSaysHowItRuns(CapturedOutput output) {
		this.runner.withUserConfiguration(Factories.class, Listeners.class)
			.withPropertyValues("evenkeel.kafka.consumer.listeners.property.ordering=key",
					"evenkeel.kafka.consumer.listeners.property.concurrency=7",
					"evenkeel.kafka.consumer.listeners.attribute.recovery.on-exhausted=skip")
			.run((context) -> {
				String theirs = "starts on Evenkeel's container; topics [topic], group ";
				assertThat(line(output, "property")).contains(theirs + "'shop' (from spring.kafka.consumer.group-id)")
					.contains("ordering=key, concurrency=7;")
					.contains("5 attempts with waits from 500 ms to 30000 ms, then to the topic with the suffix -dlt");
				assertThat(line(output, "property")).doesNotContain("on the brokers");
				assertThat(line(output, "attribute")).contains(theirs + "'attribute' (from @KafkaListener(groupId))")
					.contains("then skipped");
				assertThat(line(output, "theid")).contains(theirs + "'theid' (from @KafkaListener(id))");
				assertThat(line(output, "factory")).contains(theirs + "'own' (from its consumer factory)")
					.contains("failures are left to org.springframework.kafka.listener.DefaultErrorHandler");
				assertThat(line(output, "elsewhere")).contains("then to the topic with the suffix -dlt on the brokers "
						+ "[localhost:1] of the application's producer factory, not on its own [localhost:2]");
				assertThat(line(output, "back")).contains("starts on spring-kafka's container")
					.contains("'springKafkaListenerContainerFactory'")
					.contains("group 'shop'");
			});
	}

	/** Both names are there: the group that it joins and the one that was configured. */
	@Test
	void anIdThatBecomesTheGroupIsWarnedAbout(CapturedOutput output) {
		this.runner.withUserConfiguration(Factories.class, Listeners.class).run((context) -> {
			List<String> warnings = lines(output, ID_IS_GROUP);
			assertThat(warnings).hasSize(1)
				.first()
				.asString()
				.contains("WARN", "theid: ", "joins the group 'theid', not 'shop' of spring.kafka.consumer.group-id");
		});
	}

	@Test
	void anIdThatIsTheOnlyNameOfAGroupIsNot(CapturedOutput output) {
		this.runner.withUserConfiguration(Factories.class, Listeners.class)
			.withPropertyValues("spring.kafka.consumer.group-id=theid")
			.run((context) -> assertThat(output).doesNotContain(ID_IS_GROUP));
		this.stopped.withUserConfiguration(OnlyAnId.class)
			.withPropertyValues("spring.kafka.consumer.group-id=")
			.run((context) -> assertThat(output).doesNotContain(ID_IS_GROUP));
	}

	/** Boot takes it as it is written; many run so in tests. */
	@Test
	void aGroupWithAPlaceholderThatNothingResolvesStopsNothing(CapturedOutput output) {
		this.stopped.withUserConfiguration(OnlyAnId.class)
			.withPropertyValues("spring.kafka.consumer.group-id=shop-${nobody.knows}")
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(output).contains(ID_IS_GROUP);
			});
	}

	@ParameterizedTest
	@ValueSource(strings = { "spring.kafka.consumer.enable-auto-commit",
			"spring.kafka.consumer.properties.enable.auto.commit",
			"spring.kafka.consumer.properties[enable.auto.commit]", "spring.kafka.properties.enable.auto.commit" })
	void autoCommitIsTakenAsItsInterval(String property, CapturedOutput output) {
		this.stopped.withUserConfiguration(OnlyAnId.class)
			.withPropertyValues(property + "=true", "spring.kafka.consumer.auto-commit-interval=250ms")
			.run((context) -> {
				assertThat(commitInterval(context)).isEqualTo(Duration.ofMillis(250));
				assertThat(lines(output, "enable.auto.commit=true is taken as a commit each 250 ms")).hasSize(1);
			});
	}

	@Test
	void autoCommitHasTheClientsIntervalUnlessOursIsSet(CapturedOutput output) {
		this.stopped.withUserConfiguration(AutoCommitting.class)
			.run((context) -> assertThat(commitInterval(context)).isEqualTo(Duration.ofSeconds(5)));
		for (String ours : List.of("evenkeel.kafka.consumer.", "evenkeel.kafka.consumer.listeners.only.")) {
			this.stopped.withUserConfiguration(AutoCommitting.class)
				.withPropertyValues(ours + "commit.interval=1s")
				.run((context) -> assertThat(commitInterval(context)).isEqualTo(Duration.ofSeconds(1)));
		}
		this.stopped.withUserConfiguration(OnlyAnId.class)
			.withPropertyValues("spring.kafka.consumer.auto-commit-interval=250ms")
			.run((context) -> assertThat(commitInterval(context)).as("it is not asked for")
				.isEqualTo(Duration.ofSeconds(1)));
	}

	@Test
	void aTransactionManagerBesideFixTxOffsetsIsTaken(CapturedOutput output) {
		this.stopped.withUserConfiguration(OnlyAnId.class)
			.withBean(EvenkeelContainerFactoryCustomizer.class,
					() -> (factory) -> factory.getContainerProperties().setFixTxOffsets(true))
			.withPropertyValues("evenkeel.kafka.producer.enabled=true",
					"spring.kafka.producer.transaction-id-prefix=tx")
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(lines(output, "fixTxOffsets has no effect beside a transaction manager")).hasSize(1);
			});
	}

	@Test
	void anOrderingOfKeysSaysWhatItMeansForBatches(CapturedOutput output) {
		this.stopped.withUserConfiguration(Batches.class)
			.withBean(EvenkeelContainerFactoryCustomizer.class,
					() -> (factory) -> factory.getContainerProperties().setRecordObservationsInBatch(true))
			.withPropertyValues("evenkeel.kafka.consumer.ordering=key")
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(lines(output, "evenkeel.kafka.consumer.ordering=key means for a batch listener")).hasSize(1)
					.first()
					.asString()
					.contains("batch: ");
			});
	}

	private static Duration commitInterval(AssertableApplicationContext context) {
		EvenkeelContainer<?, ?> container = (EvenkeelContainer<?, ?>) context
			.getBean(KafkaListenerEndpointRegistry.class)
			.getListenerContainer("only");
		return container.settings().commitInterval();
	}

	private static String line(CapturedOutput output, String listener) {
		List<String> lines = lines(output, " " + listener + ": starts on ");
		assertThat(lines).as(listener).hasSize(1);
		assertThat(lines.get(0)).contains("INFO");
		return lines.get(0);
	}

	private static List<String> lines(CapturedOutput output, String part) {
		return output.toString().lines().filter((line) -> line.contains(part)).toList();
	}

	@Configuration(proxyBeanMethods = false)
	static class Factories {

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, String> own() {
			ConcurrentKafkaListenerContainerFactory<String, String> factory = new ConcurrentKafkaListenerContainerFactory<>();
			factory.setConsumerFactory(new DefaultKafkaConsumerFactory<>(Map.of("bootstrap.servers", "localhost:1",
					"group.id", "own", "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
					"value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer")));
			factory.setCommonErrorHandler(new DefaultErrorHandler(new FixedBackOff(0, 1)));
			return factory;
		}

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, String> elsewhere() {
			return on("localhost:2");
		}

		private static ConcurrentKafkaListenerContainerFactory<String, String> on(String servers) {
			ConcurrentKafkaListenerContainerFactory<String, String> factory = new ConcurrentKafkaListenerContainerFactory<>();
			factory.setConsumerFactory(
					new DefaultKafkaConsumerFactory<>(Map.of("bootstrap.servers", servers, "group.id", "own"),
							new StringDeserializer(), new StringDeserializer()));
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Listeners {

		@KafkaListener(id = "property", idIsGroup = false, topics = "topic")
		void property(String value) {
		}

		@KafkaListener(id = "attribute", groupId = "attribute", topics = "topic")
		void attribute(String value) {
		}

		@KafkaListener(id = "theid", topics = "topic")
		void id(String value) {
		}

		@KafkaListener(id = "factory", idIsGroup = false, topics = "topic", containerFactory = "own")
		void factory(String value) {
		}

		@KafkaListener(id = "elsewhere", idIsGroup = false, topics = "topic", containerFactory = "elsewhere")
		void elsewhere(String value) {
		}

		@KafkaListener(id = "back", idIsGroup = false, topics = "topic", autoStartup = "false",
				containerFactory = "springKafkaListenerContainerFactory")
		void back(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OnlyAnId {

		@KafkaListener(id = "only", topics = "topic")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class AutoCommitting {

		@KafkaListener(id = "only", topics = "topic", properties = "enable.auto.commit=true")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Batches {

		@KafkaListener(id = "batch", topics = "topic", batch = "true")
		void listen(List<String> values) {
		}

	}

}
