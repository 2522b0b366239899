package io.evenkeel.kafka.container;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

import io.evenkeel.kafka.engine.ConsumerEngine;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * The consumer that the application sees: listeners, interceptors and error handlers on
 * worker threads, rebalance listeners and events on the owner thread. A Kafka consumer
 * belongs to its owner: reads are carried out there, seeks are handed over and take
 * effect before the next poll, pauses become the container's own, and what would disturb
 * the owner's work (commits, polls, subscriptions, closing) is refused with the reason.
 * Inside a callback, offsets given by the application may be committed.
 */
final class ConsumerProxy<K, V> implements InvocationHandler {

	private static final Set<String> READS = Set.of("assignment", "subscription", "paused", "position", "committed",
			"partitionsFor", "listTopics", "offsetsForTimes", "beginningOffsets", "endOffsets", "currentLag",
			"groupMetadata", "clientInstanceId", "metrics");

	private static final Set<String> PAUSES = Set.of("pause", "resume");

	private static final Set<String> SEEKS = Set.of("seek", "seekToBeginning", "seekToEnd");

	private static final long READ_TIMEOUT_SECONDS = 30;

	private static final long TOPIC_NANOS = TimeUnit.SECONDS.toNanos(60);

	private final ConsumerEngine<K, V> engine;

	private final MessageListenerContainer container;

	private final Map<Object, Known> topics = new ConcurrentHashMap<>();

	private ConsumerProxy(ConsumerEngine<K, V> engine, MessageListenerContainer container) {
		this.engine = engine;
		this.container = container;
	}

	@SuppressWarnings("unchecked")
	static <K, V> Consumer<K, V> create(ConsumerEngine<K, V> engine, MessageListenerContainer container) {
		return (Consumer<K, V>) Proxy.newProxyInstance(ConsumerProxy.class.getClassLoader(),
				new Class<?>[] { Consumer.class }, new ConsumerProxy<>(engine, container));
	}

	@Override
	public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args) throws Throwable {
		String name = method.getName();
		if (method.getDeclaringClass() == Object.class) {
			return switch (name) {
				case "equals" -> args != null && proxy == args[0];
				case "hashCode" -> System.identityHashCode(proxy);
				default -> "Consumer of a listener";
			};
		}
		if (name.equals("partitionsFor") && args != null && args[0] != null) {
			return partitionsFor(method, args[0], args);
		}
		if (READS.contains(name)) {
			return read(method, args);
		}
		if (PAUSES.contains(name) && args != null && args[0] != null) {
			pause(args[0], name.equals("pause"));
			return null;
		}
		if (name.startsWith("commit") && args != null && args.length > 0 && args[0] instanceof Map
				&& this.engine.isOwner()) {
			return read(method, args);
		}
		if (SEEKS.contains(name) && args != null && args[0] != null) {
			seek(args[0], name, args);
			return null;
		}
		throw new UnsupportedOperationException("Consumer." + name + "() is not available to a listener: the "
				+ "container's owner thread does it. Use the container factory 'springKafkaListenerContainerFactory' "
				+ "for a listener that must call it itself.");
	}

	/**
	 * The dead-letter recoverer asks for each record: an answer is good for a while, as
	 * partitions are never taken away.
	 */
	private @Nullable Object partitionsFor(Method method, Object topic, @Nullable Object[] args) throws Throwable {
		Known known = this.topics.get(topic);
		if (known != null && System.nanoTime() - known.nanos < TOPIC_NANOS) {
			return known.partitions;
		}
		Object answer = read(method, args);
		if (answer instanceof List<?> partitions && !partitions.isEmpty()) {
			this.topics.put(topic, new Known(partitions, System.nanoTime()));
		}
		return answer;
	}

	private record Known(List<?> partitions, long nanos) {
	}

	@SuppressWarnings("unchecked")
	private void pause(Object partitions, boolean pause) {
		for (TopicPartition partition : (Collection<TopicPartition>) partitions) {
			if (pause) {
				this.container.pausePartition(partition);
			}
			else {
				this.container.resumePartition(partition);
			}
		}
	}

	private @Nullable Object here(Method method, @Nullable Object @Nullable [] args) {
		AtomicReference<@Nullable Object> result = new AtomicReference<>();
		this.engine.onOwner((consumer) -> result.set(call(method, consumer, args)));
		return result.get();
	}

	private @Nullable Object read(Method method, @Nullable Object @Nullable [] args) throws Throwable {
		if (this.engine.isOwner()) {
			return here(method, args);
		}
		CompletableFuture<@Nullable Object> result = this.engine.execute((consumer) -> call(method, consumer, args));
		try {
			return result.get(READ_TIMEOUT_SECONDS, TimeUnit.SECONDS);
		}
		catch (java.util.concurrent.ExecutionException ex) {
			throw (ex.getCause() != null) ? ex.getCause() : ex;
		}
		catch (TimeoutException ex) {
			throw new org.apache.kafka.common.errors.TimeoutException(
					"Consumer." + method.getName() + "() was not answered by the owner thread in time");
		}
	}

	private static @Nullable Object call(Method method, Consumer<?, ?> consumer, @Nullable Object @Nullable [] args) {
		try {
			return method.invoke(consumer, args);
		}
		catch (InvocationTargetException ex) {
			if (ex.getCause() instanceof RuntimeException unchecked) {
				throw unchecked;
			}
			throw new CompletionException(ex.getCause());
		}
		catch (IllegalAccessException ex) {
			throw new KafkaException(ex);
		}
	}

	@SuppressWarnings("unchecked")
	private void seek(Object target, String name, @Nullable Object[] args) {
		if (target instanceof TopicPartition partition) {
			if (args[1] instanceof OffsetAndMetadata offset) {
				this.engine.seek(partition, (consumer) -> consumer.seek(partition, offset));
			}
			else if (args[1] instanceof Long offset) {
				this.engine.seek(partition, (consumer) -> consumer.seek(partition, offset));
			}
			return;
		}
		for (TopicPartition partition : (Collection<TopicPartition>) target) {
			if (name.equals("seekToEnd")) {
				this.engine.seek(partition, (consumer) -> consumer.seekToEnd(Set.of(partition)));
			}
			else {
				this.engine.seek(partition, (consumer) -> consumer.seekToBeginning(Set.of(partition)));
			}
		}
	}

}
