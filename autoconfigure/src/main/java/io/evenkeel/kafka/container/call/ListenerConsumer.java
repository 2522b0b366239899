package io.evenkeel.kafka.container.call;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.ConsumerView;
import io.evenkeel.kafka.engine.PartitionView;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * The consumer that the application sees: listeners, interceptors and error handlers on
 * worker threads, rebalance listeners and events on the owner thread. A Kafka consumer
 * belongs to its owner, so
 * <ul>
 * <li>what the owner knows is answered from its last turn, at once,</li>
 * <li>what only the brokers know is asked by the owner, in small steps,</li>
 * <li>seeks are handed over and take effect before the next poll,</li>
 * <li>pauses become the container's own,</li>
 * <li>commits are made by the owner, as far as records have ended; where the listener
 * acknowledges by hand they acknowledge,</li>
 * <li>and what would disturb the owner's work (polls, subscriptions, closing) is refused
 * with the reason.</li>
 * </ul>
 * Inside a callback, offsets given by the application are committed as they are.
 */
public final class ListenerConsumer<K, V> implements InvocationHandler {

	private static final Logger logger = LoggerFactory.getLogger(ListenerConsumer.class);

	/** What the brokers are asked, with a time limit as the last argument. */
	private static final Set<String> QUESTIONS = Set.of("partitionsFor", "listTopics", "offsetsForTimes",
			"beginningOffsets", "endOffsets", "committed", "clientInstanceId");

	private static final Set<String> PAUSES = Set.of("pause", "resume");

	private static final Set<String> SEEKS = Set.of("seek", "seekToBeginning", "seekToEnd");

	/** Of those who say nothing else; as the client's own. */
	private static final Duration PATIENCE = Duration.ofSeconds(60);

	/** For so long the owner may be kept from polling by one question. */
	private static final Duration STEP = Duration.ofSeconds(1);

	private static final long TOPIC_NANOS = TimeUnit.SECONDS.toNanos(60);

	private final ConsumerEngine<K, V> engine;

	private final MessageListenerContainer container;

	/** Whether the listener acknowledges, so that a commit of its own does. */
	private final boolean byHand;

	private final NanoClock clock;

	private final Map<Object, Known> topics = new ConcurrentHashMap<>();

	private ListenerConsumer(ConsumerEngine<K, V> engine, MessageListenerContainer container, boolean byHand,
			NanoClock clock) {
		this.clock = clock;
		this.engine = engine;
		this.container = container;
		this.byHand = byHand;
	}

	@SuppressWarnings("unchecked")
	public static <K, V> Consumer<K, V> create(ConsumerEngine<K, V> engine, MessageListenerContainer container,
			boolean byHand, NanoClock clock) {
		return (Consumer<K, V>) Proxy.newProxyInstance(ListenerConsumer.class.getClassLoader(),
				new Class<?>[] { Consumer.class }, new ListenerConsumer<>(engine, container, byHand, clock));
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
		@Nullable Object[] given = (args != null) ? args : new @Nullable Object[0];
		return switch (name) {
			case "assignment" -> new HashSet<>(this.engine.view().partitions().keySet());
			case "subscription" -> this.engine.view().subscription();
			case "paused" -> paused();
			case "metrics" -> this.engine.view().metrics();
			case "groupMetadata" -> groupMetadata(method, given);
			case "currentLag" -> lag(given[0]);
			case "position" -> position((TopicPartition) Objects.requireNonNull(given[0]), patience(given));
			case "commitSync", "commitAsync" -> commit(name, method, given);
			default -> others(name, method, given);
		};
	}

	private @Nullable Object others(String name, Method method, @Nullable Object[] given) throws Throwable {
		if (QUESTIONS.contains(name)) {
			return question(name, method, given);
		}
		Object target = (given.length > 0) ? given[0] : null;
		if (PAUSES.contains(name) && target != null) {
			pause(target, name.equals("pause"));
			return null;
		}
		if (SEEKS.contains(name) && target != null) {
			seek(target, name, given);
			return null;
		}
		throw new UnsupportedOperationException("Consumer." + name + "() is not available to a listener: the "
				+ "container's owner thread does it. Use the container factory 'springKafkaListenerContainerFactory' "
				+ "for a listener that must call it itself.");
	}

