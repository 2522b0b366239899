package io.evenkeel.kafka.container.failure;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Set;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The consumer that a user's error handler is given for one failure. Such handlers say
 * what they want by what they do with it: a seek to a record means "call again from
 * there", a commit means "done up to there". Both are kept, not carried out; pauses and
 * polls, which would keep a single-threaded container alive, do nothing. One thread.
 */
final class SeekRecordingConsumer<K, V> implements InvocationHandler {

	private static final Set<String> NOTHING = Set.of("pause", "resume", "commitSync", "commitAsync", "wakeup",
			"enforceRebalance");

	private final Consumer<K, V> delegate;

	private final TopicPartition partition;

	private final Consumer<K, V> proxy;

	private @Nullable Long target;

	@SuppressWarnings("unchecked")
	SeekRecordingConsumer(Consumer<K, V> delegate, ConsumerRecord<K, V> record) {
		this.delegate = delegate;
		this.partition = new TopicPartition(record.topic(), record.partition());
		this.proxy = (Consumer<K, V>) Proxy.newProxyInstance(SeekRecordingConsumer.class.getClassLoader(),
				new Class<?>[] { Consumer.class }, this);
	}

	Consumer<K, V> proxy() {
		return this.proxy;
	}

	/**
	 * Ask the handler, with the {@link #proxy}. One that seeks may say so with an
	 * exception, too.
	 */
	void ask(Runnable handler) {
		try {
			handler.run();
		}
		catch (RuntimeException ex) {
			if (this.target == null) {
				throw ex;
			}
		}
	}

	/** Where the handler wants the partition to go on; null when it did not say. */
	@Nullable Long target() {
		return this.target;
	}

	@Override
	public @Nullable Object invoke(Object ignored, Method method, @Nullable Object @Nullable [] args) throws Throwable {
		String name = method.getName();
		if (name.equals("poll")) {
			return new ConsumerRecords<>(Map.of(), Map.of());
		}
		if (NOTHING.contains(name)) {
			return null;
		}
		if (name.equals("seek") && args != null && this.partition.equals(args[0])) {
			this.target = (args[1] instanceof OffsetAndMetadata offset) ? Long.valueOf(offset.offset())
					: (Long) args[1];
			return null;
		}
		try {
			return method.invoke(this.delegate, args);
		}
		catch (InvocationTargetException ex) {
			throw (ex.getCause() != null) ? ex.getCause() : ex;
		}
	}

}
