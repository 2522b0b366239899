package io.evenkeel.kafka.failure;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * A failure of a listener in words: the exception that the application threw, not what
 * was wrapped around it. Messages of the application's own exceptions are repeated, where
 * that is wanted; those of converters, serializers and parsers are not, as they show what
 * they could not read.
 */
final class FailureText {

	private static final int DEPTH = 16;

	private static final int LONGEST = 1000;

	/** What is put around the application's exception on its way to us. */
	private static final List<Class<? extends Throwable>> WRAPPERS = List.of(CompletionException.class,
			ExecutionException.class, InvocationTargetException.class, UndeclaredThrowableException.class);

	private static final String LISTENER_WRAPPER = "org.springframework.kafka.listener.ListenerExecutionFailedException";

	/** Whose messages quote what they were given. */
	private static final List<String> QUOTING = List.of("org.springframework.messaging.",
			"org.springframework.core.convert.", "org.springframework.kafka.support.serializer.",
			"org.springframework.kafka.support.converter.", "org.springframework.validation.",
			"org.springframework.web.bind.", "org.apache.kafka.common.errors.SerializationException",
			"org.apache.kafka.common.errors.RecordDeserializationException", "com.fasterxml.jackson.", "tools.jackson.",
			"com.google.gson.", "com.google.protobuf.", "org.apache.avro.", "jakarta.validation.",
			"java.lang.NumberFormatException", "java.time.format.DateTimeParseException", "java.text.ParseException",
			"java.net.URISyntaxException", "java.util.regex.PatternSyntaxException");

	private final Throwable failure;

	private final RecordSecrets secrets;

	private final boolean messages;

	private final boolean plain;

	/**
	 * Put a failure into words.
	 * @param failure what a call ended with
	 * @param record the record of the call
	 * @param messages whether messages may be repeated at all
	 */
	FailureText(Throwable failure, ConsumerRecord<?, ?> record, boolean messages) {
		this.failure = unwrapped(failure);
		this.secrets = RecordSecrets.of(record);
		this.messages = messages;
		this.plain = messages && isPlain(this.failure, 0);
	}

	static Throwable unwrapped(Throwable failure) {
		Throwable found = failure;
		for (int i = 0; i < DEPTH; i++) {
			Throwable cause = found.getCause();
			if (cause == null || !isWrapper(found)) {
				return found;
			}
			found = cause;
		}
		return found;
	}

	private static boolean isWrapper(Throwable failure) {
		return WRAPPERS.contains(failure.getClass()) || failure.getClass().getName().equals(LISTENER_WRAPPER);
	}

	/** Where it was thrown: the top of its stack. */
	static String place(Throwable unwrapped) {
		StackTraceElement[] stack = unwrapped.getStackTrace();
		return (stack.length > 0) ? String.valueOf(stack[0]) : "an unknown place";
	}

	/**
	 * The exception itself, when nothing of it has to be left out.
	 * @return null when only {@link #stack()} may be shown
	 */
	@Nullable Throwable speakable() {
		return this.plain ? this.failure : null;
	}

	/** Class and message, in one line. */
	String line() {
		return described(this.failure);
	}

	/** The stack trace, with no more of the messages than may be repeated. */
	String stack() {
		StringBuilder text = new StringBuilder();
		Throwable current = this.failure;
		for (int i = 0; current != null && i < DEPTH; i++) {
			text.append(System.lineSeparator()).append((i > 0) ? "Caused by: " : "").append(described(current));
			for (StackTraceElement element : current.getStackTrace()) {
				text.append(System.lineSeparator()).append("\tat ").append(element);
			}
			current = current.getCause();
		}
		return text.toString();
	}

	private String described(Throwable failure) {
		String name = failure.getClass().getName();
		String message = message(failure);
		if (message == null) {
			return name;
		}
		if (!this.messages) {
			return name;
		}
		if (isQuoting(failure)) {
			return name + " (its message is left out: it may show the record)";
		}
		String line = this.secrets.masked(message).replaceAll("\\s*\\R\\s*", " ");
		return name + ": " + ((line.length() > LONGEST) ? line.substring(0, LONGEST) + "…" : line);
	}

	private boolean isPlain(@Nullable Throwable failure, int depth) {
		if (failure == null) {
			return true;
		}
		if (depth > DEPTH || isQuoting(failure) || this.secrets.isIn(message(failure))) {
			return false;
		}
		for (Throwable suppressed : failure.getSuppressed()) {
			if (!isPlain(suppressed, depth + 1)) {
				return false;
			}
		}
		return isPlain(failure.getCause(), depth + 1);
	}

	/** Also when it is only the message of such a cause that it carries on. */
	private static boolean isQuoting(Throwable failure) {
		Throwable current = failure;
		for (int i = 0; current != null && i < DEPTH; i++) {
			for (Class<?> type = current.getClass(); type != null; type = type.getSuperclass()) {
				String name = type.getName();
				if (QUOTING.stream().anyMatch(name::startsWith)) {
					return current == failure || repeats(failure, current);
				}
			}
			current = current.getCause();
		}
		return false;
	}

	private static boolean repeats(Throwable failure, Throwable cause) {
		String own = message(failure);
		String theirs = message(cause);
		return own != null && theirs != null && own.contains(theirs);
	}

	private static @Nullable String message(Throwable failure) {
		try {
			return failure.getMessage();
		}
		catch (RuntimeException | Error ex) {
			return "(its message could not be read)";
		}
	}

}
