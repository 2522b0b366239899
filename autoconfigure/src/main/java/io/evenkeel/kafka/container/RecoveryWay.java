package io.evenkeel.kafka.container;

import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A way to end a record that is not to be called again: the settings', a user's error
 * handler's, or either of them in a transaction. Worker threads.
 */
@FunctionalInterface
interface RecoveryWay<K, V> {

	/**
	 * End a record. What is thrown says that it could not be ended yet.
	 * @param delivery the record
	 * @param failure why it is not to be called again
	 * @return how it ended
	 */
	Recovery recover(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure);

}
