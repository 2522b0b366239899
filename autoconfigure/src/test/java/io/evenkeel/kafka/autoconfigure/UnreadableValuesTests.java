package io.evenkeel.kafka.autoconfigure;

import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.kafka.annotation.KafkaListener;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A value that cannot be read, or a name that nothing reads, stops the start with words
 * that say what to write. No broker is needed.
 */
class UnreadableValuesTests {

	private ConfigurableApplicationContext context;

	private final ApplicationContextRunner runner = StartupAnalysis.runner()
		.withInitializer((context) -> this.context = context)
		.withUserConfiguration(Listening.class)
		.withPropertyValues("spring.kafka.listener.auto-startup=false");

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			value = { "evenkeel.kafka.consumer.ordering|keys|partition, key or none",
					"evenkeel.kafka.consumer.recovery.on-exhausted|drop|dead-letter, skip or stop",
					"evenkeel.kafka.consumer.rebalance.on-drain-timeout|kill|abandon or interrupt",
					"evenkeel.kafka.producer.startup.on-missing|no|warn or fail",
					"evenkeel.kafka.consumer.concurrency|1.5|a whole number from 1 to 10000",
					"evenkeel.kafka.consumer.concurrency|99999999999|a whole number from 1 to 10000",
					"evenkeel.kafka.consumer.max-pending-records|2147483648|a whole number from 1 to 2147483647",
					"evenkeel.kafka.consumer.retry.max-attempts|many|a whole number from 1 to 2147483647",
					"evenkeel.kafka.consumer.retry.jitter|abc|a number from 0 to 1",
					"evenkeel.kafka.consumer.retry.multiplier|abc|a number of at least 1",
					"evenkeel.kafka.consumer.commit.interval|0.5s|such as 500ms",
					"evenkeel.kafka.consumer.commit.interval|10 s|such as 500ms",
					"evenkeel.kafka.consumer.commit.save-completed|maybe|true or false",
					"evenkeel.kafka.consumer.retry.not-retryable|no.such.X|full name of an exception class",
					"evenkeel.kafka.consumer.retry.not-retryable[0]|no.such.X|full name of an exception class",
					"evenkeel.kafka.consumer.listeners.listener.ordering|keys|partition, key or none",
					"evenkeel.kafka.consumer.listeners[my.listener].concurrency|x|a whole number from 1 to 10000",
					"evenkeel.kafka.producer.buffer.max-bytes|16XB|such as 16MB",
					"evenkeel.kafka.producer.buffer.max-records|x|a whole number from 1 to 2147483647",
					"evenkeel.kafka.producer.topics[orders.v1].metadata.timeout|soon|such as 500ms",
					"evenkeel.kafka.producer.topics.orders.metadata.retry.jitter|x|a number from 0 to 1",
					"management.health.kafkalisteners.stale-after|abc|such as 500ms",
					"management.health.kafkaproducer.stale-after|abc|such as 500ms" })
	void aValueThatCannotBeRead(String property, String value, String advice) {
		this.runner.withPropertyValues(property + "=" + value).run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains(property + "=" + value)
				.contains("from \"" + property + "\" from property source \"test\"");
			assertThat(analysis.getAction()).contains("Write ").contains(advice);
		});
	}

	@ParameterizedTest
	@CsvSource({ "evenkeel.kafka.consumer.enabled", "evenkeel.kafka.producer.enabled" })
	void aSwitchThatIsNeitherOnNorOff(String property) {
		this.runner.withPropertyValues(property + "=maybe").run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains(property + "=maybe (from \"" + property + "\"");
			assertThat(analysis.getAction()).contains("true or false");
		});
	}

	@Test
	void otherPropertiesKeepTheAnalysisOfBoot() {
		this.runner.withPropertyValues("spring.kafka.listener.poll-timeout=soon")
			.run((context) -> assertThat(analysis(context).getDescription()).contains("Failed to bind properties"));
	}

	@Test
	void anElementOfAListIsNamedWhereItStands() {
		this.runner
			.withPropertyValues("evenkeel.kafka.consumer.retry.not-retryable[0]=java.io.IOException",
					"evenkeel.kafka.consumer.retry.not-retryable[1]=java.lang.String")
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("evenkeel.kafka.consumer.retry.not-retryable[1]=java.lang.String (from \"")
				.contains("java.lang.String is no exception"));
		this.runner
			.withPropertyValues("evenkeel.kafka.consumer.listeners.listener.retry.not-retryable[0]=java.lang.String")
			.run((context) -> assertThat(analysis(context).getDescription()).contains(
					"evenkeel.kafka.consumer.listeners.listener.retry.not-retryable[0]=java.lang.String (from \""));
	}

	@ParameterizedTest
	@CsvSource({ "evenkeel.kafka.producer.topics.orders.metadata_timeout,5s,metadata.timeout",
			"evenkeel.kafka.producer.topics.orders.metadataTimeout,5s,metadata.timeout",
			"evenkeel.kafka.producer.topics.orders.metadata.retry.initial.interval,5s,metadata.retry.initial-interval",
			"evenkeel.kafka.producer.topics[orders.v1].fail.fast.open.duration,5s,fail-fast.open-duration",
			"evenkeel.kafka.consumer.listeners.listener.commit_interval,5s,commit.interval",
			"evenkeel.kafka.consumer.listeners.listener.max.pending.records,5,max-pending-records" })
	void aNameThatNothingReads(String property, String value, String right) {
		this.runner.withPropertyValues(property + "=" + value).run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains("=" + value + " (from \"" + property + "\"");
			assertThat(analysis.getAction()).contains(right);
		});
	}

	/** It is written in more ways than a property: those that Boot binds are right. */
	@ParameterizedTest
	@CsvSource({ "RETRY_INITIAL_INTERVAL", "RETRY_INITIALINTERVAL" })
	void anEnvironmentVariableIsReadInBothWays(String name) {
		environment(Map.of("EVENKEEL_KAFKA_CONSUMER_LISTENERS_LISTENER_" + name, "400d"))
			.run((context) -> assertThat(analysis(context).getDescription())
				.contains("evenkeel.kafka.consumer.listeners.listener.retry.initial-interval=")
				.contains("it must be from 1ms to 365d"));
	}

	@Test
	void anEnvironmentVariableOfAListenerLeavesOutWhatSeparatesWords() {
		environment(Map.of("EVENKEEL_KAFKA_CONSUMER_LISTENERS_MY_LISTENER_CONCURRENCY", "3"))
			.run((context) -> assertThat(analysis(context).getAction())
				.contains("EVENKEEL_KAFKA_CONSUMER_LISTENERS_MYLISTENER_CONCURRENCY=3"));
		environment(Map.of("EVENKEEL_KAFKA_CONSUMER_LISTENERS_LISTENER_CONCURRENCY", "20000"))
			.run((context) -> assertThat(analysis(context).getDescription()).contains("20000"));
	}

	/** The words left out would make another topic's name. */
	@Test
	void anEnvironmentVariableCannotNameATopicWithWords() {
		String json = "{\"evenkeel.kafka.producer.topics[orders.v1].metadata.timeout\": \"3s\"}";
		environment(Map.of("EVENKEEL_KAFKA_PRODUCER_TOPICS_ORDERS_V1_METADATA_TIMEOUT", "3s")).run((context) -> {
			FailureAnalysis analysis = analysis(context);
			assertThat(analysis.getDescription()).contains("EVENKEEL_KAFKA_PRODUCER_TOPICS_ORDERS_V1_METADATA_TIMEOUT");
			assertThat(analysis.getAction()).contains("SPRING_APPLICATION_JSON=" + json).doesNotContain("leave out");
		});
	}

	private ApplicationContextRunner environment(Map<String, Object> variables) {
		return this.runner.withInitializer((context) -> context.getEnvironment()
			.getPropertySources()
			.addFirst(new SystemEnvironmentPropertySource("systemEnvironment", variables)));
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

}
