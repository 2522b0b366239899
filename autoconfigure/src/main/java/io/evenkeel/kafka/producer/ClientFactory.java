package io.evenkeel.kafka.producer;

import org.apache.kafka.clients.producer.Producer;

/**
 * Makes the client. May wait for DNS, so it is called off the sender's thread.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
@FunctionalInterface
interface ClientFactory<K, V> {

	/**
	 * Make a client.
	 * @param key the serializer of keys
	 * @param value the serializer of values
	 * @return the client
	 * @throws RuntimeException if it cannot be made
	 */
	Producer<K, V> create(HandOverSerializer<K> key, HandOverSerializer<V> value);

}
