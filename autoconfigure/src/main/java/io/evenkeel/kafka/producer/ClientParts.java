package io.evenkeel.kafka.producer;

import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * What a client was made of.
 * <p>
 * <b>Why by reflection.</b> A factory of the application makes its clients itself, and a
 * copy of it, as templates with properties of their own make it, has other properties
 * than the one that was seen at the start. Only the client knows for certain, and it has
 * no method that says so. Where the fields are not what they were, a client stays as it
 * is.
 *
 * @param client the client
 * @param configs its properties, with its id
 * @param keySerializer its serializer of keys
 * @param valueSerializer its serializer of values
 */
record ClientParts<K, V>(KafkaProducer<K, V> client, Map<String, Object> configs, Serializer<K> keySerializer,
		Serializer<V> valueSerializer) {

	private static final Log logger = LogFactory.getLog(ClientParts.class);

	/** Null when it is no plain client of Kafka's. */
	@SuppressWarnings("unchecked")
	static <K, V> @Nullable ClientParts<K, V> of(Producer<K, V> producer) {
		if (producer.getClass() != KafkaProducer.class) {
			return null;
		}
		try {
			ProducerConfig config = (ProducerConfig) read(producer, "producerConfig");
			Map<String, Object> configs = new HashMap<>(config.originals());
			configs.put(ProducerConfig.CLIENT_ID_CONFIG, config.getString(ProducerConfig.CLIENT_ID_CONFIG));
			Object key = ((Supplier<Object>) read(producer, "keySerializerPlugin")).get();
			Object value = ((Supplier<Object>) read(producer, "valueSerializerPlugin")).get();
			return new ClientParts<>((KafkaProducer<K, V>) producer, configs, (Serializer<K>) key,
					(Serializer<V>) value);
		}
		catch (ReflectiveOperationException | RuntimeException ex) {
			logger.warn("The properties of a Kafka client could not be read: its sends wait for brokers as ever", ex);
			return null;
		}
	}

	private static Object read(Producer<?, ?> producer, String name) throws ReflectiveOperationException {
		Field field = KafkaProducer.class.getDeclaredField(name);
		field.setAccessible(true);
		Object value = field.get(producer);
		if (value == null) {
			throw new NoSuchFieldException(name);
		}
		return value;
	}

	boolean isTransactional() {
		return this.configs.get(ProducerConfig.TRANSACTIONAL_ID_CONFIG) != null;
	}

	/** Whether the serializers can be used after the client has closed them. */
	boolean isHarmlessToClose() {
		return hasNoClose(this.keySerializer) && hasNoClose(this.valueSerializer);
	}

	private static boolean hasNoClose(Serializer<?> serializer) {
		try {
			return serializer.getClass().getMethod("close").getDeclaringClass() == Serializer.class;
		}
		catch (NoSuchMethodException ex) {
			return false;
		}
	}

}
