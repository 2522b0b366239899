package io.evenkeel.kafka.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Explains a {@link ProducerMissingTopicsException}.
 */
final class ProducerMissingTopicsFailureAnalyzer extends AbstractFailureAnalyzer<ProducerMissingTopicsException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, ProducerMissingTopicsException cause) {
		String action = "Create the topics, check 'spring.kafka.bootstrap-servers', or set '"
				+ EvenkeelProducerProperties.PREFIX + ".startup.on-missing=warn' to start without them.";
		return new FailureAnalysis(cause.getDescription(), action, cause);
	}

}
