package io.evenkeel.kafka.test;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * A record as the cluster of the test has it: bytes. Immutable.
 */
public final class StoredRecord {

	private final String topic;

	private final int partition;

	private final long offset;

	private final long timestamp;

	private final byte @Nullable [] key;

	private final byte @Nullable [] value;

	private final Headers headers;

	StoredRecord(String topic, int partition, long offset, long timestamp, byte @Nullable [] key,
			byte @Nullable [] value, Headers headers) {
		this.topic = topic;
		this.partition = partition;
		this.offset = offset;
		this.timestamp = timestamp;
		this.key = key;
		this.value = value;
		this.headers = new RecordHeaders(headers);
		((RecordHeaders) this.headers).setReadOnly();
	}

	/**
	 * The topic that it is in.
	 * @return the name
	 */
	public String topic() {
		return this.topic;
	}

	/**
	 * The partition that it is in.
	 * @return from 0
	 */
	public int partition() {
		return this.partition;
	}

	/**
	 * Its place in the partition.
	 * @return from 0
	 */
	public long offset() {
		return this.offset;
	}

	/**
	 * When it was made.
	 * @return milliseconds since 1970
	 */
	public long timestamp() {
		return this.timestamp;
	}

	/**
	 * The key as text.
	 * @return null when there is none
	 */
	public @Nullable String key() {
		return text(this.key);
	}

	/**
	 * The value as text.
	 * @return null when there is none
	 */
	public @Nullable String value() {
		return text(this.value);
	}

	/**
	 * The key.
	 * @return a copy; null when there is none
	 */
	public byte @Nullable [] keyBytes() {
		return (this.key != null) ? this.key.clone() : null;
	}

	/**
	 * The value.
	 * @return a copy; null when there is none
	 */
	public byte @Nullable [] valueBytes() {
		return (this.value != null) ? this.value.clone() : null;
	}

	/**
	 * The headers.
	 * @return read-only
	 */
	public Headers headers() {
		return this.headers;
	}

	/**
	 * The last header of a name as text.
	 * @param name the header's name
	 * @return null when there is none
	 */
	public @Nullable String header(String name) {
		Header header = this.headers.lastHeader(name);
		return (header != null) ? text(header.value()) : null;
	}

	private static @Nullable String text(byte @Nullable [] bytes) {
		return (bytes != null) ? new String(bytes, StandardCharsets.UTF_8) : null;
	}

	@Override
	public boolean equals(@Nullable Object other) {
		return other instanceof StoredRecord record && this.topic.equals(record.topic)
				&& this.partition == record.partition && this.offset == record.offset
				&& Arrays.equals(this.key, record.key) && Arrays.equals(this.value, record.value);
	}

	@Override
	public int hashCode() {
		return this.topic.hashCode() + 31 * this.partition + Long.hashCode(this.offset);
	}

	/** In a test its content may be seen. */
	@Override
	public String toString() {
		return this.topic + "-" + this.partition + "@" + this.offset + " " + key() + "=" + value();
	}

}
