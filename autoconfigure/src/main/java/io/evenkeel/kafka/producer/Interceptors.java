package io.evenkeel.kafka.producer;

import java.util.List;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.ClusterResource;
import org.apache.kafka.common.ClusterResourceListener;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * Runs the user's interceptors, as the client would: each record passes all of them on
 * its sender's thread, and is told of to all of them when its send has ended. What one
 * throws is logged and concerns nobody else.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
final class Interceptors<K, V> {

	private static final Log logger = LogFactory.getLog(Interceptors.class);

	private final List<ProducerInterceptor<K, V>> interceptors;

	Interceptors(List<ProducerInterceptor<K, V>> interceptors) {
		this.interceptors = List.copyOf(interceptors);
	}

	static Diagnosis returnedNothing() {
		return new Diagnosis(FailureReason.UNKNOWN, "an interceptor returned no record", null);
	}

	boolean isEmpty() {
		return this.interceptors.isEmpty();
	}

	/**
	 * Let them see a record, and change it.
	 * @return what the last of them returned; {@code null} is a mistake of theirs
	 */
	@Nullable ProducerRecord<K, V> onSend(ProducerRecord<K, V> record) {
		ProducerRecord<K, V> current = record;
		for (ProducerInterceptor<K, V> interceptor : this.interceptors) {
			try {
				current = interceptor.onSend(current);
				if (current == null) {
					return null;
				}
			}
			catch (RuntimeException | Error ex) {
				logger.warn("An interceptor threw before a send to topic '" + TopicNames.printable(record.topic())
						+ "', the record goes on without it", ex);
			}
		}
		return current;
	}

	/**
	 * Tell them that a send has ended.
	 * @param metadata the topic and the partition; the offset, if it was stored
	 * @param failure why it failed, {@code null} if it did not
	 * @param headers the record's headers
	 */
	void onAcknowledgement(RecordMetadata metadata, @Nullable Exception failure, Headers headers) {
		if (this.interceptors.isEmpty()) {
			return;
		}
		Headers readable = readOnly(headers);
		for (ProducerInterceptor<K, V> interceptor : this.interceptors) {
			try {
				interceptor.onAcknowledgement(metadata, failure, readable);
			}
			catch (RuntimeException | Error ex) {
				logger.warn("An interceptor threw after a send to topic '" + TopicNames.printable(metadata.topic())
						+ "' had ended", ex);
			}
		}
	}

	/** The list is the caller's until the client has taken the record. */
	private static Headers readOnly(Headers headers) {
		RecordHeaders copy = new RecordHeaders(headers);
		copy.setReadOnly();
		return copy;
	}

	void onUpdate(ClusterResource resource) {
		for (ProducerInterceptor<K, V> interceptor : this.interceptors) {
			if (interceptor instanceof ClusterResourceListener listener) {
				listener.onUpdate(resource);
			}
		}
	}

	void close() {
		this.interceptors.forEach(UserCode::closeQuietly);
	}

}
