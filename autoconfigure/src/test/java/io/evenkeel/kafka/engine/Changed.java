package io.evenkeel.kafka.engine;

import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;

/**
 * Copies of records in which one component differs, so that a test says only what matters
 * to it.
 */
final class Changed {

	private Changed() {
	}

	/**
	 * A copy.
	 * @param record the original
	 * @param component the name of the component that differs
	 * @param value what it is in the copy
	 * @param <R> the type of the record
	 */
	@SuppressWarnings("unchecked")
	static <R extends Record> R of(R record, String component, Object value) {
		RecordComponent[] components = record.getClass().getRecordComponents();
		Class<?>[] types = new Class<?>[components.length];
		Object[] values = new Object[components.length];
		boolean found = false;
		try {
			for (int i = 0; i < components.length; i++) {
				types[i] = components[i].getType();
				boolean differs = components[i].getName().equals(component);
				found |= differs;
				values[i] = differs ? value : components[i].getAccessor().invoke(record);
			}
			if (!found) {
				throw new IllegalArgumentException("No component " + component + " of " + record.getClass());
			}
			Constructor<?> constructor = record.getClass().getDeclaredConstructor(types);
			return (R) constructor.newInstance(values);
		}
		catch (ReflectiveOperationException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
