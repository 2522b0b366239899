package io.evenkeel.kafka.autoconfigure;

import io.evenkeel.kafka.autoconfigure.health.EvenkeelListenersHealthAutoConfiguration;
import io.evenkeel.kafka.autoconfigure.health.EvenkeelProducerHealthAutoConfiguration;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;
import org.springframework.core.io.support.SpringFactoriesLoader.ArgumentResolver;
import org.springframework.core.io.support.SpringFactoriesLoader;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a user reads when the application does not start: the first analysis that any
 * registered analyzer has, in their order.
 */
final class StartupAnalysis {

	private StartupAnalysis() {
	}

	/** All that may refuse something when an application starts; no broker is needed. */
	static ApplicationContextRunner runner() {
		return new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(EvenkeelConsumerAutoConfiguration.class,
					EvenkeelProducerAutoConfiguration.class, EvenkeelListenersHealthAutoConfiguration.class,
					EvenkeelProducerHealthAutoConfiguration.class, KafkaAutoConfiguration.class))
			.withPropertyValues("spring.kafka.bootstrap-servers=localhost:1", "spring.kafka.consumer.group-id=test",
					"spring.kafka.admin.auto-create=false");
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
