package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;

import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

import org.springframework.kafka.core.ProducerFactory;
import org.springframework.util.StringUtils;

/**
 * The failure of a send that never reached a producer, because none could be had.
 */
final class UnsentFailures {

	private UnsentFailures() {
	}

	static SendFailedException of(String topic, ProducerFactory<?, ?> factory, RuntimeException exception) {
		Throwable cause = exception;
		Diagnosis found = Diagnoser.classify(exception);
		while (found.reason() == FailureReason.UNKNOWN && cause.getCause() != null) {
			cause = cause.getCause();
			found = Diagnoser.classify(cause);
		}
		FailureReason reason = switch (found.reason()) {
			case UNKNOWN -> ConstructionFailures.classify(exception, namesNoHost(exception)).reason();
			// Nothing was handed over: the coordinator of the transaction did not answer.
			case DELIVERY_TIMEOUT -> FailureReason.BROKERS_UNREACHABLE;
			default -> found.reason();
		};
		List<String> servers = bootstrapServers(factory);
		String message = "Send to topic '" + TopicNames.printable(topic) + "' failed: " + reason
				+ " (0 attempts; no producer could be had; " + "brokers " + servers + "). Not sent: safe to retry.";
		return new SendFailedException(message, topic, reason, FailurePhase.METADATA, Duration.ZERO, 0, servers, false,
				exception);
	}

	/**
	 * The client was made on the caller's thread; its complaint about names has a text
	 * only.
	 */
	private static boolean namesNoHost(Throwable exception) {
		for (@Nullable
		Throwable cause = exception; cause != null; cause = cause.getCause()) {
			if (cause instanceof ConfigException
					&& String.valueOf(cause.getMessage()).contains("resolvable bootstrap")) {
				return true;
			}
		}
		return false;
	}

	private static List<String> bootstrapServers(ProducerFactory<?, ?> factory) {
		Object servers = factory.getConfigurationProperties().get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG);
		if (servers instanceof List<?> list) {
			return list.stream().map(String::valueOf).toList();
		}
		return (servers != null) ? Arrays.asList(StringUtils.tokenizeToStringArray(servers.toString(), ","))
				: List.of();
	}

}