	private Set<TopicPartition> paused() {
		Set<TopicPartition> paused = new HashSet<>();
		boolean all = this.container.isPauseRequested();
		this.engine.view().partitions().forEach((partition, view) -> {
			if (all || view.isBackPressure() || this.container.isPartitionPauseRequested(partition)) {
				paused.add(partition);
			}
		});
		return paused;
	}

	private @Nullable Object groupMetadata(Method method, @Nullable Object[] args) throws Throwable {
		ConsumerView view = this.engine.view();
		// Without a group the client says so itself.
		return (view.group() != null) ? view.group() : ask(method, args, PATIENCE);
	}

	private OptionalLong lag(@Nullable Object partition) {
		PartitionView view = this.engine.view().partitions().get(partition);
		return (view != null) ? view.lag() : OptionalLong.empty();
	}

	/** The application's: its lowest record that has not ended. */
	private long position(TopicPartition partition, Duration patience) throws Throwable {
		PartitionView view = this.engine.view().partitions().get(partition);
		if (view == null) {
			throw new IllegalStateException(
					"You can only check the position for partitions assigned to this consumer: " + partition);
		}
		long known = view.position();
		if (known >= 0 && !this.engine.isOwner()) {
			return known;
		}
		if (this.engine.isOwner()) {
			return found(partition, this.engine.position(partition, STEP));
		}
		return stepwise(patience,
				(step) -> this.engine.execute((consumer) -> found(partition, this.engine.position(partition, step))));
	}

	private static long found(TopicPartition partition, OptionalLong position) {
		return position.orElseThrow(() -> new TimeoutException("The position of " + partition + " is not known yet"));
	}

	private @Nullable Object question(String name, Method method, @Nullable Object[] args) throws Throwable {
		if (name.equals("committed") && args[0] instanceof Collection<?> partitions) {
			Map<TopicPartition, OffsetAndMetadata> known = committed(partitions);
			if (known != null) {
				return known;
			}
		}
		if (!name.equals("partitionsFor") || args[0] == null) {
			return ask(method, args, patience(args));
		}
		// The dead-letter recoverer asks for each record: an answer is good for a while,
		// as partitions are never taken away.
		Object topic = args[0];
		Known known = this.topics.get(topic);
		if (known != null && this.clock.getAsLong() - known.nanos < TOPIC_NANOS) {
			return known.partitions;
		}
		Object answer = ask(method, args, patience(args));
		if (answer instanceof List<?> partitions && !partitions.isEmpty()) {
			this.topics.put(topic, new Known(partitions, this.clock.getAsLong()));
		}
		return answer;
	}

	/** Null when one of them is not known. */
	private @Nullable Map<TopicPartition, OffsetAndMetadata> committed(Collection<?> partitions) {
		Map<TopicPartition, PartitionView> views = this.engine.view().partitions();
		Map<TopicPartition, OffsetAndMetadata> known = new HashMap<>();
		for (Object partition : partitions) {
			PartitionView view = views.get(partition);
			OffsetAndMetadata committed = (view != null) ? view.committed() : null;
			if (committed == null) {
				return null;
			}
			known.put((TopicPartition) partition, committed);
		}
		return known;
	}

	private record Known(List<?> partitions, long nanos) {
	}

	private static Duration patience(@Nullable Object[] args) {
		return (args.length > 0 && args[args.length - 1] instanceof Duration given) ? given : PATIENCE;
	}

	/** Let the owner ask the brokers, in steps that do not keep it from its work. */
	private @Nullable Object ask(Method method, @Nullable Object[] args, Duration patience) throws Throwable {
		Method timed = timed(method);
		if (this.engine.isOwner()) {
			Duration step = (patience.compareTo(STEP) < 0) ? patience : STEP;
			AtomicReference<@Nullable Object> result = new AtomicReference<>();
			this.engine.onOwner((consumer) -> result.set(call(timed, consumer, limited(timed, args, step))));
			return result.get();
		}
		return stepwise(patience,
				(step) -> this.engine.execute((consumer) -> call(timed, consumer, limited(timed, args, step))));
	}

