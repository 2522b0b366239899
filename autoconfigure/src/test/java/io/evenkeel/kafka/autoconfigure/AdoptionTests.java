package io.evenkeel.kafka.autoconfigure;

import java.util.Map;
import java.util.regex.Pattern;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.EvenkeelContainerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.kafka.autoconfigure.ConcurrentKafkaListenerContainerFactoryConfigurer;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListenerConfigurer;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.config.AbstractKafkaListenerContainerFactory;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpoint;
import org.springframework.kafka.config.KafkaListenerEndpointRegistrar;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.config.MethodKafkaListenerEndpoint;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.messaging.handler.annotation.support.DefaultMessageHandlerMethodFactory;
import org.springframework.util.ReflectionUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Container factories of the application: taken over with what they were set to, or said
 * why not. Listeners here do not start by themselves: no broker is needed.
 */
@ExtendWith(OutputCaptureExtension.class)
class AdoptionTests {

	private static final String ADOPT = "evenkeel.kafka.consumer.adopt-factories";

	private final ApplicationContextRunner runner = StartupAnalysis.runner()
		.withPropertyValues("spring.kafka.listener.auto-startup=false");

	@Test
	void theFactoriesOfAnApplicationAreTakenOverWhateverTheirNames(CapturedOutput output) {
		this.runner.withUserConfiguration(Factories.class, Listeners.class).run((context) -> {
			assertThat(context).hasNotFailed();
			for (String name : new String[] { "kafkaListenerContainerFactory", "texts", "lazy", "made", "scoped" }) {
				assertOurs(context, name + "-listener");
			}
			assertThat(context.getBean("kafkaListenerContainerFactory"))
				.isInstanceOf(ConcurrentKafkaListenerContainerFactory.class);
			ConcurrentMessageListenerContainer<?, ?> container = container(context, "texts-listener");
			assertThat(container.getConcurrency()).isEqualTo(3);
			assertThat(container.getContainerProperties().getAckMode()).isEqualTo(AckMode.MANUAL);
			assertThat(container.getContainerProperties().getPollTimeout()).isEqualTo(77);
			assertThat(container.getPhase()).isEqualTo(42);
			assertThat(container(context, "kafkaListenerContainerFactory-listener").getContainerProperties()
				.getIdleEventInterval()).as("by Boot's configurer").isEqualTo(9000L);
			assertThat(output).doesNotContain("WARN");
			assertThat(output).contains("The bean 'texts' is taken over");
		});
	}

	@Test
	void bootsOwnFactoryIsLeftAlone(CapturedOutput output) {
		this.runner.withUserConfiguration(GoingBack.class).run((context) -> {
			assertStock(context, "back");
			assertThat(output).doesNotContain("WARN");
		});
		this.runner.withUserConfiguration(GoingBack.class, OwnWayBack.class)
			.run((context) -> assertStock(context, "back"));
	}

	@Test
	void nothingIsTakenOverWhenItIsNotWanted(CapturedOutput output) {
		this.runner.withUserConfiguration(Factories.class, Listeners.class)
			.withPropertyValues(ADOPT + "=false")
			.run((context) -> {
				assertStock(context, "texts-listener");
				assertStock(context, "kafkaListenerContainerFactory-listener");
				assertThat(output)
					.containsPattern("INFO .*The bean 'texts' .* is left as it is .*\\[texts-listener\\]");
				assertThat(output).doesNotContain("WARN").doesNotContain("is taken over");
			});
		this.runner.withUserConfiguration(Factories.class, Listeners.class)
			.withPropertyValues("evenkeel.kafka.consumer.enabled=false")
			.run((context) -> {
				assertStock(context, "texts-listener");
				assertThat(context.getBean(KafkaListenerEndpointRegistry.class))
					.isExactlyInstanceOf(KafkaListenerEndpointRegistry.class);
			});
	}

