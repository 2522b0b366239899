package io.evenkeel.kafka.container;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeanUtils;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.util.ClassUtils;

/**
 * Makes the template that dead-letter records are sent with: the application's producer,
 * except that raw bytes (a record that could not be deserialized) are sent as they are,
 * and text that the application's serializer does not take is sent as text.
 */
final class DeadLetterTemplate {

	private DeadLetterTemplate() {
	}

	/**
	 * Make a template.
	 * @param factory the application's producer factory
	 * @return a template of its own
	 */
	@SuppressWarnings("unchecked")
	static KafkaTemplate<Object, Object> create(ProducerFactory<?, ?> factory) {
		ProducerFactory<Object, Object> typed = (ProducerFactory<Object, Object>) factory;
		if (!(typed instanceof DefaultKafkaProducerFactory<Object, Object>)) {
			return new KafkaTemplate<>(typed);
		}
		// A factory of its own and never transactional: with the application's prefix it
		// would use the ids of the application's producers and fence them.
		Map<String, Object> config = new HashMap<>(typed.getConfigurationProperties());
		config.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
		Serializer<Object> key = serializer(typed, true);
		Serializer<Object> value = serializer(typed, false);
		DefaultKafkaProducerFactory<Object, Object> own = new DefaultKafkaProducerFactory<>(config, new RawOr(key),
				new RawOr(value));
		own.setPhysicalCloseTimeout((int) typed.getPhysicalCloseTimeout().toSeconds());
		typed.getPostProcessors().forEach(own::addPostProcessor);
		typed.getListeners().forEach(own::addListener);
		return new KafkaTemplate<>(own);
	}

	@SuppressWarnings("unchecked")
	private static Serializer<Object> serializer(ProducerFactory<Object, Object> factory, boolean key) {
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

	/**
	 * Raw bytes as they are, everything else by the application's serializer, text as
	 * text where that one does not take it.
	 */
	private static final class RawOr implements Serializer<Object> {

		private final Serializer<Object> delegate;

		RawOr(Serializer<Object> delegate) {
			this.delegate = delegate;
		}

		@Override
		public byte @Nullable [] serialize(String topic, @Nullable Object data) {
			return serialize(topic, null, data);
		}

		@Override
		public byte @Nullable [] serialize(String topic, @Nullable Headers headers, @Nullable Object data) {
			if (data == null || data instanceof byte[]) {
				return (byte[]) data;
			}
			try {
				return this.delegate.serialize(topic, headers, data);
			}
			catch (ClassCastException ex) {
				if (data instanceof CharSequence || data instanceof Number || data instanceof java.util.UUID) {
					return data.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
				}
				throw ex;
			}
		}

		@Override
		public void close() {
			this.delegate.close();
		}

	}

}
