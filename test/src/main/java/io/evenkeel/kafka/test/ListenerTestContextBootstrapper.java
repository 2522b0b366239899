package io.evenkeel.kafka.test;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.test.context.SpringBootTestContextBootstrapper;
import org.springframework.test.context.TestContextAnnotationUtils;

/**
 * Knows the properties of an {@link EvenkeelKafkaTest}.
 */
final class ListenerTestContextBootstrapper extends SpringBootTestContextBootstrapper {

	@Override
	protected String @Nullable [] getProperties(Class<?> testClass) {
		EvenkeelKafkaTest annotation = TestContextAnnotationUtils.findMergedAnnotation(testClass,
				EvenkeelKafkaTest.class);
		return (annotation != null) ? annotation.properties() : null;
	}

}
