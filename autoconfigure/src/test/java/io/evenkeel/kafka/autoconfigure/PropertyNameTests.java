package io.evenkeel.kafka.autoconfigure;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import io.evenkeel.kafka.config.InvalidSettingException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

/**
 * A property below {@code evenkeel.kafka} that nothing reads, and those that are read
 * however they are spelled.
 */
class PropertyNameTests {

	private final DefaultListableBeanFactory beans = new DefaultListableBeanFactory();

	@ParameterizedTest
	@CsvSource({ "evenkeel.kafka.consumer.odering,evenkeel.kafka.consumer.ordering",
			"evenkeel.kafka.consumer.retry.max-atempts,evenkeel.kafka.consumer.retry.max-attempts",
			"evenkeel.kafka.consumer.retry.maxRetries,evenkeel.kafka.consumer.retry.max-",
			"evenkeel.kafka.consumer.commitInterval,evenkeel.kafka.consumer.commit.interval",
			"evenkeel.kafka.consumer.ordering.key,evenkeel.kafka.consumer.ordering",
			"evenkeel.kafka.consumer.retry.not-retriable[0],evenkeel.kafka.consumer.retry.not-retryable",
			"evenkeel.kafka.consumr.concurrency,evenkeel.kafka.consumer.concurrency",
			"evenkeel.kafka.ordering,evenkeel.kafka.consumer.ordering",
			"evenkeel.kafka.producer.metadata.time-out-ms,evenkeel.kafka.producer.metadata.timeout",
			"evenkeel.kafka.producer.buffer.max-record,evenkeel.kafka.producer.buffer.max-records",
			"evenkeel.kafka.consumer.listeners.orders.odering,ordering",
			"evenkeel.kafka.consumer.listeners[my.orders].retry.max-attemps,retry.max-attempts",
			"evenkeel.kafka.producer.topics.orders.metadata.timout,metadata.timeout" })
	void oneThatNothingReadsIsRefusedWithTheNearest(String name, String nearest) {
		MapPropertySource source = new MapPropertySource("test", Map.of(name, "key"));
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> check(source)).satisfies((ex) -> {
			FailureAnalysis analysis = new InvalidSettingFailureAnalyzer(environment(source)).analyze(ex, ex);
			assertThat(analysis.getDescription()).contains("=key (from ").contains("\"" + name + "\"");
			assertThat(analysis.getDescription() + analysis.getAction()).contains("nearest").contains(nearest);
		});
	}

	@ParameterizedTest
	@CsvSource({ "EVENKEEL_KAFKA_CONSUMER_ODERING,evenkeel.kafka.consumer.ordering",
			"EVENKEEL_KAFKA_CONSUMER_MAX_PENDING_RECORD,evenkeel.kafka.consumer.max-pending-records",
			"EVENKEEL_KAFKA_PORTS,evenkeel.kafka" })
	void anEnvironmentVariableThatNothingReadsIsRefusedToo(String name, String nearest) {
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> check(variables(name)))
			.withMessageContaining(nearest);
	}

	@ParameterizedTest
	@ValueSource(strings = { "EVENKEEL_KAFKA_CONSUMER_ORDERING", "EVENKEEL_KAFKA_CONSUMER_MAXPENDINGRECORDS",
			"EVENKEEL_KAFKA_CONSUMER_MAX_PENDING_RECORDS", "EVENKEEL_KAFKA_CONSUMER_RETRY_NOTRETRYABLE_0",
			"EVENKEEL_KAFKA_CONSUMER_LISTENERS_ORDERS_RETRY_MAXATTEMPTS",
			"EVENKEEL_KAFKA_CONSUMER_LISTENERS_ORDERS_RETRY_MAX_ATTEMPTS",
			"EVENKEEL_KAFKA_PRODUCER_FAIL_FAST_OPEN_DURATION", "EVENKEEL_KAFKA_SERVICE_HOST",
			"EVENKEEL_KAFKA_PORT_9092_TCP_ADDR", "EVENKEEL_KAFKA_CONSUMER_SERVICE_PORT_HTTP", "EVENKEEL_KAFKA_PORT" })
	void anEnvironmentVariableThatIsReadIsNot(String name) {
		assertThatNoException().isThrownBy(() -> check(variables(name)));
	}

	@ParameterizedTest
	@ValueSource(strings = { "evenkeel.kafka.consumer.maxPendingRecords", "evenkeel.kafka.consumer.max_pending_records",
			"evenkeel.kafka.consumer.adopt-factories", "evenkeel.kafka.consumer.retry.not-retryable",
			"evenkeel.kafka.consumer.retry.notRetryable[1]", "evenkeel.kafka.consumer.retry",
			"evenkeel.kafka.consumer.listeners.orders.ordering", "evenkeel.kafka.consumer.listeners.orders",
			"evenkeel.kafka.consumer.listeners[a.b].retry.not-retryable[0]",
			"evenkeel.kafka.producer.topics[a.b].metadata.retry.maxAttempts",
			"evenkeel.kafka.producer.startup.verify-topics[0]", "evenkeel.kafkaesque.anything", "evenkeel.other" })
	void oneThatIsReadIsNot(String name) {
		assertThatNoException().isThrownBy(() -> check(new MapPropertySource("test", Map.of(name, ""))));
	}

	@ParameterizedTest
	@MethodSource("documented")
	void eachThatIsDocumentedIsRead(String name) {
		assertThatNoException().isThrownBy(() -> check(new MapPropertySource("test", Map.of(name, "1"))));
	}

	static Stream<String> documented() {
		return Stream.concat(bound("evenkeel.kafka.consumer", EvenkeelConsumerProperties.class),
				bound("evenkeel.kafka.producer", EvenkeelProducerProperties.class));
	}

	private static Stream<String> bound(String prefix, Class<?> type) {
		List<String> names = List.copyOf(new PropertyNames().read(prefix, type).names());
		assertThat(names).hasSizeGreaterThan(10);
		return names.stream();
	}

	@Test
	void whatTheApplicationBindsItselfIsItsOwn() {
		this.beans.registerBeanDefinition("extra", new RootBeanDefinition(Extra.class));
		assertThatNoException()
			.isThrownBy(() -> check(new MapPropertySource("test", Map.of("evenkeel.kafka.extra.colour", "red"))));
		assertThatExceptionOfType(InvalidSettingException.class)
			.isThrownBy(() -> check(new MapPropertySource("test", Map.of("evenkeel.kafka.xtra.colour", "red"))));
	}

	@Test
	void aSecretInTheWrongPlaceIsNotShown() {
		MapPropertySource source = new MapPropertySource("test", Map.of("evenkeel.kafka.sasl.password", "geheim"));
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> check(source)).satisfies((ex) -> {
			FailureAnalysis analysis = new InvalidSettingFailureAnalyzer(environment(source)).analyze(ex, ex);
			assertThat(analysis.getDescription() + analysis.getAction() + ex.getMessage())
				.contains("evenkeel.kafka.sasl.password")
				.doesNotContain("geheim");
		});
	}

	private static PropertySource<?> variables(String name) {
		return new SystemEnvironmentPropertySource(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
				Map.of(name, "1"));
	}

	private void check(PropertySource<?> source) {
		new PropertyNameCheck(environment(source), this.beans).afterSingletonsInstantiated();
	}

	private static StandardEnvironment environment(PropertySource<?> source) {
		StandardEnvironment environment = new StandardEnvironment();
		environment.getPropertySources().forEach((other) -> environment.getPropertySources().remove(other.getName()));
		environment.getPropertySources().addFirst(source);
		return environment;
	}

	@ConfigurationProperties("evenkeel.kafka.extra")
	static class Extra {

	}

}
