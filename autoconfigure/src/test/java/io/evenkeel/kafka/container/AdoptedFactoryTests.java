package io.evenkeel.kafka.container;

import java.beans.PropertyDescriptor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import java.util.stream.Stream;

import io.evenkeel.kafka.container.listener.ContainerSettings;
import org.aopalliance.aop.Advice;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;
import org.springframework.beans.BeanUtils;
import org.springframework.beans.BeanWrapperImpl;
import org.springframework.kafka.config.AbstractKafkaListenerContainerFactory;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.util.ReflectionUtils;

/**
 * What a factory of the application was set to is what its place-holder makes containers
 * with. A setting that spring-kafka adds is noticed here.
 */
class AdoptedFactoryTests {

	private final ContainerDependencies support = new ContainerDependencies((id) -> ContainerSettings.defaults(),
			ListenerMeters.NONE, (suffix) -> (record, failure) -> {
			});

	private final ConcurrentKafkaListenerContainerFactory<Object, Object> original = new ConcurrentKafkaListenerContainerFactory<>();

	@Test
	void eachFieldIsTakenOver() throws IllegalAccessException {
		Map<Field, Object> values = new LinkedHashMap<>();
		for (Field field : fields()) {
			if (!Modifier.isFinal(field.getModifiers())) {
				Object value = value(field.getType());
				field.set(this.original, value);
				values.put(field, value);
			}
		}
		Assertions.assertThat(values).hasSizeGreaterThan(20);
		var adopted = adopt();
		for (Map.Entry<Field, Object> value : values.entrySet()) {
			Assertions.assertThat(value.getKey().get(adopted)).as(value.getKey().getName()).isSameAs(value.getValue());
		}
	}

	/** A further one would hold settings that nobody copies. */
	@Test
	void theContainerPropertiesAreTheOnlyFieldThatNeverChanges() {
		Assertions
			.assertThat(fields().stream().filter((field) -> Modifier.isFinal(field.getModifiers())).map(Field::getName))
			.containsExactlyInAnyOrder("logger", "containerProperties");
	}

	@Test
	void eachContainerPropertyReachesTheContainerAsItDoesThere() {
		BeanWrapperImpl set = new BeanWrapperImpl(this.original.getContainerProperties());
		List<String> changed = new ArrayList<>();
		for (PropertyDescriptor property : BeanUtils.getPropertyDescriptors(ContainerProperties.class)) {
			if (property.getWriteMethod() != null && property.getReadMethod() != null
					&& !property.getName().equals("messageListener")) {
				set.setPropertyValue(property.getName(), value(property.getPropertyType()));
				changed.add(property.getName());
			}
		}
		Assertions.assertThat(changed).hasSizeGreaterThan(40);
		this.original.setConsumerFactory(new DefaultKafkaConsumerFactory<>(Map.of()));
		BeanWrapperImpl theirs = new BeanWrapperImpl(this.original.createContainer("topic").getContainerProperties());
		BeanWrapperImpl ours = new BeanWrapperImpl(adopt().createContainer("topic").getContainerProperties());
		for (PropertyDescriptor property : BeanUtils.getPropertyDescriptors(ContainerProperties.class)) {
			if (property.getReadMethod() != null) {
				Assertions.assertThat(ours.getPropertyValue(property.getName()))
					.as(property.getName())
					.isEqualTo(theirs.getPropertyValue(property.getName()));
			}
		}
	}

	@Test
	void whoKeepsTheOriginalGoesOnSettingIt() {
		this.original.setConcurrency(3);
		this.original.setConsumerFactory(new DefaultKafkaConsumerFactory<>(Map.of()));
		var adopted = adopt();
		Assertions.assertThat(adopted.createContainer("topic").getConcurrency()).isEqualTo(3);
		this.original.setConcurrency(4);
		this.original.getContainerProperties().setIdleEventInterval(7L);
		ConcurrentMessageListenerContainer<Object, Object> container = adopted.createContainer("topic");
		Assertions.assertThat(container).isInstanceOf(EvenkeelContainer.class);
		Assertions.assertThat(container.getConcurrency()).isEqualTo(4);
		Assertions.assertThat(container.getContainerProperties().getIdleEventInterval()).isEqualTo(7L);
	}

	@Test
	void whoWasGivenThisOneSetsThisOne() {
		this.original.setConcurrency(3);
		this.original.setConsumerFactory(new DefaultKafkaConsumerFactory<>(Map.of()));
		var adopted = adopt();
		adopted.setConcurrency(5);
		adopted.getContainerProperties().setIdleEventInterval(8L);
		ConcurrentMessageListenerContainer<Object, Object> container = adopted.createContainer("topic");
		Assertions.assertThat(container.getConcurrency()).isEqualTo(5);
		Assertions.assertThat(container.getContainerProperties().getIdleEventInterval()).isEqualTo(8L);
		Assertions.assertThat(this.original.getContainerProperties()).isSameAs(adopted.getContainerProperties());
	}

	/**
	 * A record that a filter discards is done, unless the application wants it otherwise.
	 */
	@Test
	void onlyWhatWasSetReplacesADefaultOfOurs() {
		Assertions.assertThat(ReflectionUtils.getField(field("ackDiscarded"), adopt())).isEqualTo(true);
		this.original.setAckDiscarded(false);
		Assertions.assertThat(ReflectionUtils.getField(field("ackDiscarded"), adopt())).isEqualTo(false);
	}

	@Test
	void aSubclassIsNotTakenOver() {
		var subclass = new ConcurrentKafkaListenerContainerFactory<>() {
		};
		Assertions.assertThatIllegalArgumentException()
			.isThrownBy(() -> EvenkeelContainerFactory.adopt(subclass, () -> this.support));
	}

	private EvenkeelContainerFactory<Object, Object> adopt() {
		return EvenkeelContainerFactory.adopt(this.original, () -> this.support);
	}

	private static Field field(String name) {
		return fields().stream().filter((field) -> field.getName().equals(name)).findFirst().orElseThrow();
	}

	private static List<Field> fields() {
		return Stream.of(ConcurrentKafkaListenerContainerFactory.class, AbstractKafkaListenerContainerFactory.class)
			.flatMap((type) -> Arrays.stream(type.getDeclaredFields()))
			.filter((field) -> !Modifier.isStatic(field.getModifiers()))
			.peek((field) -> field.setAccessible(true))
			.toList();
	}

	/** Something that differs from what was there. */
	private static Object value(Class<?> type) {
		Map<Class<?>, Object> known = Map.of(boolean.class, true, Boolean.class, false, int.class, 17, Integer.class,
				18, long.class, 4711L, Long.class, 4712L, float.class, 2.5f, double.class, 3.5, String.class, "text",
				Duration.class, Duration.ofSeconds(47));
		Object value = known.get(type);
		if (value != null) {
			return value;
		}
		if (type.isEnum()) {
			return type.getEnumConstants()[type.getEnumConstants().length - 1];
		}
		if (type == Properties.class) {
			return new Properties();
		}
		if (type == Function.class) {
			return Function.identity();
		}
		return (type == Advice[].class) ? new Advice[] { Mockito.mock(Advice.class) } : Mockito.mock(type);
	}

}
