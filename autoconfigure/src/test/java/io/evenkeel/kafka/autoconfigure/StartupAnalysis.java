package io.evenkeel.kafka.autoconfigure;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.core.io.support.SpringFactoriesLoader.ArgumentResolver;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a user reads when the application does not start: the first analysis that any
 * registered analyzer has, in their order.
 */
final class StartupAnalysis {

	private StartupAnalysis() {
	}

	static FailureAnalysis of(AssertableApplicationContext started, ConfigurableApplicationContext context) {
		Throwable failure = started.getStartupFailure();
		assertThat(failure).as("start-up failure").isNotNull();
		ArgumentResolver arguments = ArgumentResolver.of(Environment.class, context.getEnvironment())
			.and(BeanFactory.class, context.getBeanFactory());
		for (FailureAnalyzer analyzer : SpringFactoriesLoader.forDefaultResourceLocation()
			.load(FailureAnalyzer.class, arguments, (type, name, ex) -> {
			})) {
			FailureAnalysis analysis = analyzer.analyze(failure);
			if (analysis != null) {
				return analysis;
			}
		}
		throw new AssertionError("No analysis", failure);
	}

}
