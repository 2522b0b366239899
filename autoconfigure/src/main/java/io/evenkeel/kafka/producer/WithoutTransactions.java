package io.evenkeel.kafka.producer;

import java.util.Map;

import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;

/**
 * A producer that refuses transactions, and says what to do to have them.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
abstract class WithoutTransactions<K, V> implements Producer<K, V> {

	@Override
	public final void initTransactions() {
		throw notTransactional();
	}

	@Override
	public final void beginTransaction() {
		throw notTransactional();
	}

	@Override
	public final void sendOffsetsToTransaction(Map<TopicPartition, OffsetAndMetadata> offsets,
			ConsumerGroupMetadata groupMetadata) {
		throw notTransactional();
	}

	@Override
	public final void commitTransaction() {
		throw notTransactional();
	}

	@Override
	public final void abortTransaction() {
		throw notTransactional();
	}

	private static IllegalStateException notTransactional() {
		return new IllegalStateException("This producer has no transactional.id: set "
				+ "spring.kafka.producer.transaction-id-prefix to use transactions");
	}

}
