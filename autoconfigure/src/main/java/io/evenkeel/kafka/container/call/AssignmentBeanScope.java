package io.evenkeel.kafka.container.call;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.ObservationView;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.ObjectFactory;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.config.Scope;

/**
 * The bean scope {@code assignment}; see {@code @AssignmentScope}. As a bean it registers
 * itself.
 *
 * <h2>Threading</h2> The current assignment belongs to the thread that runs a handler. A
 * continuation on another thread finds it through the current observation, which knows
 * the call that it was made for.
 */
public final class AssignmentBeanScope implements Scope, BeanFactoryPostProcessor {

	/** The name of the scope. */
	public static final String NAME = "assignment";

	@SuppressWarnings("ThreadLocalUsage") // one scope for each context
	private final ThreadLocal<@Nullable AssignmentBeans> current = new ThreadLocal<>();

	private @Nullable ConfigurableListableBeanFactory beanFactory;

	@Override
	public void postProcessBeanFactory(ConfigurableListableBeanFactory factory) throws BeansException {
		this.beanFactory = factory;
		factory.registerScope(NAME, this);
	}

	/** Whether the application has a bean of this scope. */
	boolean isUsed() {
		ConfigurableListableBeanFactory factory = this.beanFactory;
		if (factory == null) {
			return false;
		}
		for (String name : factory.getBeanDefinitionNames()) {
			if (NAME.equals(factory.getMergedBeanDefinition(name).getScope())) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Make the beans of an assignment those of this thread.
	 * @return what was current before, to be given to {@link #leave}
	 */
	@Nullable AssignmentBeans enter(AssignmentBeans beans) {
		AssignmentBeans previous = this.current.get();
		this.current.set(beans);
		return previous;
	}

	/** The beans of this thread's assignment. */
	@Nullable AssignmentBeans current() {
		return this.current.get();
	}

	void leave(@Nullable AssignmentBeans previous) {
		if (previous != null) {
			this.current.set(previous);
		}
		else {
			this.current.remove();
		}
	}

	@Override
	public Object get(String name, ObjectFactory<?> objectFactory) {
		return required(name).get(name, objectFactory);
	}

	@Override
	public @Nullable Object remove(String name) {
		return required(name).remove(name);
	}

	@Override
	public void registerDestructionCallback(String name, Runnable callback) {
		required(name).onDestroy(name, callback);
	}

	@Override
	public @Nullable Object resolveContextualObject(String key) {
		return null;
	}

	@Override
	public @Nullable String getConversationId() {
		AssignmentBeans beans = find();
		return (beans != null) ? beans.toString() : null;
	}

	private AssignmentBeans required(String name) {
		AssignmentBeans beans = find();
		if (beans == null) {
			throw new IllegalStateException("Bean '" + name + "' has the scope 'assignment', and this thread runs no "
					+ "handler of an assigned partition. Use it inside a @KafkaListener method, or in a continuation "
					+ "with the observation scope of its call open.");
		}
		return beans;
	}

	private @Nullable AssignmentBeans find() {
		AssignmentBeans beans = this.current.get();
		ConfigurableListableBeanFactory factory = this.beanFactory;
		if (beans != null || factory == null) {
			return beans;
		}
		ObservationRegistry registry = factory.getBeanProvider(ObservationRegistry.class).getIfUnique();
		Observation observation = (registry != null) ? registry.getCurrentObservation() : null;
		ObservationView view = observation;
		while (view != null && beans == null) {
			beans = view.getContextView().get(AssignmentBeans.class);
			view = view.getContextView().getParentObservation();
		}
		return beans;
	}

}
