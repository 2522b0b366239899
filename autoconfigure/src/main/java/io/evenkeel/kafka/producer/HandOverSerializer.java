package io.evenkeel.kafka.producer;

import org.apache.kafka.common.ClusterResource;
import org.apache.kafka.common.ClusterResourceListener;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.metrics.Monitorable;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * The user's serializer as the client sees it. A record that waited was serialized when
 * it joined its line; when it is handed over, the client gets those bytes and not a
 * second serialization of an object that may have changed. It also passes on that the
 * cluster has answered, because the client tells its serializers.
 * <p>
 * <b>Threading.</b> The scheduler prepares and clears around its own call of the client;
 * senders serialize at the same time. <b>Why.</b> The prepared fields are plain: they
 * count only for the thread that is named in {@code owner}, which wrote them itself; any
 * other thread sees some name that is not its own.
 */
final class HandOverSerializer<T> implements Serializer<T>, ClusterResourceListener, Monitorable {

	private final Serializer<T> delegate;

	private final ClusterResourceListener answers;

	private @Nullable Thread owner;

	private @Nullable Object original;

	private byte @Nullable [] bytes;

	HandOverSerializer(Serializer<T> delegate, ClusterResourceListener answers) {
		this.delegate = delegate;
		this.answers = answers;
	}

	void prepare(@Nullable Object data, byte @Nullable [] serialized) {
		this.original = data;
		this.bytes = serialized;
		this.owner = Thread.currentThread();
	}

	void clear() {
		this.owner = null;
		this.original = null;
		this.bytes = null;
	}

	@Override
	@SuppressWarnings("NullAway")
	public byte[] serialize(String topic, T data) {
		return this.delegate.serialize(topic, data);
	}

	@Override
	@SuppressWarnings("NullAway")
	public byte[] serialize(String topic, Headers headers, T data) {
		// An interceptor may have put another object in place of the one that waited.
		if (this.owner == Thread.currentThread() && this.original == data) {
			return this.bytes;
		}
		return serialize(this.delegate, topic, headers, data);
	}

	/** Serialize, and make it recognizable as such when that fails. */
	@SuppressWarnings("NullAway")
	static <T> byte[] serialize(Serializer<T> serializer, String topic, Headers headers, @Nullable T data) {
		try {
			return serializer.serialize(topic, headers, data);
		}
		catch (SerializationException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			throw new SerializationException("The serializer " + serializer.getClass().getName() + " failed", ex);
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
