package io.evenkeel.kafka.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Explains a {@link MaxBlockConflictException}.
 */
final class MaxBlockConflictFailureAnalyzer extends AbstractFailureAnalyzer<MaxBlockConflictException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, MaxBlockConflictException cause) {
		return new FailureAnalysis(cause.getDescription(), cause.getAction(), cause);
	}

}
