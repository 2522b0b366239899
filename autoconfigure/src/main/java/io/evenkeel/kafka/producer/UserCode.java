package io.evenkeel.kafka.producer;

import java.util.List;
import java.util.Map;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.common.config.AbstractConfig;
import org.jspecify.annotations.Nullable;

/**
 * The interceptors and the partitioner of a producer. They are ours and not the client's:
 * a record may be offered to several clients, and more than once, but user code sees it
 * once, and what it throws is known to come from it.
 * <p>
 * <b>Threading.</b> Any thread. They are made with the producer and closed with it, not
 * with each client.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
final class UserCode<K, V> {

	private static final Log logger = LogFactory.getLog(UserCode.class);

	/**
	 * What each thread offers to the client, in a place of its own: to write there costs
	 * less than to set a thread local. The content never stays, and the place is no class
	 * of ours that a thread of the application would hold.
	 */
	private final ThreadLocal<@Nullable Object[]> offering = ThreadLocal.withInitial(() -> new Object[1]);

	private final Interceptors<K, V> interceptors;

	private final @Nullable Partitioner partitioner;

	private volatile boolean wrapping;

	UserCode(List<ProducerInterceptor<K, V>> interceptors, @Nullable Partitioner partitioner) {
		this.interceptors = new Interceptors<>(interceptors);
		this.partitioner = partitioner;
	}

	static <K, V> UserCode<K, V> none() {
		return new UserCode<>(List.of(), null);
	}

	/**
	 * Make what the client's properties name, as the client would.
	 * @param parsed the properties
	 * @param clientId the client id
	 */
	@SuppressWarnings({ "unchecked", "rawtypes" })
	static <K, V> UserCode<K, V> of(AbstractConfig parsed, String clientId) {
		Map<String, Object> id = Map.of(ProducerConfig.CLIENT_ID_CONFIG, clientId);
		List<ProducerInterceptor<K, V>> interceptors = (List) parsed
			.getConfiguredInstances(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG, ProducerInterceptor.class, id);
		try {
			Partitioner partitioner = (parsed.getClass(ProducerConfig.PARTITIONER_CLASS_CONFIG) != null)
					? parsed.getConfiguredInstance(ProducerConfig.PARTITIONER_CLASS_CONFIG, Partitioner.class, id)
					: null;
			return new UserCode<>(interceptors, partitioner);
		}
		catch (RuntimeException | LinkageError ex) {
			interceptors.forEach(UserCode::closeQuietly);
			throw ex;
		}
	}

	/**
	 * Take them away from a client that is about to be made.
	 * @param configs its properties
	 */
	void replaceIn(Map<String, Object> configs) {
		configs.remove(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG);
		if (this.partitioner != null) {
			configs.put(ProducerConfig.PARTITIONER_CLASS_CONFIG, HandOverPartitioner.class);
			configs.put(HandOverPartitioner.TARGET, this);
		}
	}

	Interceptors<K, V> interceptors() {
		return this.interceptors;
	}

	/** Whether a hand-over runs a partitioner or a wrapper of the user. */
	boolean wrapsOrPartitions() {
		return this.wrapping || this.partitioner != null;
	}

	/** Whether a hand-over runs the user's partitioner. */
	boolean runsAtHandOver() {
		return this.partitioner != null;
	}

	/**
	 * The client is about to be wrapped by the application.
	 * @param client the client itself
	 * @return what to wrap
	 */
	Producer<K, V> mark(Producer<K, V> client) {
		this.wrapping = true;
		return new MarkedProducer<>(client, this);
	}

	/** Whether what a call of the client throws may come from a wrapper. */
	boolean isWrapping() {
		return this.wrapping;
	}

	/** What this thread is offering to the client. */
	@Nullable Prepared<?, ?> offering() {
		return (Prepared<?, ?>) this.offering.get()[0];
	}

	/**
	 * This thread begins to offer a record to the client, or ends it.
	 * @param prepared the record, or {@code null}
	 * @return what it offered before: user code in the client's call may send, too
	 */
	@Nullable Prepared<?, ?> offering(@Nullable Prepared<?, ?> prepared) {
		@Nullable Object[] place = this.offering.get();
		Prepared<?, ?> before = (Prepared<?, ?>) place[0];
		place[0] = prepared;
		return before;
	}

	@Nullable Partitioner partitioner() {
		return this.partitioner;
	}

	void close() {
		this.interceptors.close();
		if (this.partitioner != null) {
			closeQuietly(this.partitioner);
		}
	}

	/** As with the client: one that cannot be closed keeps nobody else from it. */
	static void closeQuietly(AutoCloseable plugin) {
		try {
			plugin.close();
		}
		catch (Exception | Error ex) {
			logger.error("Closing " + plugin.getClass().getName() + " failed", ex);
		}
	}

}
