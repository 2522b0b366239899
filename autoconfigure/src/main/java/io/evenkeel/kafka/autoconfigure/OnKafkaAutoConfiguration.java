package io.evenkeel.kafka.autoconfigure;

import java.util.Arrays;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.condition.ConditionEvaluationReport;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Boot's own auto-configuration for Kafka has not been excluded, neither by an annotation
 * nor by {@code spring.autoconfigure.exclude}: who takes that out wants no Kafka, or one
 * that is all his own. Public for the packages below.
 */
public final class OnKafkaAutoConfiguration extends SpringBootCondition {

	private static final String BOOT = "org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration";

	@Override
	public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
		ConditionMessage.Builder message = ConditionMessage.forCondition("Evenkeel");
		return isExcluded(context) ? ConditionOutcome.noMatch(message.because("KafkaAutoConfiguration is excluded"))
				: ConditionOutcome.match(message.because("KafkaAutoConfiguration is not excluded"));
	}

	private static boolean isExcluded(ConditionContext context) {
		String[] names = Binder.get(context.getEnvironment())
			.bind("spring.autoconfigure.exclude", String[].class)
			.orElse(new String[0]);
		if (names != null && Arrays.asList(names).contains(BOOT)) {
			return true;
		}
		ConfigurableListableBeanFactory beans = context.getBeanFactory();
		return beans != null && ConditionEvaluationReport.get(beans).getExclusions().contains(BOOT);
	}

}
