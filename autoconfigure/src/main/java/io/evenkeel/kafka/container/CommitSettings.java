package io.evenkeel.kafka.container;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ListenerMetadata;
import org.springframework.kafka.listener.OffsetAndMetadataProvider;
import org.springframework.kafka.support.LogIfLevelEnabled;

/**
 * Container settings that concern each commit or each poll of the consumer: the commit
 * callback, the provider of metadata, the level at which commits are logged, and the time
 * between polls. Put around the consumer only where one of them is set. Owner thread.
 */
final class CommitSettings<K, V> implements InvocationHandler {

	private final Consumer<K, V> delegate;

	private final @Nullable OffsetCommitCallback callback;

	private final @Nullable OffsetAndMetadataProvider provider;

	private final ListenerMetadata metadata;

	private final LogIfLevelEnabled log;

	private final long betweenNanos;

	private long fetchFrom = System.nanoTime();

	private CommitSettings(Consumer<K, V> delegate, EvenkeelContainer<K, V> container) {
		ContainerProperties properties = container.getContainerProperties();
		this.delegate = delegate;
		this.callback = properties.getCommitCallback();
		this.provider = properties.getOffsetAndMetadataProvider();
		this.metadata = new Metadata(container.getListenerId(), container.getGroupId(), container.getListenerInfo());
		this.log = new LogIfLevelEnabled(new LogAccessor(LogFactory.getLog(CommitSettings.class)),
				properties.getCommitLogLevel());
		this.betweenNanos = Duration.ofMillis(properties.getIdleBetweenPolls()).toNanos();
	}

	@SuppressWarnings("unchecked")
	static <K, V> Consumer<K, V> around(Consumer<K, V> consumer, EvenkeelContainer<K, V> container) {
		ContainerProperties properties = container.getContainerProperties();
		if (properties.getCommitCallback() == null && properties.getOffsetAndMetadataProvider() == null
				&& properties.getIdleBetweenPolls() <= 0
				&& properties.getCommitLogLevel() == LogIfLevelEnabled.Level.DEBUG) {
			return consumer;
		}
		return (Consumer<K, V>) Proxy.newProxyInstance(CommitSettings.class.getClassLoader(),
				new Class<?>[] { Consumer.class }, new CommitSettings<>(consumer, container));
	}

	@Override
	@SuppressWarnings("unchecked")
	public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args) throws Throwable {
		boolean withOffsets = args != null && args.length > 0 && args[0] instanceof Map;
		if (method.getName().equals("commitAsync") && withOffsets && args != null) {
			Map<TopicPartition, OffsetAndMetadata> offsets = provided((Map<TopicPartition, OffsetAndMetadata>) args[0]);
			OffsetCommitCallback own = (args.length > 1) ? (OffsetCommitCallback) args[1] : null;
			this.delegate.commitAsync(offsets, (committed, failure) -> {
				if (own != null) {
					own.onComplete(committed, failure);
				}
				tell(offsets, failure);
			});
			return null;
		}
		if (method.getName().equals("commitSync") && withOffsets && args != null) {
			Map<TopicPartition, OffsetAndMetadata> offsets = provided((Map<TopicPartition, OffsetAndMetadata>) args[0]);
			args[0] = offsets;
			call(method, args);
			tell(offsets, null);
			return null;
		}
		if (method.getName().equals("poll") && this.betweenNanos > 0 && args != null && args[0] != null) {
			return poll((Duration) args[0]);
		}
		return call(method, args);
	}

	/**
	 * Between two polls with records nothing is fetched; the group is served meanwhile.
	 */
	private ConsumerRecords<K, V> poll(Duration timeout) {
		long wait = this.fetchFrom - System.nanoTime();
		if (wait <= 0) {
			ConsumerRecords<K, V> records = this.delegate.poll(timeout);
			if (!records.isEmpty()) {
				this.fetchFrom = System.nanoTime() + this.betweenNanos;
			}
			return records;
		}
		Set<TopicPartition> waiting = new HashSet<>(this.delegate.assignment());
		waiting.removeAll(this.delegate.paused());
		this.delegate.pause(waiting);
		try {
			return this.delegate.poll((timeout.toNanos() < wait) ? timeout : Duration.ofNanos(wait));
		}
		finally {
			waiting.retainAll(this.delegate.assignment());
			this.delegate.resume(waiting);
		}
	}

	private Map<TopicPartition, OffsetAndMetadata> provided(Map<TopicPartition, OffsetAndMetadata> offsets) {
		OffsetAndMetadataProvider known = this.provider;
		Map<TopicPartition, OffsetAndMetadata> provided = offsets;
		if (known != null) {
			provided = new HashMap<>();
			for (Map.Entry<TopicPartition, OffsetAndMetadata> offset : offsets.entrySet()) {
				provided.put(offset.getKey(), known.provide(this.metadata, offset.getValue().offset()));
			}
		}
		Map<TopicPartition, OffsetAndMetadata> said = provided;
		this.log.log(() -> "Committing: " + said);
		return provided;
	}

	private void tell(Map<TopicPartition, OffsetAndMetadata> offsets, @Nullable Exception failure) {
		if (this.callback != null) {
			this.callback.onComplete(offsets, failure);
		}
	}

	private @Nullable Object call(Method method, @Nullable Object @Nullable [] args) throws Throwable {
		try {
			return method.invoke(this.delegate, args);
		}
		catch (InvocationTargetException ex) {
			throw (ex.getCause() != null) ? ex.getCause() : ex;
		}
	}

	private record Metadata(String getListenerId, @Nullable String getGroupId,
			byte @Nullable [] getListenerInfo) implements ListenerMetadata {
	}

}
