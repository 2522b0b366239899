package io.evenkeel.kafka.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Says which Spring Boot is needed.
 */
final class UnsupportedBootFailureAnalyzer extends AbstractFailureAnalyzer<UnsupportedBootException> {

	UnsupportedBootFailureAnalyzer() {
	}

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, UnsupportedBootException cause) {
		return new FailureAnalysis(String.valueOf(cause.getMessage()),
				"Use Spring Boot " + BootVersionCheck.LINE + ", or remove evenkeel-kafka-spring-boot-starter.", cause);
	}

}
