package io.evenkeel.kafka.producer;

import org.apache.kafka.clients.producer.Producer;

/**
 * One client and the serializers it was made with.
 * <p>
 * <b>Why.</b> Both flags only ever turn true and are read without a decision that depends
 * on both at the same instant, so volatile is enough.
 */
final class Client<K, V> {

	private final Producer<K, V> producer;

	private final HandOverSerializer<K> keySerializer;

	private final HandOverSerializer<V> valueSerializer;

	private volatile boolean refused;

	private volatile boolean delivered;

	Client(Producer<K, V> producer, HandOverSerializer<K> keySerializer, HandOverSerializer<V> valueSerializer) {
		this.producer = producer;
		this.keySerializer = keySerializer;
		this.valueSerializer = valueSerializer;
	}

	Producer<K, V> producer() {
		return this.producer;
	}

	HandOverSerializer<K> keySerializer() {
		return this.keySerializer;
	}

	HandOverSerializer<V> valueSerializer() {
		return this.valueSerializer;
	}

	/** Its credentials were refused. */
	void refused() {
		this.refused = true;
	}

	/** It delivered a record. */
	void delivered() {
		if (!this.delivered) {
			this.delivered = true;
		}
	}

	/**
	 * Whether it will never deliver: an idempotent client whose first connections were
	 * refused stays in an error state, also when the credentials are good again.
	 */
	boolean isSpoiled() {
		return this.refused && !this.delivered;
	}

}
