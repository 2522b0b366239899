package io.evenkeel.kafka.autoconfigure;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import io.evenkeel.kafka.container.ContainerDependencies;
import io.evenkeel.kafka.container.failure.DeadLetterRecoverers;
import io.evenkeel.kafka.container.EvenkeelContainerFactory;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplate;
import io.evenkeel.kafka.producer.EvenkeelProducerFactory;
import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.producer.SendObserver;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.CommonClientConfigs;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.beans.factory.support.StaticListableBeanFactory;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.kafka.autoconfigure.ConcurrentKafkaListenerContainerFactoryConfigurer;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.core.env.Environment;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.support.ProducerListener;

/**
 * The beans of further clusters, each named after its cluster: consumer factory,
 * container factory, producer factory, template and admin. They are found by name or
 * qualifier only, so that whoever asks for a template by its type gets the one of
 * {@code spring.kafka}. Dead letters of a cluster's listeners stay in that cluster.
 * <p>
 * <b>Why so late.</b> Definitions that come after all configuration classes cannot make
 * Boot's own beans back off.
 */
final class ClusterBeans implements BeanDefinitionRegistryPostProcessor {

	static final String PREFIX = "evenkeel.kafka.clusters";

	private final Environment environment;

	ClusterBeans(Environment environment) {
		this.environment = environment;
	}

	@Override
	public void postProcessBeanFactory(ConfigurableListableBeanFactory beanFactory) {
		// Everything was done in the registry.
	}

