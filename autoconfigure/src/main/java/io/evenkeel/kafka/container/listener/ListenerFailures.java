package io.evenkeel.kafka.container.listener;

import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ListenerExecutionFailedException;

/**
 * What listeners' failures say: in logs, where their messages may not be repeated, as
 * they may hold what the record held; and by what caused them.
 */
public final class ListenerFailures {

	private static final int DEPTH = 8;

	private ListenerFailures() {
	}

	/**
	 * The classes of a failure and its causes.
	 * @param failure the failure
	 * @return simple names, outermost first
	 */
	public static String types(Throwable failure) {
		StringBuilder types = new StringBuilder(failure.getClass().getSimpleName());
		@Nullable Throwable cause = failure.getCause();
		for (int i = 0; cause != null && i < DEPTH; i++) {
			types.append(" caused by ").append(cause.getClass().getName());
			cause = cause.getCause();
		}
		return types.toString();
	}

	/** What an adapter says of its listener, with the group that it does not know. */
	public static ListenerExecutionFailedException ofGroup(@Nullable String groupId,
			ListenerExecutionFailedException failure) {
		return new ListenerExecutionFailedException(String.valueOf(failure.getMessage()), groupId,
				(failure.getCause() != null) ? failure.getCause() : failure);
	}

	/** The first of a type in a chain of causes; null when there is none. */
	public static <T extends Throwable> @Nullable T find(Throwable failure, Class<T> type) {
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
