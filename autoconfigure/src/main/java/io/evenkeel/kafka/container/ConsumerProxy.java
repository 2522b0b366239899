package io.evenkeel.kafka.container;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.evenkeel.kafka.engine.ConsumerEngine;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The consumer that listeners, interceptors and error handlers see on worker threads. A
 * Kafka consumer belongs to its owner thread: reads are carried out there, seeks are
 * handed over and take effect before the next poll, and what would disturb the owner's
 * work (commits, polls, subscriptions, closing) is refused with the reason.
 */
final class ConsumerProxy<K, V> implements InvocationHandler {

	private static final Set<String> READS = Set.of("assignment", "subscription", "paused", "position", "committed",
			"partitionsFor", "listTopics", "offsetsForTimes", "beginningOffsets", "endOffsets", "currentLag",
			"groupMetadata", "clientInstanceId", "metrics");

	private static final Set<String> SEEKS = Set.of("seek", "seekToBeginning", "seekToEnd");

	private static final long READ_TIMEOUT_SECONDS = 30;

	private final ConsumerEngine<K, V> engine;

	private ConsumerProxy(ConsumerEngine<K, V> engine) {
		this.engine = engine;
	}

	@SuppressWarnings("unchecked")
	static <K, V> Consumer<K, V> create(ConsumerEngine<K, V> engine) {
		return (Consumer<K, V>) Proxy.newProxyInstance(ConsumerProxy.class.getClassLoader(),
				new Class<?>[] { Consumer.class }, new ConsumerProxy<>(engine));
	}

	@Override
	public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args) throws Throwable {
		String name = method.getName();
		if (method.getDeclaringClass() == Object.class) {
			return switch (name) {
				case "equals" -> args != null && proxy == args[0];
				case "hashCode" -> System.identityHashCode(proxy);
				default -> "Consumer of " + this.engine;
			};
		}
		if (READS.contains(name)) {
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

	private @Nullable Object read(Method method, @Nullable Object @Nullable [] args) throws Throwable {
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
