package io.evenkeel.kafka.autoconfigure;

import java.util.List;

import io.evenkeel.kafka.container.ContainerDependencies;
import io.evenkeel.kafka.container.EvenkeelContainerFactory;
import io.evenkeel.kafka.container.ListenerMeters;
import io.evenkeel.kafka.deadletter.DeadLetters;
import io.evenkeel.kafka.container.call.AssignmentBeanScope;
import io.evenkeel.kafka.container.failure.DeadLetterRecoverers;
import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.thread.NanoClock;
import io.evenkeel.kafka.watch.ListenerWatch;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.kafka.autoconfigure.ConcurrentKafkaListenerContainerFactoryConfigurer;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;
import org.springframework.kafka.annotation.EnableKafka;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;

/**
 * Auto-configuration of the consumer side: {@code kafkaListenerContainerFactory} makes
 * Evenkeel's containers, and Boot's own factory stays available as
 * {@code springKafkaListenerContainerFactory}. It comes before Boot's own, which backs
 * off when the name is taken.
 */
@AutoConfiguration(before = KafkaAutoConfiguration.class)
@Conditional(OnKafkaAutoConfiguration.class)
@ConditionalOnClass(EnableKafka.class)
@EnableConfigurationProperties({ EvenkeelKafkaProperties.class, EvenkeelConsumerProperties.class,
		EvenkeelLoggingProperties.class, KafkaProperties.class })
public final class EvenkeelConsumerAutoConfiguration {

	EvenkeelConsumerAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean
	static AssignmentBeanScope assignmentBeanScope() {
		return new AssignmentBeanScope();
	}

	@Bean
	static ClusterBeans evenkeelClusterBeans(Environment environment) {
		return new ClusterBeans(environment);
	}

	@Bean
	static PropertyNameCheck evenkeelPropertyNameCheck(Environment environment,
			ConfigurableListableBeanFactory beanFactory) {
		return new PropertyNameCheck(environment, beanFactory);
	}

	@Bean
	@ConditionalOnBooleanProperty(name = "evenkeel.kafka.consumer.enabled", matchIfMissing = true)
	static FactoryAdoption evenkeelFactoryAdoption(ApplicationContext context) {
		return new FactoryAdoption(context);
	}

	/**
	 * Lazy: an application with several consumer factories, none of them primary, starts
	 * as long as no listener names this bean.
	 */
	@Lazy
	@Bean(defaultCandidate = false)
	@ConditionalOnMissingBean(name = "springKafkaListenerContainerFactory")
	ConcurrentKafkaListenerContainerFactory<?, ?> springKafkaListenerContainerFactory(
			ConcurrentKafkaListenerContainerFactoryConfigurer configurer, KafkaProperties properties,
			ObjectProvider<ConsumerFactory<Object, Object>> consumerFactory,
			ObjectProvider<ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>>> customizer) {
		ConcurrentKafkaListenerContainerFactory<Object, Object> factory = new ConcurrentKafkaListenerContainerFactory<>();
		configure(factory, configurer, properties, consumerFactory, customizer);
		return factory;
	}

	/**
	 * What a further {@link EvenkeelContainerFactory} of the application is made with.
	 */
	@Lazy
	@Bean
	@ConditionalOnMissingBean
	ContainerDependencies evenkeelContainerSupport(EvenkeelConsumerProperties consumerProperties,
			EvenkeelLoggingProperties loggingProperties, Environment environment,
			ObjectProvider<DeadLetterRecoverers> deadLetters, ObjectProvider<ConsumerRecordRecoverer> recoverer,
			ObjectProvider<ListenerMeters> meters, ObjectProvider<NanoClock> clock) {
		ConsumerSettingsMapper mapper = new ConsumerSettingsMapper(Binder.get(environment), consumerProperties,
				loggingProperties);
		return new ContainerDependencies(mapper::forListener, meters.getIfAvailable(() -> ListenerMeters.NONE),
				(suffix) -> {
					ConsumerRecordRecoverer user = recoverer.getIfUnique();
					return (user != null) ? user : deadLetters.getObject().create(suffix);
				}, new ProducerSendFailures(), clock.getIfAvailable(() -> NanoClock.SYSTEM));
	}

