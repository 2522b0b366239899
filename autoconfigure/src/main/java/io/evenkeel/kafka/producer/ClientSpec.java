package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;

import org.apache.kafka.common.serialization.Serializer;

/**
 * What a sending producer has to know of the client it will have.
 *
 * @param id the client id
 * @param bootstrapServers host and port of each broker as configured
 * @param keySerializer the user's serializer of keys
 * @param valueSerializer the user's serializer of values
 * @param maxRecordBytes the largest record that the client takes
 * @param deliveryTimeout the client's delivery timeout
 * @param factory makes the client
 * @param userCode the user's interceptors and partitioner
 * @param <K> the type of keys
 * @param <V> the type of values
 */
record ClientSpec<K, V>(String id, List<String> bootstrapServers, Serializer<K> keySerializer,
		Serializer<V> valueSerializer, long maxRecordBytes, Duration deliveryTimeout, ClientFactory<K, V> factory,
		UserCode<K, V> userCode) {

	ClientSpec(String id, List<String> bootstrapServers, Serializer<K> keySerializer, Serializer<V> valueSerializer,
			long maxRecordBytes, Duration deliveryTimeout, ClientFactory<K, V> factory) {
		this(id, bootstrapServers, keySerializer, valueSerializer, maxRecordBytes, deliveryTimeout, factory,
				UserCode.none());
	}

	/** Close what belongs to the user; one that throws keeps no other from it. */
	void closeUserCode() {
		this.userCode.close();
		UserCode.closeQuietly(this.keySerializer);
		UserCode.closeQuietly(this.valueSerializer);
	}

}
