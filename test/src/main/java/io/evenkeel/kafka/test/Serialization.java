package io.evenkeel.kafka.test;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.BeanUtils;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.kafka.support.serializer.JacksonJsonSerializer;
import org.springframework.util.ClassUtils;

/**
 * Makes bytes of what a test delivers.
 */
final class Serialization {

	private final ObjectProvider<KafkaProperties> properties;

	private final Map<Class<?>, Serializer<Object>> made = new HashMap<>();

	Serialization(ObjectProvider<KafkaProperties> properties) {
		this.properties = properties;
	}

	synchronized byte @Nullable [] bytes(String topic, Headers headers, @Nullable Object object, boolean isKey) {
		if (object == null || object instanceof byte[]) {
			return (byte[]) object;
		}
		if (object instanceof String text) {
			return text.getBytes(StandardCharsets.UTF_8);
		}
		return this.made.computeIfAbsent(object.getClass(), (type) -> serializer(type, isKey))
			.serialize(topic, headers, object);
	}

	@SuppressWarnings("unchecked")
	private Serializer<Object> serializer(Class<?> type, boolean isKey) {
		try {
			return (Serializer<Object>) Serdes.serdeFrom(type).serializer();
		}
		catch (IllegalArgumentException ex) {
			// None of Kafka's own types.
		}
		KafkaProperties known = this.properties.getIfAvailable(KafkaProperties::new);
		Map<String, Object> configs = known.buildProducerProperties();
		Object given = configs
			.get(isKey ? ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG : ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG);
		Class<?> ofApplication = (given instanceof Class<?> known2) ? known2
				: (given != null) ? ClassUtils.resolveClassName(given.toString(), null) : StringSerializer.class;
		Serializer<Object> serializer;
		if (ofApplication != StringSerializer.class && ofApplication != ByteArraySerializer.class) {
			serializer = (Serializer<Object>) BeanUtils.instantiateClass(ofApplication);
		}
		else if (ClassUtils.isPresent("tools.jackson.databind.json.JsonMapper", null)) {
			serializer = new JacksonJsonSerializer<>();
		}
		else {
			throw new IllegalArgumentException("A " + type.getName() + " cannot be written: deliver text or bytes, set "
					+ "spring.kafka.producer." + (isKey ? "key" : "value")
					+ "-serializer, or add spring-boot-starter-jackson to the test's class path");
		}
		serializer.configure(configs, isKey);
		return serializer;
	}

}
