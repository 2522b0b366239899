package io.evenkeel.kafka.container;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

import org.springframework.beans.BeanUtils;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerProperties;
import org.springframework.kafka.listener.ContainerProperties;

/**
 * Nothing that a listener can be configured with comes unseen with a new spring-kafka:
 * all of it is in docs/compatibility.md, with a verdict, and nothing else is.
 */
class CompatibilityTests {

	private static final Set<String> VERDICTS = Set.of("same", "better", "refused", "no effect");

	/** Walking an empty list of children is all right for these. */
	private static final Set<String> HARMLESS = Set.of("pause", "resume", "getConcurrency", "setConcurrency");

	@Test
	void eachAttributeOfTheAnnotationIsListed() throws IOException {
		Set<String> attributes = Arrays.stream(KafkaListener.class.getDeclaredMethods())
			.map(Method::getName)
			.collect(Collectors.toCollection(TreeSet::new));
		Assertions.assertThat(listed("Attributes of `@KafkaListener`")).containsExactlyInAnyOrderElementsOf(attributes);
	}

	@Test
	void eachSettingOfTheContainerIsListed() throws IOException {
		Set<String> settings = Stream.of(ContainerProperties.class, ConsumerProperties.class)
			.flatMap((type) -> Arrays.stream(type.getDeclaredMethods()))
			.filter((method) -> method.getName().startsWith("set") && method.getParameterCount() == 1
					&& Modifier.isPublic(method.getModifiers()) && !method.isBridge())
			.map((method) -> java.beans.Introspector.decapitalize(method.getName().substring(3)))
			.collect(Collectors.toCollection(TreeSet::new));
		settings.addAll(Set.of("topics", "topicPattern", "topicPartitions"));
		Assertions.assertThat(listed("`ContainerProperties` and `ConsumerProperties`"))
			.containsExactlyInAnyOrderElementsOf(settings);
	}

	@Test
	void eachListenerPropertyIsListed() throws IOException {
		Set<String> properties = Arrays.stream(BeanUtils.getPropertyDescriptors(KafkaProperties.Listener.class))
			.filter((descriptor) -> descriptor.getWriteMethod() != null)
			.map((descriptor) -> DataObjectPropertyName.toDashedForm(descriptor.getName()))
			.collect(Collectors.toCollection(TreeSet::new));
		Assertions.assertThat(listed("`spring.kafka.listener.*`")).containsExactlyInAnyOrderElementsOf(properties);
	}

	@Test
	void whateverWalksTheChildrenIsOverridden() {
		List<String> missing = Arrays.stream(ConcurrentMessageListenerContainer.class.getDeclaredMethods())
			.filter((method) -> !method.isBridge() && !method.isSynthetic() && overridable(method))
			.filter((method) -> !HARMLESS.contains(method.getName()))
			.filter((method) -> !isOverridden(method))
			.map(Method::getName)
			.toList();
		Assertions.assertThat(missing).isEmpty();
	}

	private static boolean overridable(Method method) {
		int modifiers = method.getModifiers();
		return (Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers)) && !Modifier.isFinal(modifiers)
				&& !Modifier.isStatic(modifiers);
	}

	private static boolean isOverridden(Method method) {
		try {
			EvenkeelContainer.class.getDeclaredMethod(method.getName(), method.getParameterTypes());
			return true;
		}
		catch (NoSuchMethodException ex) {
			return false;
		}
	}

	/** The names in the first column of a section; each row must have a verdict. */
	private static Set<String> listed(String section) throws IOException {
		String page = Files.readString(page());
		int begin = page.indexOf("## " + section);
		Assertions.assertThat(begin).as(section).isNotNegative();
		int end = page.indexOf("\n## ", begin + 3);
		Set<String> names = new LinkedHashSet<>();
		Pattern row = Pattern.compile("^\\| `([^`]+)` \\| ([^|]+) \\|", Pattern.MULTILINE);
		Matcher matcher = row.matcher(page.substring(begin, (end < 0) ? page.length() : end));
		while (matcher.find()) {
			Assertions.assertThat(names.add(matcher.group(1))).as("listed twice: " + matcher.group(1)).isTrue();
			Assertions.assertThat(VERDICTS).as(matcher.group(1)).contains(matcher.group(2).trim());
		}
		return names;
	}

	private static Path page() {
		Path here = Path.of("").toAbsolutePath();
		Path page = here.resolve("docs/compatibility.md");
		return Files.exists(page) ? page : here.getParent().resolve("docs/compatibility.md");
	}

}