	@Override
	public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
		ConfigurableListableBeanFactory factory = (ConfigurableListableBeanFactory) registry;
		Map<String, EvenkeelClusterProperties> clusters = new TreeMap<>(Binder.get(this.environment)
			.bind(PREFIX, Bindable.mapOf(String.class, EvenkeelClusterProperties.class),
					new NoUnboundElementsBindHandler(BindHandler.DEFAULT))
			.orElseGet(Map::of));
		clusters.forEach((name, cluster) -> {
			check(name, cluster);
			new Cluster(name, cluster, factory).register(registry);
		});
	}

	private static void check(String name, EvenkeelClusterProperties cluster) {
		if (cluster.getBootstrapServers().isEmpty()) {
			Setting setting = Setting.property(PREFIX + "." + name + ".bootstrap-servers", "");
			throw new InvalidSettingException(setting, "a cluster is known by its brokers",
					"Write host and port of at least one broker, for example " + setting.name() + "=kafka-1:9092.");
		}
	}

	/**
	 * The beans of one cluster.
	 */
	private static final class Cluster {

		private final String name;

		private final EvenkeelClusterProperties properties;

		private final ListableBeanFactory beans;

		Cluster(String name, EvenkeelClusterProperties properties, ListableBeanFactory beans) {
			this.name = name;
			this.properties = properties;
			this.beans = beans;
		}

		void register(BeanDefinitionRegistry registry) {
			define(registry, "KafkaConsumerFactory", DefaultKafkaConsumerFactory.class, this::consumerFactory);
			define(registry, "KafkaProducerFactory", EvenkeelProducerFactory.class, this::producerFactory);
			define(registry, "KafkaTemplate", EvenkeelKafkaTemplate.class, this::template);
			define(registry, "KafkaAdmin", KafkaAdmin.class, this::admin);
			define(registry, "DeadLetterRecoverers", DeadLetterRecoverers.class, this::deadLetters);
			define(registry, "KafkaListenerContainerFactory", EvenkeelContainerFactory.class, this::containerFactory);
		}

		private <T> void define(BeanDefinitionRegistry registry, String suffix, Class<T> type, Supplier<T> supplier) {
			String bean = this.name + suffix;
			if (registry.containsBeanDefinition(bean)) {
				// The application has one of its own by that name.
				return;
			}
			RootBeanDefinition definition = new RootBeanDefinition(type, supplier);
			definition.setDefaultCandidate(false);
			definition.setLazyInit(true);
			definition.setDestroyMethodName(RootBeanDefinition.INFER_METHOD);
			registry.registerBeanDefinition(bean, definition);
		}

		private DefaultKafkaConsumerFactory<Object, Object> consumerFactory() {
			Map<String, Object> configs = kafka().buildConsumerProperties();
			ProducerClientProperties.connect(configs, connection().getConsumer());
			return new DefaultKafkaConsumerFactory<>(own(configs));
		}

		private EvenkeelProducerFactory<Object, Object> producerFactory() {
			EvenkeelProducerProperties settings = this.beans.getBeanProvider(EvenkeelProducerProperties.class)
				.getIfAvailable(EvenkeelProducerProperties::new);
			Map<String, Object> configs = own(
					ProducerClientProperties.build(kafka(), connection(), settings.getDeliveryTimeout()));
			String id = this.properties.getClientId();
			configs.put(CommonClientConfigs.CLIENT_ID_CONFIG, ((id != null) ? id : this.name) + "-producer");
			ProducerRegistry registry = this.beans.getBeanProvider(ProducerRegistry.class)
				.getIfAvailable(() -> new ProducerRegistry((producer) -> SendObserver.NONE));
			EvenkeelProducerFactory<Object, Object> factory = new EvenkeelProducerFactory<>(configs,
					new ProducerSettingsMapper(settings), registry);
			String prefix = kafka().getProducer().getTransactionIdPrefix();
			if (prefix != null) {
				factory.setTransactionIdPrefix(prefix + this.name + "-");
			}
			return factory;
		}

		@SuppressWarnings("unchecked")
		private EvenkeelKafkaTemplate<Object, Object> template() {
			EvenkeelKafkaTemplate<Object, Object> template = new EvenkeelKafkaTemplate<>(
					(ProducerFactory<Object, Object>) this.beans.getBean(this.name + "KafkaProducerFactory",
							ProducerFactory.class));
			this.beans.getBeanProvider(ProducerListener.class).ifUnique(template::setProducerListener);
			template.setObservationEnabled(kafka().getTemplate().isObservationEnabled());
			return template;
		}

		/** Topic beans are made in the cluster of {@code spring.kafka}. */
		private KafkaAdmin admin() {
			KafkaAdmin admin = new KafkaAdmin(own(ProducerClientProperties.admin(kafka(), connection())));
			admin.setAutoCreate(false);
			return admin;
		}

		private DeadLetterRecoverers deadLetters() {
			StaticListableBeanFactory own = new StaticListableBeanFactory(
					Map.of("producers", this.beans.getBean(this.name + "KafkaProducerFactory")));
			return new DeadLetterRecoverers(
					new ApplicationDeadLetters(provider(own, ProducerFactory.class), provider(own, KafkaTemplate.class),
							this.beans.getBeanProvider(EvenkeelProducerProperties.class),
							this.beans.getBeanProvider(ProducerRegistry.class), kafka(),
							this.beans.getBeanProvider(KafkaConnectionDetails.class)),
					this.beans.getBean(this.name + "KafkaAdmin", KafkaAdmin.class),
					this.beans.getBeanProvider(NanoClock.class).getIfAvailable(() -> NanoClock.SYSTEM));
		}

		@SuppressWarnings("unchecked")
		private static <T> ObjectProvider<T> provider(ListableBeanFactory beans, Class<?> type) {
			return (ObjectProvider<T>) beans.getBeanProvider(type);
		}

		@SuppressWarnings("unchecked")
		private EvenkeelContainerFactory<Object, Object> containerFactory() {
			ContainerDependencies shared = this.beans.getBean(ContainerDependencies.class);
			DeadLetterRecoverers own = this.beans.getBean(this.name + "DeadLetterRecoverers",
					DeadLetterRecoverers.class);
			ContainerDependencies support = new ContainerDependencies(shared.settings(), shared.meters(), (suffix) -> {
				ConsumerRecordRecoverer user = this.beans.getBeanProvider(ConsumerRecordRecoverer.class).getIfUnique();
				return (user != null) ? user : own.create(suffix);
			}, shared.sends(), shared.clock());
			EvenkeelContainerFactory<Object, Object> factory = new EvenkeelContainerFactory<>(support);
			this.beans.getBean(ConcurrentKafkaListenerContainerFactoryConfigurer.class)
				.configure(factory, (ConsumerFactory<Object, Object>) this.beans
					.getBean(this.name + "KafkaConsumerFactory", ConsumerFactory.class));
			return factory;
		}

		private KafkaProperties kafka() {
			return this.beans.getBean(KafkaProperties.class);
		}

		private Map<String, Object> own(Map<String, Object> configs) {
			if (this.properties.getClientId() != null) {
				configs.put(CommonClientConfigs.CLIENT_ID_CONFIG, this.properties.getClientId());
			}
			configs.putAll(this.properties.getProperties());
			return configs;
		}

		private KafkaConnectionDetails connection() {
			EvenkeelClusterProperties known = this.properties;
			String bundle = known.getSsl().getBundle();
			return new KafkaConnectionDetails() {

				@Override
				public List<String> getBootstrapServers() {
					return known.getBootstrapServers();
				}

				@Override
				public @Nullable SslBundle getSslBundle() {
					return (bundle != null) ? Cluster.this.beans.getBean(SslBundles.class).getBundle(bundle) : null;
				}

				@Override
				public @Nullable String getSecurityProtocol() {
					return known.getSecurity().getProtocol();
				}

			};
		}

	}

}
