package io.evenkeel.kafka.producer;

import java.util.Map;
import java.util.concurrent.ThreadFactory;

import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Where the producers of an application get their clients, their time and their threads
 * from. A bean of this type takes the place of the machine's and of Kafka's, for tests
 * without brokers.
 *
 * @param clients makes the clients
 * @param clock the time that sends go by; never stands still, because threads wait by the
 * machine's time
 * @param threads makes the threads that wait for time to pass, which may be unparked at
 * any moment; they are given names afterwards
 */
public record ProducerSurroundings(ClientMaker clients, NanoClock clock, ThreadFactory threads) {

	static final ProducerSurroundings SYSTEM = new ProducerSurroundings(new ClientMaker() {

		@Override
		public <K, V> Producer<K, V> make(Map<String, Object> configs, Serializer<K> key, Serializer<V> value) {
			return new KafkaProducer<>(configs, key, value);
		}

	}, NanoClock.SYSTEM, ProducerRuntime.SYSTEM.threads());

	ProducerRuntime runtime() {
		return new ProducerRuntime(this.clock, ProducerRuntime.SYSTEM.random(), this.threads,
				ProducerRuntime.SYSTEM.later());
	}

	/**
	 * Makes clients.
	 */
	public interface ClientMaker {

		/**
		 * Make a client. On a thread that may wait.
		 * @param configs its configuration
		 * @param key the serializer of keys; tell it of each answer of the cluster, as
		 * the client does
		 * @param value the serializer of values
		 * @param <K> the type of keys
		 * @param <V> the type of values
		 * @return the client
		 */
		<K, V> Producer<K, V> make(Map<String, Object> configs, Serializer<K> key, Serializer<V> value);

	}

}
