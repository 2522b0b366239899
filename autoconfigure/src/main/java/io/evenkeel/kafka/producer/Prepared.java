package io.evenkeel.kafka.producer;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * A record and what the user's code has made of it so far: its bytes and its partition.
 * Each is made once, however often the record is offered to the client.
 * <p>
 * <b>Threading.</b> One thread at a time: the sender, then whoever has taken the record
 * from its line. <b>Why.</b> The client copies key, value and headers before its
 * {@code send} returns, so callers use their arrays, buffers and lists of headers again.
 * A record that has to wait is copied for the same reason.
 */
final class Prepared<K, V> {

	private static final int UNKNOWN = -1;

	/** Causes may go round in a circle. */
	private static final int DEPTH = 16;

	private final String topic;

	private @Nullable K key;

	private @Nullable V value;

	private byte @Nullable [] keyBytes;

	private byte @Nullable [] valueBytes;

	private boolean keyKnown;

	private boolean valueKnown;

	private int partition = UNKNOWN;

	private boolean passedToClient;

	private @Nullable Throwable thrownByClient;

	Prepared(ProducerRecord<K, V> record) {
		this.topic = record.topic();
		this.key = record.key();
		this.value = record.value();
	}

	/** Whether a call of user code is about this record; wrappers may send others. */
	private boolean isFor(String topic, @Nullable Object data, boolean isKey) {
		return data == (isKey ? this.key : this.value) && topic.equals(this.topic);
	}

	boolean knows(String topic, @Nullable Object data, boolean isKey) {
		return (isKey ? this.keyKnown : this.valueKnown) && isFor(topic, data, isKey);
	}

	byte @Nullable [] bytes(boolean isKey) {
		return isKey ? this.keyBytes : this.valueBytes;
	}

	/** Keep what a serializer has made, if it is of this record. */
	void serialized(String topic, @Nullable Object data, boolean isKey, byte @Nullable [] bytes) {
		if (!isFor(topic, data, isKey)) {
			return;
		}
		if (isKey) {
			this.keyBytes = bytes;
			this.keyKnown = true;
		}
		else {
			this.valueBytes = bytes;
			this.valueKnown = true;
		}
	}

	/** The client has returned from a call, be it with a failed future. */
	void passedToClient() {
		this.passedToClient = true;
	}

	boolean isPassedToClient() {
		return this.passedToClient;
	}

	void thrownByClient(Throwable exception) {
		this.thrownByClient = exception;
	}

	/**
	 * What the client threw, if it is what came out of its wrappers, or the cause of it.
	 */
	@Nullable Throwable saidByClient(Throwable caught) {
		Throwable cause = caught;
		for (int i = 0; cause != null && i < DEPTH; i++, cause = cause.getCause()) {
			if (cause == this.thrownByClient) {
				return cause;
			}
		}
		return null;
	}

	/** Where the partitioner has put it, or a negative number. */
	int partition(String topic, @Nullable Object key, @Nullable Object value) {
		return isOfThis(topic, key, value) ? this.partition : UNKNOWN;
	}

	void partitioned(String topic, @Nullable Object key, @Nullable Object value, int partition) {
		if (isOfThis(topic, key, value)) {
			this.partition = partition;
		}
	}

	private boolean isOfThis(String topic, @Nullable Object key, @Nullable Object value) {
		return key == this.key && value == this.value && topic.equals(this.topic);
	}

	/**
	 * Make it independent of the caller.
	 * @param record the record as it is now, with what the serializers have added to its
	 * headers
	 * @param now the time of its send, in milliseconds since the epoch
	 * @return the copy that is to be handed over
	 */
	ProducerRecord<K, V> detach(ProducerRecord<K, V> record, long now) {
		byte[] key = copy(this.keyBytes);
		byte[] value = copy(this.valueBytes);
		this.key = copy(record.key(), this.keyBytes, key);
		this.value = copy(record.value(), this.valueBytes, value);
		this.keyBytes = key;
		this.valueBytes = value;
		Long timestamp = record.timestamp();
		return new ProducerRecord<>(this.topic, record.partition(), (timestamp != null) ? timestamp : now, this.key,
				this.value, copy(record.headers()));
	}

	/** What the partitioner looks at must not change either, where it is plain bytes. */
	@SuppressWarnings("unchecked")
	private static <T> @Nullable T copy(@Nullable T original, byte @Nullable [] bytes, byte @Nullable [] copy) {
		if (original == null || bytes == null || copy == null) {
			return original;
		}
		if (original == bytes) {
			return (T) copy;
		}
		if (original instanceof byte[] array) {
			return (T) array.clone();
		}
		if (original.getClass() == Bytes.class) {
			return (T) Bytes.wrap(copy);
		}
		return (original instanceof ByteBuffer) ? (T) ByteBuffer.wrap(copy) : original;
	}

	private static byte @Nullable [] copy(byte @Nullable [] bytes) {
		return (bytes != null) ? bytes.clone() : null;
	}

	private static Headers copy(Headers headers) {
		RecordHeaders copy = new RecordHeaders();
		for (Header header : headers) {
			copy.add(new RecordHeader(header.key(), copy(header.value())));
		}
		return copy;
	}

}
