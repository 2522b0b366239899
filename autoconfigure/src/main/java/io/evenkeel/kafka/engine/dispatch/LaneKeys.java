package io.evenkeel.kafka.engine.dispatch;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * Chooses the lane of a record from its key. Arrays are compared by content. A key class
 * that inherits {@code equals} from {@code Object} cannot tell equal keys, so its records
 * keep the order of the partition, with one warning for each such class.
 *
 * <p>
 * The application may change a key that it has been handed, so none of its objects is
 * kept or looked up again, but those that cannot change. Of the others there is what they
 * were when their record came: the content of a byte array, otherwise the hash code. Two
 * keys with one hash code share a lane, which costs them no more than the chance to run
 * at once.
 *
 * <p>
 * Used by the owner thread only.
 */
public final class LaneKeys {

	/**
	 * The lane key of a record that needs no order.
	 */
	public static final Object ALONE = new Object();

	/** Classes whose objects never change. */
	private static final Set<Class<?>> CONSTANT = Set.of(String.class, Integer.class, Long.class, Short.class,
			Byte.class, Double.class, Float.class, Boolean.class, Character.class, BigInteger.class, BigDecimal.class,
			UUID.class);

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
		if (CONSTANT.contains(key.getClass()) || key instanceof Enum<?>) {
			return key;
		}
		if (key instanceof byte[] bytes) {
			return new Bytes(bytes.clone());
		}
		if (key.getClass().isArray()) {
			return new Hash(key.getClass(), Arrays.deepHashCode(new Object[] { key }));
		}
		if (!this.equality.get(key.getClass())) {
			return null;
		}
		// Here rather than in the middle of a look-up: it is the application's code.
		int hash = key.hashCode();
		return (hash == key.hashCode()) ? new Hash(null, hash) : null;
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
	 * What a key was when its record came.
	 *
	 * @param type of an array; null for others, which may equal keys of another class
	 * @param hash its hash code
	 */
	private record Hash(@Nullable Class<?> type, int hash) {
	}

	/**
	 * The content of a byte array.
	 *
	 * @param content nobody else's
	 */
	private record Bytes(byte[] content) {

		@Override
		public boolean equals(@Nullable Object other) {
			return other instanceof Bytes that && Arrays.equals(this.content, that.content);
		}

		@Override
		public int hashCode() {
			return Arrays.hashCode(this.content);
		}

	}

}
