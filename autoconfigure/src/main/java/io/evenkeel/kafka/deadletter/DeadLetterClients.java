package io.evenkeel.kafka.deadletter;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;

/**
 * Makes the clients that dead letters are read and sent with.
 */
public interface DeadLetterClients {

	/**
	 * A consumer of bytes, for partitions that are assigned by hand.
	 * @param group whose offsets it commits
	 * @return to be closed by the caller
	 */
	Consumer<byte[], byte[]> consumer(String group);

	/**
	 * A producer of bytes that waits for all replicas, without transactions.
	 * @return to be closed by the caller
	 */
	Producer<byte[], byte[]> producer();

}
