package io.evenkeel.kafka.container;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.springframework.kafka.config.AbstractKafkaListenerContainerFactory;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.util.ReflectionUtils;

/**
 * What a factory of spring-kafka was set to. Most of it has no getter, so it is read from
 * the fields.
 */
final class FactorySettings {

	/**
	 * The container properties are no such field: they are an object that never changes.
	 */
	private static final List<Field> FIELDS = fields();

	private final ConcurrentKafkaListenerContainerFactory<?, ?> source;

	private final ConcurrentKafkaListenerContainerFactory<?, ?> target;

	private final Map<Field, @Nullable Object> given = new HashMap<>();

	FactorySettings(ConcurrentKafkaListenerContainerFactory<?, ?> source,
			ConcurrentKafkaListenerContainerFactory<?, ?> target) {
		this.source = source;
		this.target = target;
	}

	/**
	 * Give the target what the source was set to since the last time. What was never set
	 * is left as the target has it.
	 */
	synchronized void give() {
		for (Field field : FIELDS) {
			Object value = ReflectionUtils.getField(field, this.source);
			if (value != this.given.get(field)) {
				ReflectionUtils.setField(field, this.target, value);
				this.given.put(field, value);
			}
		}
	}

	private static List<Field> fields() {
		List<Field> fields = new ArrayList<>();
		for (Class<?> type : List.of(ConcurrentKafkaListenerContainerFactory.class,
				AbstractKafkaListenerContainerFactory.class)) {
			for (Field field : type.getDeclaredFields()) {
				if (!Modifier.isFinal(field.getModifiers()) && !field.isSynthetic()) {
					field.setAccessible(true);
					fields.add(field);
				}
			}
		}
		return List.copyOf(fields);
	}

}