	@Test
	void whatIsSetLaterCounts() {
		this.runner.withUserConfiguration(SetLater.class, ListeningLater.class).run((context) -> {
			assertOurs(context, "later");
			assertThat(container(context, "later").getConcurrency()).as("where it is injected").isEqualTo(6);
			assertThat(container(context, "later").getContainerProperties().getIdleEventInterval())
				.as("by a post-processor")
				.isEqualTo(31L);
			assertThat(container(context, "later").isAutoStartup()).as("where it was made").isFalse();
		});
	}

	@Test
	void listenersRegisteredByCodeAreOurs(CapturedOutput output) {
		this.runner.withUserConfiguration(Factories.class, ByCode.class).run((context) -> {
			assertOurs(context, "default");
			assertOurs(context, "bean");
			assertOurs(context, "noBean");
			KafkaListenerEndpointRegistry registry = context.getBean(KafkaListenerEndpointRegistry.class);
			registry.registerListenerContainer(ByCode.endpoint("late"),
					context.getBean("texts", ConcurrentKafkaListenerContainerFactory.class));
			assertOurs(context, "late");
			assertThat(output).doesNotContain("WARN");
		});
	}

	@Test
	void containersMadeOfAFactoryAreOurs() {
		this.runner.withUserConfiguration(Factories.class).run((context) -> {
			ConcurrentKafkaListenerContainerFactory<?, ?> factory = context.getBean("texts",
					ConcurrentKafkaListenerContainerFactory.class);
			assertThat(factory.createContainer("replies")).isInstanceOf(EvenkeelContainer.class);
			assertThat(factory.createContainer(Pattern.compile("replies.*"))).isInstanceOf(EvenkeelContainer.class);
		});
	}

	@Test
	void retryTopicsOverAFactoryAreOurs() {
		this.runner.withUserConfiguration(Factories.class, Retrying.class).run((context) -> {
			assertOurs(context, "retrying");
			assertOurs(context, "retrying-retry");
			assertOurs(context, "retrying-dlt");
		});
	}

	@Test
	void aFactoryOfAParentIsTakenOverForTheListeners(CapturedOutput output) {
		try (AnnotationConfigApplicationContext parent = new AnnotationConfigApplicationContext(Parent.class)) {
			this.runner.withParent(parent).withUserConfiguration(OfAParent.class).run((context) -> {
				assertThat(context).hasNotFailed();
				assertOurs(context, "inherited");
				assertThat(output).doesNotContain("WARN");
			});
		}
	}

	@Test
	void aSubclassIsNamedWithItsListenersAndTheCure(CapturedOutput output) {
		this.runner.withUserConfiguration(Subclasses.class, ListeningToSubclasses.class).run((context) -> {
			assertStock(context, "one");
			assertStock(context, "two");
			assertThat(lines(output, "WARN")).hasSize(2);
			assertThat(output).containsPattern("WARN .*The bean 'special' \\(.*Special\\) cannot be taken over: .*"
					+ "its listeners \\[one, two\\] run on spring-kafka's container.*EvenkeelContainerFactory");
			assertThat(output).containsPattern("WARN .*The bean 'other' \\(.*Other\\) cannot be taken over: it is no "
					+ "ConcurrentKafkaListenerContainerFactory.*listeners \\[three\\]");
		});
	}

	/** There too a listener that nobody starts may be incomplete. */
	@Test
	void whatWouldNotStartIsRefusedOnlyWhenItStarts(CapturedOutput output) {
		this.runner.withUserConfiguration(Incomplete.class, ListeningLater.class).run((context) -> {
			assertThat(context).hasNotFailed();
			assertThat(lines(output, "WARN")).hasSize(1);
			assertThat(output).containsPattern("WARN .*later: it cannot start as it is configured: .*no group id");
			assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(container(context, "later")::start);
		});
	}

