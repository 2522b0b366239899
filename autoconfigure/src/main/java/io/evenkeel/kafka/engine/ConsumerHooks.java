package io.evenkeel.kafka.engine;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Put around a consumer when somebody wants a hand in each commit or each poll: to change
 * the metadata of an offset, to hear of the answer, to slow the fetching down. Owner
 * thread.
 */
public final class ConsumerHooks<K, V> implements InvocationHandler {

	private final Consumer<K, V> delegate;

	private final Hooks hooks;

	private final long betweenNanos;

	private final LongSupplier clock;

	private long fetchFrom;

	private ConsumerHooks(Consumer<K, V> delegate, Hooks hooks, LongSupplier clock) {
		this.clock = clock;
		this.fetchFrom = clock.getAsLong();
		this.delegate = delegate;
		this.hooks = hooks;
		this.betweenNanos = hooks.betweenPolls().toNanos();
	}

	/**
	 * Put hooks around a consumer.
	 * @param consumer the consumer
	 * @param hooks what is wanted
	 * @param clock nanoseconds, of the engine
	 * @param <K> the type of the key
	 * @param <V> the type of the value
	 * @return to be used in its place
	 */
	@SuppressWarnings("unchecked")
	public static <K, V> Consumer<K, V> around(Consumer<K, V> consumer, Hooks hooks, LongSupplier clock) {
		return (Consumer<K, V>) Proxy.newProxyInstance(ConsumerHooks.class.getClassLoader(),
				new Class<?>[] { Consumer.class }, new ConsumerHooks<>(consumer, hooks, clock));
	}

	/**
	 * Commit the positions of partitions that have no committed offset, so that a reset
	 * to the latest offset cannot skip records later on. For listeners whose offsets are
	 * otherwise committed by transactions; inside the assigned callback.
	 * @param consumer the consumer
	 * @param partitions newly assigned
	 * @param timeout the longest wait of the next step
	 */
	public static void commitInitial(Consumer<?, ?> consumer, Collection<TopicPartition> partitions,
			Supplier<Duration> timeout) {
		Map<TopicPartition, OffsetAndMetadata> known = consumer.committed(Set.copyOf(partitions), timeout.get());
		Map<TopicPartition, OffsetAndMetadata> initial = new HashMap<>();
		for (TopicPartition partition : partitions) {
			if (known.get(partition) == null) {
				initial.put(partition, new OffsetAndMetadata(consumer.position(partition, timeout.get())));
			}
		}
		if (!initial.isEmpty()) {
			consumer.commitSync(initial, timeout.get());
		}
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
		long wait = this.fetchFrom - this.clock.getAsLong();
		if (wait <= 0) {
			ConsumerRecords<K, V> records = this.delegate.poll(timeout);
			if (!records.isEmpty()) {
				this.fetchFrom = this.clock.getAsLong() + this.betweenNanos;
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
		Map<TopicPartition, OffsetAndMetadata> provided = new HashMap<>(offsets);
		provided.replaceAll((partition, offset) -> this.hooks.provider().apply(offset));
		this.hooks.committing().accept(provided);
		return provided;
	}

	private void tell(Map<TopicPartition, OffsetAndMetadata> offsets, @Nullable Exception failure) {
		this.hooks.answered().onComplete(offsets, failure);
	}

	private @Nullable Object call(Method method, @Nullable Object @Nullable [] args) throws Throwable {
		try {
			return method.invoke(this.delegate, args);
		}
		catch (InvocationTargetException ex) {
			throw (ex.getCause() != null) ? ex.getCause() : ex;
		}
	}

	/**
	 * What is wanted.
	 *
	 * @param provider gives an offset its metadata
	 * @param committing told what is about to be committed
	 * @param answered told the answer
	 * @param betweenPolls how long nothing is fetched after a poll that brought records
	 */
	public record Hooks(UnaryOperator<OffsetAndMetadata> provider,
			java.util.function.Consumer<Map<TopicPartition, OffsetAndMetadata>> committing,
			OffsetCommitCallback answered, Duration betweenPolls) {
	}

}
