package io.evenkeel.kafka.producer;

import java.util.Set;

import org.apache.kafka.common.ClusterResource;
import org.apache.kafka.common.ClusterResourceListener;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.metrics.Monitorable;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.DoubleSerializer;
import org.apache.kafka.common.serialization.FloatSerializer;
import org.apache.kafka.common.serialization.IntegerSerializer;
import org.apache.kafka.common.serialization.LongSerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.ShortSerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.serialization.UUIDSerializer;
import org.apache.kafka.common.serialization.VoidSerializer;
import org.jspecify.annotations.Nullable;

/**
 * The user's serializer as the client sees it. A record is serialized once: what has its
 * bytes already, because it waited or the client had no room for it, is handed over with
 * those bytes, and not with those of an object that may have changed. It also passes on
 * that the cluster has answered, because the client tells its serializers. Kafka's own
 * serializers of values that do not change may do it again: nobody can tell.
 * <p>
 * <b>Threading.</b> Any thread that calls the client.
 */
final class HandOverSerializer<T> implements Serializer<T>, ClusterResourceListener, Monitorable {

	private static final Set<Class<?>> SILENT = Set.of(StringSerializer.class, ByteArraySerializer.class,
			IntegerSerializer.class, LongSerializer.class, ShortSerializer.class, DoubleSerializer.class,
			FloatSerializer.class, UUIDSerializer.class, VoidSerializer.class);

	private final Serializer<T> delegate;

	private final boolean silent;

	private final boolean isKey;

	private final UserCode<?, ?> userCode;

	private final ClusterResourceListener answers;

	HandOverSerializer(Serializer<T> delegate, boolean isKey, UserCode<?, ?> userCode,
			ClusterResourceListener answers) {
		this.delegate = delegate;
		this.silent = isSilent(delegate);
		this.isKey = isKey;
		this.userCode = userCode;
		this.answers = answers;
	}

	/**
	 * Whether a serializer is no code of the user, has no state, and makes the same of
	 * the same however often it is called.
	 */
	private static boolean isSilent(Serializer<?> serializer) {
		return SILENT.contains(serializer.getClass());
	}

	boolean isSilent() {
		return this.silent;
	}

	@Override
	@SuppressWarnings("NullAway")
	public byte[] serialize(String topic, T data) {
		return this.delegate.serialize(topic, data);
	}

	@Override
	@SuppressWarnings("NullAway")
	public byte[] serialize(String topic, Headers headers, T data) {
		Prepared<?, ?> offered = this.silent ? null : this.userCode.offering();
		if (offered == null) {
			return serialize(this.delegate, this.isKey, topic, headers, data);
		}
		return serialize(offered, this.delegate, this.isKey, topic, headers, data);
	}

	/** Serialize a record's key or value, unless that has been done. */
	static <T> byte @Nullable [] serialize(Prepared<?, ?> prepared, Serializer<T> serializer, boolean isKey,
			String topic, Headers headers, @Nullable T data) {
		if (prepared.knows(topic, data, isKey)) {
			return prepared.bytes(isKey);
		}
		byte[] bytes = serialize(serializer, isKey, topic, headers, data);
		prepared.serialized(topic, data, isKey, bytes);
		return bytes;
	}

	/** Serialize, and make it recognizable as such when that fails. */
	@SuppressWarnings("NullAway")
	private static <T> byte @Nullable [] serialize(Serializer<T> serializer, boolean isKey, String topic,
			Headers headers, @Nullable T data) {
		try {
			return serializer.serialize(topic, headers, data);
		}
		catch (RuntimeException | Error ex) {
			// An Error, too: it has one way, whether the record can go at once or not.
			throw new SerializerException(serializer, isKey, data, ex);
		}
	}

	@Override
	public void onUpdate(ClusterResource clusterResource) {
		this.answers.onUpdate(clusterResource);
		if (this.delegate instanceof ClusterResourceListener listener) {
			listener.onUpdate(clusterResource);
		}
	}

	@Override
	public void withPluginMetrics(PluginMetrics metrics) {
		if (this.delegate instanceof Monitorable monitorable) {
			monitorable.withPluginMetrics(metrics);
		}
	}

	/** Close the user's serializer. */
	void closeDelegate() {
		this.delegate.close();
	}

	/** The user's serializer outlives the client: the sending producer closes it. */
	@Override
	public void close() {
	}

}