	/**
	 * One for all listeners: they share a producer and what is known of the topics.
	 */
	@Lazy
	@Bean
	@ConditionalOnMissingBean
	DeadLetterRecoverers evenkeelDeadLetterRecoverers(KafkaProperties properties,
			ObjectProvider<KafkaConnectionDetails> connection, ObjectProvider<ProducerFactory<?, ?>> producerFactory,
			ObjectProvider<KafkaTemplate<?, ?>> templates,
			ObjectProvider<EvenkeelProducerProperties> producerProperties, ObjectProvider<ProducerRegistry> producers,
			ObjectProvider<KafkaAdmin> admin, ObjectProvider<NanoClock> clock) {
		return new DeadLetterRecoverers(new ApplicationDeadLetters(producerFactory, templates, producerProperties,
				producers, properties, connection), admin.getIfUnique(), clock.getIfAvailable(() -> NanoClock.SYSTEM));
	}

	@Bean
	@ConditionalOnMissingBean(name = "kafkaListenerContainerFactory")
	@ConditionalOnBooleanProperty(name = "evenkeel.kafka.consumer.enabled", matchIfMissing = true)
	EvenkeelContainerFactory<?, ?> kafkaListenerContainerFactory(
			ConcurrentKafkaListenerContainerFactoryConfigurer configurer, KafkaProperties properties,
			ContainerDependencies support, ObjectProvider<ConsumerFactory<Object, Object>> consumerFactory,
			ObjectProvider<ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>>> customizer,
			ObjectProvider<EvenkeelContainerFactoryCustomizer> customizers) {
		EvenkeelContainerFactory<Object, Object> factory = new EvenkeelContainerFactory<>(support);
		configure(factory, configurer, properties, consumerFactory, customizer);
		customizers.orderedStream().forEach((last) -> last.customize(factory));
		return factory;
	}

	@Bean
	@ConditionalOnBooleanProperty("evenkeel.kafka.report")
	StartupReport evenkeelStartupReport(ApplicationContext context) {
		return new StartupReport(context);
	}

	@Bean
	ListenerChecks evenkeelListenerChecks(ObjectProvider<KafkaListenerEndpointRegistry> registry) {
		return new ListenerChecks(registry);
	}

	@Lazy
	@Bean
	@ConditionalOnMissingBean
	@ConditionalOnBooleanProperty(name = "evenkeel.kafka.consumer.enabled", matchIfMissing = true)
	DeadLetters evenkeelDeadLetters(ObjectProvider<KafkaListenerEndpointRegistry> registry,
			ObjectProvider<ContainerDependencies> support, ObjectProvider<ConsumerFactory<?, ?>> consumers,
			ObjectProvider<ProducerFactory<?, ?>> producers, KafkaProperties properties,
			ObjectProvider<KafkaConnectionDetails> connection) {
		return new DeadLetters(new DeadLetterTopicNames(registry, support),
				new ApplicationDeadLetterClients(consumers, producers, properties, connection));
	}

	@Bean
	@ConditionalOnMissingBean
	ListenerWatch evenkeelListenerWatch(ObjectProvider<KafkaListenerEndpointRegistry> registry) {
		return new ListenerWatch(() -> {
			KafkaListenerEndpointRegistry known = registry.getIfAvailable();
			return (known != null) ? known.getListenerContainers() : List.of();
		});
	}

	@Bean
	@ConditionalOnBooleanProperty(name = "evenkeel.kafka.consumer.enabled", matchIfMissing = true)
	StartupNotices evenkeelStartupNotices(EvenkeelConsumerProperties properties,
			ObjectProvider<KafkaListenerEndpointRegistry> registry, FactoryAdoption adoption,
			ApplicationContext context) {
		return new StartupNotices(properties, registry, adoption, context);
	}

	private static void configure(ConcurrentKafkaListenerContainerFactory<Object, Object> factory,
			ConcurrentKafkaListenerContainerFactoryConfigurer configurer, KafkaProperties properties,
			ObjectProvider<ConsumerFactory<Object, Object>> consumerFactory,
			ObjectProvider<ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>>> customizer) {
		configurer.configure(factory, consumerFactory
			.getIfAvailable(() -> new DefaultKafkaConsumerFactory<>(properties.buildConsumerProperties())));
		customizer.ifAvailable(factory::setContainerCustomizer);
	}

}
