package io.evenkeel.kafka.producer;

import java.util.concurrent.Future;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The client below the application's wrappers. It notes what the client itself does in a
 * call of send, so that what a wrapper throws is not taken for it.
 */
final class MarkedProducer<K, V> extends DelegatingProducer<K, V> {

	private final UserCode<K, V> userCode;

	MarkedProducer(Producer<K, V> delegate, UserCode<K, V> userCode) {
		super(delegate);
		this.userCode = userCode;
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record) {
		return send(record, null);
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record, @Nullable Callback callback) {
		Prepared<?, ?> offered = this.userCode.offering();
		try {
			Future<RecordMetadata> result = delegate().send(record, callback);
			if (offered != null) {
				offered.passedToClient();
			}
			return result;
		}
		catch (RuntimeException | Error ex) {
			if (offered != null) {
				offered.thrownByClient(ex);
			}
			throw ex;
		}
	}

}
