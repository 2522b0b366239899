package io.evenkeel.kafka.autoconfigure;

import java.util.List;

import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when topics that must exist at the start do not, or cannot be looked up.
 */
final class ProducerMissingTopicsException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final String description;

	ProducerMissingTopicsException(List<String> missing, List<String> unknown, String why, String bootstrapServers) {
		super(describe(missing, unknown, why, bootstrapServers));
		this.description = describe(missing, unknown, why, bootstrapServers);
	}

	static boolean saysMissing(@Nullable Throwable cause) {
		return cause instanceof UnknownTopicOrPartitionException || cause instanceof InvalidTopicException;
	}

	private static String describe(List<String> missing, List<String> unknown, String why, String bootstrapServers) {
		StringBuilder text = new StringBuilder("Topics of '" + EvenkeelProducerProperties.PREFIX
				+ ".startup.verify-topics' are not ready on " + bootstrapServers + ":");
		if (!missing.isEmpty()) {
			text.append(" missing ").append(missing);
		}
		if (!unknown.isEmpty()) {
			text.append(missing.isEmpty() ? "" : ",")
				.append(" not looked up ")
				.append(unknown)
				.append(" (")
				.append(why)
				.append(')');
		}
		return text.toString();
	}

	String getDescription() {
		return this.description;
	}

}
