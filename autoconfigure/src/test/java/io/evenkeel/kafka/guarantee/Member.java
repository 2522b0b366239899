package io.evenkeel.kafka.guarantee;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.autoconfigure.EvenkeelConsumerAutoConfiguration;
import io.evenkeel.kafka.autoconfigure.metrics.EvenkeelConsumerMetricsAutoConfiguration;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;
import org.springframework.kafka.listener.MessageListenerContainer;

import static org.awaitility.Awaitility.await;

/**
 * One member of a group: an application of its own with one listener, as a user would
 * write it, in this JVM.
 */
final class Member implements AutoCloseable {

	private static final AtomicInteger NUMBERS = new AtomicInteger();

	private final String name;

	private final ConfigurableApplicationContext context;

	private Member(String name, ConfigurableApplicationContext context) {
		this.name = name;
		this.context = context;
	}

	/** Describe a member; the group is named like the topic unless told otherwise. */
	static Builder of(GroupProtocol protocol, String topic) {
		return new Builder(protocol, topic);
	}

	String name() {
		return this.name;
	}

	ConfigurableApplicationContext context() {
		return this.context;
	}

	MessageListenerContainer container() {
		MessageListenerContainer container = this.context.getBean(KafkaListenerEndpointRegistry.class)
			.getListenerContainer("listener");
		if (container == null) {
			throw new IllegalStateException("no listener");
		}
		return container;
	}

	EvenkeelContainer<?, ?> evenkeel() {
		return (EvenkeelContainer<?, ?>) container();
	}

	Collection<TopicPartition> assigned() {
		Collection<TopicPartition> assigned = container().getAssignedPartitions();
		return (assigned != null) ? assigned : List.of();
	}

	Member awaitAssigned(int partitions) {
		return awaitOrClose(() -> assigned().size() == partitions);
	}

	Member awaitAnyAssigned() {
		return awaitOrClose(() -> !assigned().isEmpty());
	}

	/**
	 * One that a test waits for in vain, while it makes it, is in nobody's hands yet:
	 * left alone it would stay in this JVM, in its group and in the leak tests of other
	 * classes.
	 */
	private Member awaitOrClose(Callable<Boolean> condition) {
		try {
			await().atMost(Duration.ofSeconds(40)).pollInterval(Duration.ofMillis(20)).until(condition);
			return this;
		}
		catch (RuntimeException | Error ex) {
			close();
			throw ex;
		}
	}

	/** Whether a rebalance callback is running. */
	boolean isRevoking() {
		return evenkeel().isRebalancing();
	}

	/** How many records have ended while a revoke waited for them. */
	int drained() {
		return evenkeel().rebalances().stream().mapToInt((entry) -> entry.drained()).sum();
	}

	SimpleMeterRegistry meters() {
		return this.context.getBean(SimpleMeterRegistry.class);
	}

	/** The sum of a counter over all its tags but the given ones. */
	double count(String counter, String... tags) {
		return meters().find(counter).tags(tags).counters().stream().mapToDouble((found) -> found.count()).sum();
	}

	@Override
	public void close() {
		this.context.close();
	}

	/** What a member does with a record. */
	@FunctionalInterface
	interface Handler {

		void handle(String member, ConsumerRecord<Object, Object> record) throws Exception;

	}

	/** Settings of a member before it starts. */
	static final class Builder {

		private final List<String> arguments = new ArrayList<>();

		private final Map<String, Object> beans = new ConcurrentHashMap<>();

		private Class<?> application = SingleTopic.class;

		private Handler handler = (member, record) -> {
		};

		private Builder(GroupProtocol protocol, String topic) {
			this.arguments.addAll(List.of("--test.topic=" + topic,
					"--spring.kafka.bootstrap-servers=" + EmbeddedBroker.bootstrapServers(),
					"--spring.kafka.consumer.group-id=" + topic, "--spring.kafka.consumer.auto-offset-reset=earliest",
					"--spring.main.banner-mode=off", "--spring.main.log-startup-info=false",
					"--spring.main.register-shutdown-hook=false"));
			this.arguments.addAll(protocol.arguments(6_000));
		}

		Builder handler(Handler handler) {
			this.handler = handler;
			return this;
		}

		/** Properties in the form {@code name=value}; later ones win. */
		Builder with(String... properties) {
			for (String property : properties) {
				String name = property.substring(0, property.indexOf('=') + 1);
				this.arguments.removeIf((argument) -> argument.startsWith("--" + name));
				this.arguments.add("--" + property);
			}
			return this;
		}

		/** Properties of the Kafka consumer. */
		Builder client(String... properties) {
			for (String property : properties) {
				with("spring.kafka.consumer.properties." + property);
			}
			return this;
		}

		Builder bean(String name, Object bean) {
			this.beans.put(name, bean);
			return this;
		}

		Builder application(Class<?> application) {
			this.application = application;
			return this;
		}

		Member start() {
			String name = "member-" + NUMBERS.incrementAndGet();
			Handler own = this.handler;
			RecordHandler bound = (record) -> own.handle(name, record);
			ConfigurableApplicationContext context = new SpringApplicationBuilder(this.application)
				.web(WebApplicationType.NONE)
				.initializers((ConfigurableApplicationContext target) -> {
					GenericApplicationContext generic = (GenericApplicationContext) target;
					generic.getBeanFactory().registerSingleton("recordHandler", bound);
					this.beans.forEach(generic.getBeanFactory()::registerSingleton);
				})
				.run(this.arguments.toArray(String[]::new));
			return new Member(name, context);
		}

		/** In a process of its own; its handler takes so long. */
		MemberProcess startProcess(int handlerMillis) {
			List<String> own = new ArrayList<>(this.arguments);
			own.remove("--spring.main.register-shutdown-hook=false");
			return MemberProcess.start(own, handlerMillis);
		}

	}

	/** A handler that knows whose it is. */
	@FunctionalInterface
	interface RecordHandler {

		void handle(ConsumerRecord<Object, Object> record) throws Exception;

	}

	/** What an application with meters has. */
	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ EvenkeelConsumerAutoConfiguration.class, KafkaAutoConfiguration.class,
			EvenkeelConsumerMetricsAutoConfiguration.class })
	static class Base {

		/** An application's way to its own rebalance listener. */
		@Bean
		ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> containerCustomizer(
				ObjectProvider<ConsumerAwareRebalanceListener> listener) {
			return (container) -> listener
				.ifAvailable(container.getContainerProperties()::setConsumerRebalanceListener);
		}

		@Bean
		SimpleMeterRegistry meterRegistry() {
			return new SimpleMeterRegistry();
		}

	}

	/** An application that listens to one topic, or to some, separated by commas. */
	@Configuration(proxyBeanMethods = false)
	static class SingleTopic extends Base {

		private final RecordHandler handler;

		SingleTopic(RecordHandler handler) {
			this.handler = handler;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "#{'${test.topic}'.split(',')}")
		void listen(ConsumerRecord<Object, Object> record) throws Exception {
			this.handler.handle(record);
		}

	}

}
