package io.evenkeel.kafka.autoconfigure;

import java.beans.PropertyDescriptor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.container.EvenkeelContainerFactory;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplate;
import io.evenkeel.kafka.producer.EvenkeelProducerFactory;
import io.evenkeel.kafka.producer.ProducerRegistry;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.IntegerSerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.BeanUtils;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * The producer's beans beside those of the application and of Boot.
 */
class ProducerBeansTests {

	private static final String EXCLUDE = "spring.autoconfigure.exclude=" + KafkaAutoConfiguration.class.getName();

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(KafkaAutoConfiguration.class, EvenkeelProducerAutoConfiguration.class))
		.withPropertyValues("spring.kafka.bootstrap-servers=localhost:1",
				"evenkeel.kafka.producer.shutdown.timeout=100ms");

	@Test
	void excludingBootsAutoConfigurationByPropertySwitchesUsOff() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(EvenkeelProducerAutoConfiguration.class,
					EvenkeelConsumerAutoConfiguration.class))
			.withPropertyValues(EXCLUDE)
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(ProducerRegistry.class)
				.doesNotHaveBean(KafkaTemplate.class)
				.doesNotHaveBean(EvenkeelContainerFactory.class));
	}

	@Test
	void excludingBootsAutoConfigurationByAnnotationSwitchesUsOff() {
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(WithoutKafka.class)
			.web(WebApplicationType.NONE)
			.run()) {
			assertThat(context.getBeanNamesForType(ProducerRegistry.class)).isEmpty();
			assertThat(context.getBeanNamesForType(KafkaTemplate.class)).isEmpty();
			assertThat(context.getBeanNamesForType(EvenkeelContainerFactory.class)).isEmpty();
		}
	}

	@Test
	void aFactoryOfTheApplicationKeepsWhatItHas() {
		this.runner.withUserConfiguration(OwnFactory.class).run((context) -> {
			OwnFactory own = context.getBean(OwnFactory.class);
			DefaultKafkaProducerFactory<String, String> factory = own.factory;
			assertThat(context.getBean(ProducerFactory.class)).isSameAs(factory);
			KafkaTemplate<String, String> template = context.getBean(KafkaTemplate.class);
			CompletableFuture<?> send = template.send("orders", "v");
			assertThat(send).isNotDone();
			assertThat(factory.getKeySerializer()).isSameAs(own.serializer);
			assertThat(own.serializer.closed).hasValue(0);
			assertThat(own.added).containsExactly("own.mine-1");
			// Those of a client; without one there is the id alone.
			assertThat(own.metrics).hasValueGreaterThan(10);
			assertThat(own.processed).hasSize(1);
			assertThat(context.getBean(ProducerRegistry.class).snapshots()).extracting("id").containsExactly("mine-1");

			// A copy sends with its own serializer, not with the one that we have seen.
			KafkaTemplate<String, Integer> copy = new KafkaTemplate<>(cast(factory),
					Map.of("value.serializer", IntegerSerializer.class, "client.id", "copy"));
			assertThat(copy.send("orders", 1)).isNotDone();
			assertThat(own.added).containsExactly("own.mine-1", "not.managed.by.Spring.copy-1");
			copy.destroy();
			factory.reset();
			assertThat(own.serializer.closed).hasPositiveValue();
			assertThat(send).failsWithin(Duration.ofSeconds(5));
			assertThat(template.send("orders", "again")).isNotDone();
			assertThat(own.added).hasSize(3).last().isEqualTo("own.mine-2");
		});
	}

	@SuppressWarnings({ "unchecked", "rawtypes" })
	private static ProducerFactory<String, Integer> cast(ProducerFactory<?, ?> factory) {
		return (ProducerFactory) factory;
	}

	/** A factory that makes its clients in a way of its own goes on doing so. */
	@Test
	void whatIsNoClientOfKafkasStaysWhatItIs() {
		Producer<String, String> mock = new org.apache.kafka.clients.producer.MockProducer<>();
		assertThat(EvenkeelProducerFactory.replace(mock, (maxBlock) -> {
			throw new IllegalStateException();
		}, new ProducerRegistry((producer) -> io.evenkeel.kafka.producer.SendObserver.NONE))).isSameAs(mock);
	}

	@Test
	void beansCanBeProxied() {
		this.runner.run((context) -> {
			EvenkeelProducerFactory<Object, Object> factory = proxy(context.getBean(EvenkeelProducerFactory.class));
			assertThat(new EvenkeelKafkaTemplate<>(factory).send("not a topic", "v"))
				.failsWithin(Duration.ofSeconds(5));
			EvenkeelKafkaTemplate<Object, Object> template = proxy(context.getBean(EvenkeelKafkaTemplate.class));
			assertThat(template.send("not a topic", "v")).failsWithin(Duration.ofSeconds(5));
			assertThat(proxy(context.getBean(ProducerRegistry.class)).snapshots()).hasSize(1);
			proxy(context.getBean("kafkaProducerListener"));
		});
	}

	@SuppressWarnings("unchecked")
	private static <T> T proxy(T bean) {
		ProxyFactory proxies = new ProxyFactory(bean);
		proxies.setProxyTargetClass(true);
		return (T) proxies.getProxy();
	}

	@Test
	void aMaxBlockOfZeroIsTheSmallestWait() {
		this.runner.withPropertyValues("spring.kafka.producer.properties.max.block.ms=0").run((context) -> {
			assertThat(context).hasNotFailed();
			assertThat(context.getBean(KafkaTemplate.class).send("orders", "v")).failsWithin(Duration.ofSeconds(5));
		});
	}

	/** Every property of the template, also one that Boot has added since. */
	@Test
	void theTemplateHasWhatBootsHas() {
		List<String> properties = new ArrayList<>();
		for (PropertyDescriptor property : BeanUtils.getPropertyDescriptors(KafkaProperties.Template.class)) {
			if (property.getWriteMethod() != null) {
				Class<?> type = property.getPropertyType();
				properties.add("spring.kafka.template." + property.getName() + "="
						+ ((type == boolean.class) ? "true" : (type == Duration.class) ? "7s" : "any"));
			}
		}
		assertThat(properties).hasSizeGreaterThan(3);
		String[] values = properties.toArray(new String[0]);
		Map<String, Object> ours = new HashMap<>();
		Map<String, Object> boots = new HashMap<>();
		this.runner.withPropertyValues(values)
			.run((context) -> ours.putAll(fields(context.getBean(KafkaTemplate.class))));
		this.runner.withPropertyValues(values)
			.withPropertyValues("evenkeel.kafka.producer.enabled=false")
			.run((context) -> boots.putAll(fields(context.getBean(KafkaTemplate.class))));
		assertThat(ours).isEqualTo(boots)
			.containsEntry("observationEnabled", true)
			.containsEntry("defaultTopic", "any");
	}

	/** Values, and of what else there is the type; the listener is ours by intention. */
	private static Map<String, Object> fields(KafkaTemplate<?, ?> template) throws IllegalAccessException {
		Map<String, Object> result = new HashMap<>();
		for (Field field : KafkaTemplate.class.getDeclaredFields()) {
			if (Modifier.isStatic(field.getModifiers())
					|| List.of("producerListener", "producerFactory", "logger").contains(field.getName())) {
				continue;
			}
			field.setAccessible(true);
			Object value = field.get(template);
			boolean plain = value == null || BeanUtils.isSimpleValueType(value.getClass());
			result.put(field.getName(), plain ? value : value.getClass().getName());
		}
		return result;
	}

	@ParameterizedTest
	@ValueSource(strings = { "4.0.9", "3.5.16", "4.2.0-M1", "5.0.0", "4.10.0" })
	void anotherLineOfSpringBootEndsInOneSentence(String version) {
		Throwable refusal = catchThrowable(() -> BootVersionCheck.check(version));
		assertThat(refusal)
			.hasMessage("Evenkeel needs Spring Boot 4.1, this application runs on Spring Boot " + version + ".");
		FailureAnalysis analysis = new UnsupportedBootFailureAnalyzer().analyze(refusal);
		assertThat(analysis).isNotNull();
		assertThat(analysis.getDescription()).isEqualTo(refusal.getMessage());
	}

	@Test
	void itsOwnLineOfSpringBootIsFine() {
		assertThatCode(() -> {
			BootVersionCheck.check("4.1.0");
			BootVersionCheck.check("4.1.2-SNAPSHOT");
			BootVersionCheck.check(null);
		}).doesNotThrowAnyException();
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(exclude = KafkaAutoConfiguration.class)
	static class WithoutKafka {

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnFactory {

		final Closing serializer = new Closing();

		final List<String> added = new ArrayList<>();

		final AtomicInteger metrics = new AtomicInteger();

		final List<Producer<String, String>> processed = new ArrayList<>();

		DefaultKafkaProducerFactory<String, String> factory;

		@Bean("own")
		DefaultKafkaProducerFactory<String, String> ownFactory() {
			this.factory = new DefaultKafkaProducerFactory<>(Map.of("bootstrap.servers", "localhost:1", "client.id",
					"mine", "value.serializer", StringSerializer.class), this.serializer, null);
			this.factory.addListener(new ProducerFactory.Listener<>() {

				@Override
				public void producerAdded(String id, Producer<String, String> producer) {
					OwnFactory.this.added.add(id);
					OwnFactory.this.metrics.set(producer.metrics().size());
				}

			});
			this.factory.addPostProcessor((producer) -> {
				this.processed.add(producer);
				return producer;
			});
			return this.factory;
		}

		@Bean
		KafkaTemplate<String, String> ownTemplate(ProducerFactory<String, String> own) {
			return new KafkaTemplate<>(own);
		}

	}

	/** Of an application: it has something to close. */
	static final class Closing extends StringSerializer {

		final AtomicInteger closed = new AtomicInteger();

		@Override
		public void close() {
			this.closed.incrementAndGet();
		}

	}

}