	/** The same method with a limit for its time, if there is one. */
	private static Method timed(Method method) {
		Class<?>[] types = method.getParameterTypes();
		if (types.length > 0 && types[types.length - 1] == Duration.class) {
			return method;
		}
		Class<?>[] longer = Arrays.copyOf(types, types.length + 1);
		longer[types.length] = Duration.class;
		try {
			return Consumer.class.getMethod(method.getName(), longer);
		}
		catch (NoSuchMethodException ex) {
			return method;
		}
	}

	private static @Nullable Object[] limited(Method method, @Nullable Object[] args, Duration step) {
		int count = method.getParameterCount();
		if (count == 0 || method.getParameterTypes()[count - 1] != Duration.class) {
			return args;
		}
		@Nullable Object[] limited = Arrays.copyOf(args, count);
		limited[count - 1] = step;
		return limited;
	}

	private <T extends @Nullable Object> T stepwise(Duration patience, Step<T> step) throws Throwable {
		long until = this.clock.getAsLong() + patience.toNanos();
		while (true) {
			long left = until - this.clock.getAsLong();
			Duration most = (left < STEP.toNanos()) ? Duration.ofNanos(Math.max(0, left)) : STEP;
			try {
				// The owner may be on its way through a rebalance before it answers.
				return await(step.ask(most), Math.max(left, STEP.toNanos()) + STEP.toNanos());
			}
			catch (TimeoutException ex) {
				if (this.clock.getAsLong() - until >= 0) {
					throw ex;
				}
			}
		}
	}

	private static <T extends @Nullable Object> T await(CompletableFuture<T> result, long nanos) throws Throwable {
		try {
			return result.get(nanos, TimeUnit.NANOSECONDS);
		}
		catch (ExecutionException ex) {
			throw (ex.getCause() != null) ? ex.getCause() : ex;
		}
		catch (InterruptedException ex) {
			throw new InterruptException(ex);
		}
		catch (java.util.concurrent.TimeoutException ex) {
			throw new TimeoutException("The owner thread of the consumer has not answered in time");
		}
	}

	private static @Nullable Object call(Method method, Consumer<?, ?> consumer, @Nullable Object[] args) {
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
	private @Nullable Object commit(String name, Method method, @Nullable Object[] args) throws Throwable {
		if (args.length == 0 || !(args[0] instanceof Map)) {
			throw new UnsupportedOperationException("Consumer." + name + "() without offsets would commit all that "
					+ "was fetched, handled or not. Name the offsets: " + name + "(Map).");
		}
		Map<TopicPartition, OffsetAndMetadata> offsets = Map.copyOf((Map<TopicPartition, OffsetAndMetadata>) args[0]);
		if (this.engine.isOwner()) {
			this.engine.onOwner((consumer) -> call(method, consumer, args));
			return null;
		}
		boolean wait = name.equals("commitSync");
		CompletableFuture<Void> result = this.engine.commit(offsets, this.byHand, wait);
		if (wait) {
			await(result, patience(args).toNanos());
			return null;
		}
		if (args.length > 0 && args[args.length - 1] instanceof OffsetCommitCallback callback) {
			result.whenComplete((ignored, failure) -> tell(callback, offsets, failure));
		}
		return null;
	}

	/** Owner thread: what the application throws there must not end it. */
	private void tell(OffsetCommitCallback callback, Map<TopicPartition, OffsetAndMetadata> offsets,
			@Nullable Throwable failure) {
		try {
			callback.onComplete(offsets, (failure instanceof Exception exception) ? exception : null);
		}
		catch (RuntimeException | Error ex) {
			logger.error("{}: a commit callback failed", this.container.getListenerId(), ex);
		}
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
		Collection<TopicPartition> named = (Collection<TopicPartition>) target;
		// To the client no partition means all of them.
		for (TopicPartition partition : named.isEmpty() ? this.engine.view().partitions().keySet() : named) {
			if (name.equals("seekToEnd")) {
				this.engine.seek(partition, (consumer) -> consumer.seekToEnd(Set.of(partition)));
			}
			else {
				this.engine.seek(partition, (consumer) -> consumer.seekToBeginning(Set.of(partition)));
			}
		}
	}

	/** One attempt to get an answer. */
	@FunctionalInterface
	private interface Step<T extends @Nullable Object> {

		CompletableFuture<T> ask(Duration most);

	}

}
