package io.evenkeel.kafka.producer;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The producer as the template sees it during one send. The stock template throws a
 * failure that it finds in the producer's future right after the call, although the
 * callback puts it into the template's future as well; so that future never looks
 * finished here.
 */
final class UnfinishedSends<K, V> extends DelegatingProducer<K, V> {

	private static final Future<RecordMetadata> UNFINISHED = new CompletableFuture<>();

	UnfinishedSends(Producer<K, V> delegate) {
		super(delegate);
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record) {
		return send(record, null);
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record, @Nullable Callback callback) {
		delegate().send(record, callback);
		return UNFINISHED;
	}

}
