package io.evenkeel.kafka.engine.dispatch;

import java.util.Arrays;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * Chooses the lane of a record from its key. Arrays are compared by content. A key class
 * that inherits {@code equals} from {@code Object} cannot tell equal keys, so its records
 * keep the order of the partition, with one warning for each such class.
 *
 * <p>
 * Used by the owner thread only.
 */
public final class LaneKeys {

	/**
	 * The lane key of a record that needs no order.
	 */
	public static final Object ALONE = new Object();

	private final Ordering ordering;

	private final Consumer<Class<?>> noEquality;

	private final ClassValue<Boolean> equality = new ClassValue<>() {

		@Override
		protected Boolean computeValue(Class<?> type) {
			boolean comparable = definesEquality(type);
			if (!comparable) {
				LaneKeys.this.noEquality.accept(type);
			}
			return comparable;
		}

	};

	/**
	 * Make a chooser.
	 * @param ordering the listener's ordering
	 * @param noEquality told once for each key class that cannot be compared
	 */
	public LaneKeys(Ordering ordering, Consumer<Class<?>> noEquality) {
		this.ordering = ordering;
		this.noEquality = noEquality;
	}

	/**
	 * The lane key for a record.
	 * @param key the record's key, null when it has none
	 * @return null for the lane of the partition, {@link #ALONE}, or an object that is
	 * equal for equal keys
	 */
	public @Nullable Object laneKey(@Nullable Object key) {
		return switch (this.ordering) {
			case PARTITION -> null;
			case NONE -> ALONE;
			case KEY -> (key != null) ? comparable(key) : null;
		};
	}

	private @Nullable Object comparable(Object key) {
		if (key instanceof String || key instanceof Number) {
			return key;
		}
		if (key.getClass().isArray()) {
			return new ArrayKey(key);
		}
		if (!this.equality.get(key.getClass())) {
			return null;
		}
		// Here rather than in the middle of a look-up: it is the application's code.
		int hash = key.hashCode();
		return (hash == key.hashCode()) ? key : null;
	}

	private static boolean definesEquality(Class<?> type) {
		try {
			return type.getMethod("equals", Object.class).getDeclaringClass() != Object.class
					&& type.getMethod("hashCode").getDeclaringClass() != Object.class;
		}
		catch (NoSuchMethodException ex) {
			return false;
		}
	}

	/**
	 * An array as a key. The deep forms serve primitive arrays too, when wrapped once.
	 */
	private static final class ArrayKey {

		private final Object[] holder;

		private final int hash;

		ArrayKey(Object array) {
			this.holder = new Object[] { array };
			this.hash = (array instanceof byte[] bytes) ? Arrays.hashCode(bytes) : Arrays.deepHashCode(this.holder);
		}

		@Override
		public boolean equals(@Nullable Object other) {
			return other instanceof ArrayKey that && this.hash == that.hash
					&& Arrays.deepEquals(this.holder, that.holder);
		}

		@Override
		public int hashCode() {
			return this.hash;
		}

	}

}
