package io.evenkeel.kafka.autoconfigure;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

import io.evenkeel.kafka.config.ClientCheck;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplate;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplateCustomizer;
import io.evenkeel.kafka.producer.EvenkeelProducerFactory;
import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.producer.ProducerSurroundings;
import io.evenkeel.kafka.producer.SendFailureLog;
import io.evenkeel.kafka.producer.SendObserver;
import io.evenkeel.kafka.producer.SendObserverFactory;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.PropertyMapper;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.support.ProducerListener;
import org.springframework.kafka.support.converter.RecordMessageConverter;
import org.springframework.kafka.support.micrometer.KafkaTemplateObservationConvention;

/**
 * The beans of the sending producer and its template.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnBooleanProperty(name = "evenkeel.kafka.producer.enabled", matchIfMissing = true)
class SendingProducerConfiguration {

	private static final Set<String> TOPIC_KEYS = Set.of("metadata.timeout", "metadata.unknown-topic-timeout",
			"metadata.retry.initial-interval", "metadata.retry.multiplier", "metadata.retry.max-interval",
			"metadata.retry.jitter", "metadata.retry.max-attempts", "fail-fast.open-duration");

	private final KafkaProperties kafkaProperties;

	private final EvenkeelProducerProperties properties;

	/**
	 * Ours are refused here, whoever makes the producer factory.
	 */
	SendingProducerConfiguration(KafkaProperties kafkaProperties, EvenkeelProducerProperties properties,
			Environment environment) {
		this.kafkaProperties = kafkaProperties;
		this.properties = properties;
		new MapKeys(EvenkeelProducerProperties.PREFIX + ".topics", TOPIC_KEYS, true).check(environment);
		new ProducerSettingsMapper(properties).settings(null);
	}

	@Bean
	@ConditionalOnMissingBean
	ProducerRegistry evenkeelProducerRegistry(ObjectProvider<SendObserverFactory> observers,
			ObjectProvider<ProducerSurroundings> surroundings) {
		SendObserverFactory known = observers.getIfAvailable(() -> (producer) -> SendObserver.NONE);
		ProducerSurroundings given = surroundings.getIfAvailable();
		return (given != null) ? new ProducerRegistry(known, given) : new ProducerRegistry(known);
	}

	@Bean
	@ConditionalOnMissingBean(ProducerFactory.class)
	EvenkeelProducerFactory<?, ?> kafkaProducerFactory(KafkaConnectionDetails connectionDetails,
			Environment environment, ProducerRegistry registry,
			ObjectProvider<DefaultKafkaProducerFactoryCustomizer> customizers) {
		Map<String, Object> configs = ProducerClientProperties.build(this.kafkaProperties, connectionDetails,
				this.properties.getDeliveryTimeout());
		EvenkeelProducerFactory<?, ?> factory = new EvenkeelProducerFactory<>(configs,
				new ProducerSettingsMapper(this.properties), registry);
		String transactionIdPrefix = this.kafkaProperties.getProducer().getTransactionIdPrefix();
		if (transactionIdPrefix != null) {
			factory.setTransactionIdPrefix(transactionIdPrefix);
		}
		customizers.orderedStream().forEach((customizer) -> customizer.customize(factory));
		MaxBlockSetting.check(environment,
				factory.getConfigurationProperties().get(ProducerConfig.MAX_BLOCK_MS_CONFIG));
		check(factory);
		return factory;
	}

	private static void check(EvenkeelProducerFactory<?, ?> factory) {
		Map<String, Object> configs = new HashMap<>(factory.getConfigurationProperties());
		String prefix = factory.getTransactionIdPrefix();
		if (prefix != null) {
			configs.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, prefix);
		}
		// Those that are objects are made already.
		if (factory.getKeySerializerSupplier() != null) {
			configs.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
		}
		if (factory.getValueSerializerSupplier() != null) {
			configs.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
		}
		ClientCheck.producer(configs, configs.containsKey(ProducerConfig.TRANSACTIONAL_ID_CONFIG),
				"the configuration of the producer factory");
	}

	/**
	 * Boot's own logs the key and the value of each record that failed, with a stack
	 * trace; ours says where they were going, and how many there were.
	 */
	@Bean
	@ConditionalOnMissingBean(ProducerListener.class)
	SendFailureLog<Object, Object> kafkaProducerListener() {
		return new SendFailureLog<>();
	}

	@Bean
	@ConditionalOnMissingBean(KafkaTemplate.class)
	EvenkeelKafkaTemplate<?, ?> kafkaTemplate(ProducerFactory<?, ?> kafkaProducerFactory,
			ProducerListener<?, ?> kafkaProducerListener, ObjectProvider<RecordMessageConverter> messageConverter,
			ObjectProvider<KafkaTemplateObservationConvention> observationConvention,
			ObjectProvider<EvenkeelKafkaTemplateCustomizer> customizers) {
		EvenkeelKafkaTemplate<Object, Object> template = new EvenkeelKafkaTemplate<>(castFactory(kafkaProducerFactory));
		messageConverter.ifUnique(template::setMessageConverter);
		observationConvention.ifUnique(template::setObservationConvention);
		template.setProducerListener(castListener(kafkaProducerListener));
		KafkaProperties.Template settings = this.kafkaProperties.getTemplate();
		PropertyMapper map = PropertyMapper.get();
		map.from(settings.getDefaultTopic()).to(template::setDefaultTopic);
		map.from(settings.getTransactionIdPrefix()).to(template::setTransactionIdPrefix);
		map.from(settings.getCloseTimeout()).to(template::setCloseTimeout);
		map.from(settings.isAllowNonTransactional()).to(template::setAllowNonTransactional);
		map.from(settings.isObservationEnabled()).to(template::setObservationEnabled);
		customizers.orderedStream().forEach((customizer) -> customizer.customize(template));
		return template;
	}

	@Bean
	@Conditional(OnVerifyTopics.class)
	@ConditionalOnMissingBean
	ProducerTopicVerifier evenkeelProducerTopicVerifier(ObjectProvider<KafkaAdmin> admins,
			KafkaConnectionDetails connectionDetails) {
		KafkaAdmin admin = admins
			.getIfUnique(() -> new KafkaAdmin(ProducerClientProperties.admin(this.kafkaProperties, connectionDetails)));
		return new ProducerTopicVerifier(this.properties.getStartup(), admin);
	}

	@Bean
	static ProducerFactoryDecorator evenkeelProducerFactoryDecorator(Environment environment,
			ObjectProvider<EvenkeelProducerProperties> properties, ObjectProvider<ProducerRegistry> registry) {
		return new ProducerFactoryDecorator(environment, () -> new ProducerSettingsMapper(properties.getObject()),
				registry::getObject);
	}

	@SuppressWarnings("unchecked")
	private static ProducerFactory<Object, Object> castFactory(ProducerFactory<?, ?> factory) {
		return (ProducerFactory<Object, Object>) factory;
	}

	@SuppressWarnings("unchecked")
	private static ProducerListener<Object, Object> castListener(ProducerListener<?, ?> listener) {
		return (ProducerListener<Object, Object>) listener;
	}

	/**
	 * There are topics to verify, however the list is written.
	 */
	static final class OnVerifyTopics implements Condition {

		@Override
		public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
			String[] topics = Binder.get(context.getEnvironment())
				.bind(EvenkeelProducerProperties.PREFIX + ".startup.verify-topics", String[].class)
				.orElse(new String[0]);
			return topics != null && topics.length > 0;
		}

	}

}
