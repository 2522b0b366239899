package io.evenkeel.kafka.autoconfigure;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.failure.DeadLetterSender;
import io.evenkeel.kafka.producer.EvenkeelKafkaTemplate;
import io.evenkeel.kafka.producer.EvenkeelProducerFactory;
import io.evenkeel.kafka.producer.FailureReason;
import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.producer.SendFailedException;
import io.evenkeel.kafka.producer.SendObserver;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.BeanUtils;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaOperations;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.support.ProducerListener;
import org.springframework.util.ClassUtils;

/**
 * Sends dead letters with a sending producer of its own, made like the application's: of
 * its producer factory, where there is one that stands out (the only one, the primary
 * one, the one of the only template), otherwise of {@code spring.kafka}.
 * <p>
 * Never transactional: with the application's prefix it would use the ids of the
 * application's producers and fence them.
 */
final class ApplicationDeadLetters implements DeadLetterSender {

	/** What is still on its way when the application ends is sent by the next owner. */
	private static final int CLOSE_SECONDS = 1;

	private final ObjectProvider<ProducerFactory<?, ?>> factories;

	private final ObjectProvider<KafkaTemplate<?, ?>> templates;

	private final ObjectProvider<EvenkeelProducerProperties> settings;

	private final ObjectProvider<ProducerRegistry> registry;

	private final KafkaProperties properties;

	private final ObjectProvider<KafkaConnectionDetails> connection;

	private @Nullable KafkaTemplate<Object, Object> template;

	private @Nullable DisposableBean own;

	ApplicationDeadLetters(ObjectProvider<ProducerFactory<?, ?>> factories,
			ObjectProvider<KafkaTemplate<?, ?>> templates, ObjectProvider<EvenkeelProducerProperties> settings,
			ObjectProvider<ProducerRegistry> registry, KafkaProperties properties,
			ObjectProvider<KafkaConnectionDetails> connection) {
		this.factories = factories;
		this.templates = templates;
		this.settings = settings;
		this.registry = registry;
		this.properties = properties;
		this.connection = connection;
	}

	@Override
	public synchronized KafkaOperations<Object, Object> template() {
		KafkaTemplate<Object, Object> known = this.template;
		if (known == null) {
			known = create();
			this.template = known;
		}
		return known;
	}

	private KafkaTemplate<Object, Object> create() {
		ProducerFactory<Object, Object> application = application();
		KafkaTemplate<Object, Object> result;
		if (application instanceof DefaultKafkaProducerFactory<Object, Object> known) {
			EvenkeelProducerFactory<Object, Object> factory = sending(known);
			this.own = factory;
			result = new EvenkeelKafkaTemplate<>(factory);
		}
		else {
			// Whatever it is, it knows best how its producers are made.
			result = new EvenkeelKafkaTemplate<>(application);
		}
		// Not spring-kafka's own, which logs the record: whoever waits for the answer
		// says
		// what became of it.
		result.setProducerListener(new ProducerListener<>() {
		});
		return result;
	}

	@SuppressWarnings("unchecked")
	private ProducerFactory<Object, Object> application() {
		ProducerFactory<?, ?> known = this.factories.getIfUnique();
		KafkaTemplate<?, ?> only = (known == null) ? this.templates.getIfUnique() : null;
		if (only != null) {
			known = only.getProducerFactory();
		}
		if (known == null) {
			known = new DefaultKafkaProducerFactory<>(
					ProducerClientProperties.build(this.properties, this.connection.getObject(), null));
		}
		return (ProducerFactory<Object, Object>) known;
	}

	private EvenkeelProducerFactory<Object, Object> sending(DefaultKafkaProducerFactory<Object, Object> application) {
		Map<String, Object> config = new HashMap<>(application.getConfigurationProperties());
		config.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
		ProducerRegistry known = this.registry
			.getIfAvailable(() -> new ProducerRegistry((producer) -> SendObserver.NONE));
		EvenkeelProducerFactory<Object, Object> result = new EvenkeelProducerFactory<>(config,
				new ProducerSettingsMapper(this.settings.getIfAvailable(EvenkeelProducerProperties::new)), known);
		result.setKeySerializer(new DeadLetterSerializer(serializer(application, true)));
		result.setValueSerializer(new DeadLetterSerializer(serializer(application, false)));
		result.setPhysicalCloseTimeout(CLOSE_SECONDS);
		if (application instanceof EvenkeelProducerFactory<Object, Object>) {
			// Those of another factory include the one that makes its producers ours.
			application.getPostProcessors().forEach(result::addPostProcessor);
		}
		application.getListeners().forEach(result::addListener);
		return result;
	}

	@SuppressWarnings("unchecked")
	private static Serializer<Object> serializer(DefaultKafkaProducerFactory<Object, Object> factory, boolean key) {
		Supplier<@Nullable Serializer<Object>> supplier = key ? factory.getKeySerializerSupplier()
				: factory.getValueSerializerSupplier();
		Serializer<Object> supplied = (supplier != null) ? supplier.get() : null;
		if (supplied != null) {
			return supplied;
		}
		Object configured = factory.getConfigurationProperties()
			.get(key ? ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG : ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG);
		Class<?> type = (configured instanceof Class<?> known) ? known
				: ClassUtils.resolveClassName(String.valueOf(configured), null);
		Serializer<Object> serializer = (Serializer<Object>) BeanUtils.instantiateClass(type);
		serializer.configure(factory.getConfigurationProperties(), key);
		return serializer;
	}

	@Override
	public boolean isPartitionMissing(Throwable failure) {
		SendFailedException known = find(failure);
		return known != null && known.getReason() == FailureReason.PARTITION_NOT_FOUND;
	}

	@Override
	public String describe(Throwable failure) {
		SendFailedException known = find(failure);
		// Of others the name only: their messages may hold what was sent.
		return (known != null) ? String.valueOf(known.getMessage()) : failure.getClass().getName();
	}

	private static @Nullable SendFailedException find(Throwable failure) {
		Throwable current = failure;
		for (int i = 0; current != null && i < 16; i++) {
			if (current instanceof SendFailedException known) {
				return known;
			}
			current = current.getCause();
		}
		return null;
	}

	@Override
	public synchronized void close() {
		if (this.own != null) {
			try {
				this.own.destroy();
			}
			catch (Exception ex) {
				throw new IllegalStateException("The producer for dead letters could not be closed", ex);
			}
		}
	}

}
