package io.evenkeel.kafka.autoconfigure;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListeners;
import org.springframework.util.ClassUtils;

/**
 * Explains spring-kafka's refusal of two listeners with one id, and says where they are.
 */
final class DuplicateListenerIdFailureAnalyzer extends AbstractFailureAnalyzer<IllegalStateException> {

	private static final String MESSAGE = "Another endpoint is already registered with id ";

	private final @Nullable BeanFactory beanFactory;

	DuplicateListenerIdFailureAnalyzer(@Nullable BeanFactory beanFactory) {
		this.beanFactory = beanFactory;
	}

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, IllegalStateException cause) {
		String message = cause.getMessage();
		if (message == null || !message.startsWith(MESSAGE)) {
			return null;
		}
		String id = message.substring(MESSAGE.length());
		List<String> places = (this.beanFactory instanceof ConfigurableListableBeanFactory beans)
				? places(beans, id.replace("'", "")) : List.of();
		String where = places.isEmpty() ? "" : " (from " + String.join(" and ", places) + ")";
		return new FailureAnalysis(
				"@KafkaListener(id = " + id + ")" + where + ": two listeners have this id. Pauses, metrics, health and "
						+ "evenkeel.kafka.consumer.listeners.<id> need to tell them apart.",
				"Give each @KafkaListener an id of its own, for example @KafkaListener(id = "
						+ id.replaceAll("'$", "-2'") + "); use groupId to put several listeners into one group.",
				cause);
	}

	/** The annotated classes and methods, by the definitions of the beans. */
	private static List<String> places(ConfigurableListableBeanFactory beans, String id) {
		List<String> result = new ArrayList<>();
		for (String name : beans.getBeanDefinitionNames()) {
			Class<?> found = beans.getType(name, false);
			if (found == null) {
				continue;
			}
			Class<?> type = ClassUtils.getUserClass(found);
			if (has(AnnotatedElementUtils.getMergedRepeatableAnnotations(type, KafkaListener.class,
					KafkaListeners.class), beans, id)) {
				result.add(type.getName());
			}
			Map<Method, Set<KafkaListener>> methods = MethodIntrospector.selectMethods(type,
					(MethodIntrospector.MetadataLookup<Set<KafkaListener>>) (method) -> AnnotatedElementUtils
						.getMergedRepeatableAnnotations(method, KafkaListener.class, KafkaListeners.class));
			methods.forEach((method, listeners) -> {
				if (has(listeners, beans, id)) {
					result.add(type.getName() + "." + method.getName());
				}
			});
		}
		return result;
	}

	private static boolean has(Set<KafkaListener> listeners, ConfigurableListableBeanFactory beans, String id) {
		return listeners.stream().anyMatch((listener) -> id.equals(beans.resolveEmbeddedValue(listener.id())));
	}

}