	@Test
	void anApplicationThatIsLazyIsNoMatter() {
		this.runner.withUserConfiguration(Factories.class)
			.withInitializer(
					(context) -> context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor()))
			.run((context) -> assertThat(context.getBean("texts")).isInstanceOf(EvenkeelContainerFactory.class));
	}

	private static long[] lines(CapturedOutput output, String level) {
		return output.toString().lines().filter((line) -> line.contains(level)).mapToLong(String::length).toArray();
	}

	private static ConcurrentMessageListenerContainer<?, ?> container(AssertableApplicationContext context, String id) {
		return (ConcurrentMessageListenerContainer<?, ?>) found(context, id);
	}

	private static MessageListenerContainer found(AssertableApplicationContext context, String id) {
		return context.getBean(KafkaListenerEndpointRegistry.class).getListenerContainer(id);
	}

	private static void assertOurs(AssertableApplicationContext context, String id) {
		assertThat(found(context, id)).as(id).isInstanceOf(EvenkeelContainer.class);
	}

	private static void assertStock(AssertableApplicationContext context, String id) {
		assertThat(found(context, id)).as(id).isNotNull().isNotInstanceOf(EvenkeelContainer.class);
	}

	private static <K, V> ConcurrentKafkaListenerContainerFactory<K, V> factory() {
		ConcurrentKafkaListenerContainerFactory<K, V> factory = new ConcurrentKafkaListenerContainerFactory<>();
		factory.setConsumerFactory(
				new DefaultKafkaConsumerFactory<>(Map.of("bootstrap.servers", "localhost:1", "group.id", "own")));
		factory.setAutoStartup(false);
		return factory;
	}

	@Configuration(proxyBeanMethods = false)
	static class Factories {

		@Bean
		ConcurrentKafkaListenerContainerFactory<?, ?> kafkaListenerContainerFactory(
				ConcurrentKafkaListenerContainerFactoryConfigurer configurer,
				ConsumerFactory<Object, Object> consumerFactory) {
			ConcurrentKafkaListenerContainerFactory<Object, Object> factory = new ConcurrentKafkaListenerContainerFactory<>();
			configurer.configure(factory, consumerFactory);
			factory.getContainerProperties().setIdleEventInterval(9000L);
			return factory;
		}

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, String> texts() {
			ConcurrentKafkaListenerContainerFactory<String, String> factory = factory();
			factory.setConcurrency(3);
			factory.setPhase(42);
			factory.getContainerProperties().setAckMode(AckMode.MANUAL);
			factory.getContainerProperties().setPollTimeout(77);
			return factory;
		}

		@Lazy
		@Bean
		static ConcurrentKafkaListenerContainerFactory<String, byte[]> lazy() {
			return factory();
		}

		@Bean
		static FactoryBean<ConcurrentKafkaListenerContainerFactory<?, ?>> made() {
			return new FactoryBean<>() {
				@Override
				public ConcurrentKafkaListenerContainerFactory<?, ?> getObject() {
					return factory();
				}

				@Override
				public Class<?> getObjectType() {
					return ConcurrentKafkaListenerContainerFactory.class;
				}
			};
		}

		@Bean
		@Scope(scopeName = "prototype", proxyMode = ScopedProxyMode.TARGET_CLASS)
		static ConcurrentKafkaListenerContainerFactory<Object, Object> scoped() {
			return factory();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Listeners {

		@KafkaListener(id = "kafkaListenerContainerFactory-listener", idIsGroup = false, topics = "topic")
		void byDefault(String value) {
		}

		@KafkaListener(id = "texts-listener", idIsGroup = false, topics = "topic", containerFactory = "texts")
		void texts(String value) {
		}

		@KafkaListener(id = "lazy-listener", idIsGroup = false, topics = "topic", containerFactory = "lazy")
		void lazy(String value) {
		}

		@KafkaListener(id = "made-listener", idIsGroup = false, topics = "topic", containerFactory = "made")
		void made(String value) {
		}

		@KafkaListener(id = "scoped-listener", idIsGroup = false, topics = "topic", containerFactory = "#{@scoped}")
		void scoped(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class GoingBack {

		@KafkaListener(id = "back", idIsGroup = false, topics = "topic",
				containerFactory = "springKafkaListenerContainerFactory")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnWayBack {

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, String> springKafkaListenerContainerFactory() {
			return factory();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SetLater {

		private final ConcurrentKafkaListenerContainerFactory<String, String> kept = factory();

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, String> own() {
			this.kept.setAutoStartup(true);
			return this.kept;
		}

		@Bean
		static BeanPostProcessor tuning() {
			return new BeanPostProcessor() {
				@Override
				public Object postProcessBeforeInitialization(Object bean, String beanName) {
					if (bean instanceof ConcurrentKafkaListenerContainerFactory<?, ?> factory) {
						factory.getContainerProperties().setIdleEventInterval(31L);
					}
					return bean;
				}
			};
		}

		@Bean
		String tuned(ConcurrentKafkaListenerContainerFactory<String, String> own) {
			own.setConcurrency(6);
			this.kept.setAutoStartup(false);
			return "tuned";
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ListeningLater {

		@KafkaListener(id = "later", idIsGroup = false, topics = "topic", containerFactory = "own")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Incomplete {

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, String> own() {
			ConcurrentKafkaListenerContainerFactory<String, String> factory = factory();
			factory.setConsumerFactory(new DefaultKafkaConsumerFactory<>(Map.of("bootstrap.servers", "localhost:1")));
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ByCode implements KafkaListenerConfigurer {

		private final ConcurrentKafkaListenerContainerFactory<?, ?> texts;

		ByCode(ConcurrentKafkaListenerContainerFactory<String, String> texts) {
			this.texts = texts;
		}

		@Override
		public void configureKafkaListeners(KafkaListenerEndpointRegistrar registrar) {
			registrar.registerEndpoint(endpoint("default"));
			registrar.registerEndpoint(endpoint("bean"), this.texts);
			registrar.registerEndpoint(endpoint("noBean"), factory());
		}

		static KafkaListenerEndpoint endpoint(String id) {
			MethodKafkaListenerEndpoint<String, String> endpoint = new MethodKafkaListenerEndpoint<>();
			endpoint.setId(id);
			endpoint.setTopics("topic");
			endpoint.setGroupId("code");
			endpoint.setAutoStartup(false);
			endpoint.setBean(new Handler());
			endpoint.setMethod(ReflectionUtils.findMethod(Handler.class, "handle", String.class));
			endpoint.setMessageHandlerMethodFactory(new DefaultMessageHandlerMethodFactory());
			return endpoint;
		}

		static class Handler {

			public void handle(String value) {
			}

		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Retrying {

		@RetryableTopic(autoCreateTopics = "false", attempts = "2", kafkaTemplate = "kafkaTemplate")
		@KafkaListener(id = "retrying", topics = "topic", containerFactory = "texts")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Parent {

		@Bean
		ConcurrentKafkaListenerContainerFactory<String, String> inParent() {
			return factory();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OfAParent {

		@KafkaListener(id = "inherited", idIsGroup = false, topics = "topic", containerFactory = "inParent")
		void listen(String value) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Subclasses {

		@Bean
		Special special() {
			Special factory = new Special();
			factory.setConsumerFactory(new DefaultKafkaConsumerFactory<>(Map.of("group.id", "own")));
			factory.setAutoStartup(false);
			return factory;
		}

		@Bean
		Other other() {
			Other factory = new Other();
			factory.setConsumerFactory(new DefaultKafkaConsumerFactory<>(Map.of("group.id", "own")));
			factory.setAutoStartup(false);
			return factory;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ListeningToSubclasses {

		@KafkaListener(id = "one", idIsGroup = false, topics = "topic", containerFactory = "special")
		@KafkaListener(id = "two", idIsGroup = false, topics = "topic", containerFactory = "special")
		void special(String value) {
		}

		@KafkaListener(id = "three", idIsGroup = false, topics = "topic", containerFactory = "other")
		void other(String value) {
		}

	}

	static class Special extends ConcurrentKafkaListenerContainerFactory<String, String> {

	}

	static class Other extends
			AbstractKafkaListenerContainerFactory<ConcurrentMessageListenerContainer<String, String>, String, String> {

		@Override
		protected ConcurrentMessageListenerContainer<String, String> createContainerInstance(
				KafkaListenerEndpoint endpoint) {
			return new ConcurrentMessageListenerContainer<>(getConsumerFactory(),
					new ContainerProperties(endpoint.getTopics().toArray(new String[0])));
		}

	}

}
