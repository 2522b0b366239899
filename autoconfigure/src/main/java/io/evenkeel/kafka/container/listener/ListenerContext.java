package io.evenkeel.kafka.container.listener;

import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * What each part of a container may know of its listener. The container itself stays with
 * its factory and its life cycle; here it is only what the application is given as the
 * container.
 *
 * <h2>Threading</h2> Any thread. Each answer is read from the container when it is asked
 * for: the application may change what it was set to until the start.
 */
public final class ListenerContext {

	private final AbstractMessageListenerContainer<?, ?> container;

	private final Supplier<MessageListenerContainer> source;

	private final Supplier<@Nullable ApplicationContext> application;

	/**
	 * Make the context of a container.
	 * @param container the container
	 * @param source what spring-kafka's events come from
	 * @param application the application, null outside of one
	 */
	public ListenerContext(AbstractMessageListenerContainer<?, ?> container, Supplier<MessageListenerContainer> source,
			Supplier<@Nullable ApplicationContext> application) {
		this.container = container;
		this.source = source;
		this.application = application;
	}

	/** The id of the listener: log lines begin with it. */
	public String id() {
		return this.container.getListenerId();
	}

	public @Nullable String groupId() {
		return this.container.getGroupId();
	}

	public ContainerProperties properties() {
		return this.container.getContainerProperties();
	}

	/** What {@code @KafkaListener(info)} says. */
	public byte @Nullable [] info() {
		return this.container.getListenerInfo();
	}

	/** Who is told of events; null outside of an application. */
	@Nullable ApplicationEventPublisher publisher() {
		return this.container.getApplicationEventPublisher();
	}

	/** The user's error handler, which takes the place of the settings' retries. */
	public @Nullable CommonErrorHandler errorHandler() {
		return this.container.getCommonErrorHandler();
	}

	/** What the application knows as the container of the listener. */
	public MessageListenerContainer container() {
		return this.container;
	}

	/** What is assigned now, as the application is told. */
	public Collection<TopicPartition> assigned() {
		Collection<TopicPartition> known = this.container.getAssignedPartitions();
		return (known != null) ? known : List.of();
	}

	/** What spring-kafka's events come from: the one child, once there is one. */
	MessageListenerContainer source() {
		return this.source.get();
	}

	/** The application; null when the container was made outside of one. */
	public @Nullable ApplicationContext application() {
		return this.application.get();
	}

	/** The application's; null when it is not known. */
	public @Nullable ClassLoader classLoader() {
		ApplicationContext known = application();
		return (known != null) ? known.getClassLoader() : Thread.currentThread().getContextClassLoader();
	}

	/** What spring-kafka calls the first, here the only, consumer of a listener. */
	public String memberId() {
		String name = this.container.getBeanName();
		return ((name != null) ? name : "consumer") + "-0";
	}

	/** Whether the application names the threads of its listener. */
	public boolean namesThreads() {
		return this.container.isChangeConsumerThreadName();
	}

	/** The name that the application gives to the threads of its listener, or ours. */
	public String threadName() {
		return namesThreads() ? this.container.getThreadNameSupplier().apply(source()) : id();
	}

}
