package io.evenkeel.kafka.autoconfigure;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Explains spring-kafka's refusal of two listeners with one id.
 */
final class DuplicateListenerIdFailureAnalyzer extends AbstractFailureAnalyzer<IllegalStateException> {

	private static final String MESSAGE = "Another endpoint is already registered with id ";

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, IllegalStateException cause) {
		String message = cause.getMessage();
		if (message == null || !message.startsWith(MESSAGE)) {
			return null;
		}
		String id = message.substring(MESSAGE.length());
		return new FailureAnalysis(
				"@KafkaListener(id = " + id + "): two listeners have this id. Pauses, metrics, health and "
						+ "evenkeel.kafka.consumer.listeners.<id> need to tell them apart.",
				"Give each @KafkaListener an id of its own; use groupId to put several listeners into one group.",
				cause);
	}

}
