package io.evenkeel.kafka.autoconfigure;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.container.ContainerDependencies;
import io.evenkeel.kafka.container.EvenkeelContainerFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.context.properties.bind.BindResult;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;

/**
 * Takes over the container factories that the application declares. It comes before other
 * post-processors, so that these see what takes a factory's place; factories of other
 * contexts, and those that are no beans, are taken over when a listener is registered
 * with them. What cannot be taken over is remembered with its listeners.
 *
 * <h2>Threading</h2> Beans are made, and listeners registered, on any thread.
 */
final class FactoryAdoption implements BeanPostProcessor, PriorityOrdered {

	static final String PROPERTY = EvenkeelConsumerProperties.PREFIX + ".adopt-factories";

	private static final String SPRING_FACTORY = "springKafkaListenerContainerFactory";

	private static final String RETRY_TOPICS = "org.springframework.kafka.retrytopic.";

	private static final Logger logger = LoggerFactory.getLogger(FactoryAdoption.class);

	private final ApplicationContext context;

	private final boolean adopts;

	private final Map<Object, KafkaListenerContainerFactory<?>> adopted = new IdentityHashMap<>();

	/** The key of a proxied bean is its target. */
	private final Map<Object, LeftAlone> leftAlone = Collections.synchronizedMap(new IdentityHashMap<>());

	FactoryAdoption(ApplicationContext context) {
		this.context = context;
		BindResult<Boolean> adopts = Binder.get(context.getEnvironment()).bind(PROPERTY, Boolean.class);
		this.adopts = !adopts.isBound() || adopts.get();
	}

	@Override
	public int getOrder() {
		return Ordered.HIGHEST_PRECEDENCE;
	}

	@Override
	public Object postProcessBeforeInitialization(Object bean, String beanName) {
		if (bean.getClass() == KafkaListenerEndpointRegistry.class) {
			return new AdoptingRegistry((KafkaListenerEndpointRegistry) bean, this, this.context);
		}
		return take(bean, beanName);
	}

	/** What a factory bean makes comes here only. */
	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		return take(bean, beanName);
	}

	private Object take(Object bean, String beanName) {
		if (!(bean instanceof KafkaListenerContainerFactory<?> factory)
				|| target(bean) instanceof EvenkeelContainerFactory<?, ?> || changesItsTarget(bean)) {
			return bean;
		}
		if (beanName.equals(SPRING_FACTORY) || !isPlain(factory) || !this.adopts) {
			this.leftAlone.putIfAbsent(target(bean), new LeftAlone(beanName, target(bean).getClass()));
			return bean;
		}
		logger.info("The bean '{}' is taken over: its listeners run on Evenkeel's container ({}=true)", beanName,
				PROPERTY);
		return adopt(factory);
	}

	private EvenkeelContainerFactory<?, ?> adopt(KafkaListenerContainerFactory<?> factory) {
		return EvenkeelContainerFactory.adopt((ConcurrentKafkaListenerContainerFactory<?, ?>) factory,
				() -> this.context.getBean(ContainerDependencies.class));
	}

	/**
	 * The factory that a listener is registered with.
	 * @param factory what the annotation or the application names
	 * @return what takes its place
	 */
	KafkaListenerContainerFactory<?> inPlaceOf(KafkaListenerContainerFactory<?> factory) {
		if (!this.adopts || !isPlain(factory) || this.leftAlone.containsKey(factory) || isOfAnotherContext(factory)) {
			return factory;
		}
		synchronized (this.adopted) {
			return this.adopted.computeIfAbsent(factory, (plain) -> adopt(factory));
		}
	}

	/** Boot's own factory of a parent. It is not made for the question. */
	private boolean isOfAnotherContext(KafkaListenerContainerFactory<?> factory) {
		ApplicationContext parent = this.context.getParent();
		while (parent instanceof ConfigurableApplicationContext known) {
			if (known.getBeanFactory().getSingleton(SPRING_FACTORY) == factory) {
				return true;
			}
			parent = parent.getParent();
		}
		return false;
	}

	/** A listener was registered, with a factory that does not make our containers. */
	void registered(String listener, KafkaListenerContainerFactory<?> factory) {
		this.leftAlone.computeIfAbsent(target(factory), (unknown) -> new LeftAlone(null, unknown.getClass()))
			.add(listener);
	}

	/** The factories whose listeners run on spring-kafka's containers. */
	Collection<LeftAlone> leftAlone() {
		synchronized (this.leftAlone) {
			return List.copyOf(this.leftAlone.values());
		}
	}

	boolean adopts() {
		return this.adopts;
	}

	private static boolean isPlain(KafkaListenerContainerFactory<?> factory) {
		return factory.getClass() == ConcurrentKafkaListenerContainerFactory.class;
	}

	/** The factory behind a proxy, and behind what retry topics put around it. */
	private static Object target(Object bean) {
		Object target = AopProxyUtils.getSingletonTarget(bean);
		if (target == null && bean.getClass().getName().startsWith(RETRY_TOPICS)) {
			DirectFieldAccessor fields = new DirectFieldAccessor(bean);
			target = fields.isReadableProperty("delegate") ? fields.getPropertyValue("delegate") : null;
		}
		return (target != null) ? target : bean;
	}

	/** A proxy of a scope: what is behind it is a bean of its own, and comes here too. */
	private static boolean changesItsTarget(Object bean) {
		return bean instanceof Advised advised && !advised.getTargetSource().isStatic();
	}

	/**
	 * A factory that is not ours, and its listeners.
	 */
	static final class LeftAlone {

		private final @Nullable String bean;

		private final Class<?> type;

		private final List<String> listeners = Collections.synchronizedList(new ArrayList<>());

		LeftAlone(@Nullable String bean, Class<?> type) {
			this.bean = bean;
			this.type = type;
		}

		private void add(String listener) {
			this.listeners.add(listener);
		}

		/** Named as the way back, or by the application for it. */
		boolean isTheWayBack() {
			return SPRING_FACTORY.equals(this.bean);
		}

		String name() {
			return (this.bean != null) ? "The bean '" + this.bean + "'" : "A container factory that is no bean";
		}

		Class<?> type() {
			return this.type;
		}

		List<String> listeners() {
			synchronized (this.listeners) {
				return this.listeners.stream().sorted().toList();
			}
		}

	}

}
