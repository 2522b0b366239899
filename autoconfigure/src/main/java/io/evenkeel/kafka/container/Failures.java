package io.evenkeel.kafka.container;

import org.jspecify.annotations.Nullable;

/**
 * Speaks of failures in logs without repeating their messages, which may hold what the
 * record held.
 */
final class Failures {

	private static final int DEPTH = 8;

	private Failures() {
	}

	/**
	 * The classes of a failure and its causes.
	 * @param failure the failure
	 * @return simple names, outermost first
	 */
	static String types(Throwable failure) {
		StringBuilder types = new StringBuilder(failure.getClass().getSimpleName());
		@Nullable Throwable cause = failure.getCause();
		for (int i = 0; cause != null && i < DEPTH; i++) {
			types.append(" caused by ").append(cause.getClass().getName());
			cause = cause.getCause();
		}
		return types.toString();
	}

	/** The first of a type in a chain of causes; null when there is none. */
	static <T extends Throwable> @Nullable T find(Throwable failure, Class<T> type) {
		Throwable current = failure;
		for (int i = 0; current != null && i < 16; i++) {
			if (type.isInstance(current)) {
				return type.cast(current);
			}
			current = current.getCause();
		}
		return null;
	}

}
