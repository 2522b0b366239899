package io.evenkeel.kafka.producer;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

import org.apache.kafka.clients.producer.Producer;

import org.springframework.kafka.core.ProducerFactory;

/**
 * A factory's listener that is told of a producer only while it has a client: what
 * listeners want are the client's metrics.
 * <p>
 * <b>Threading.</b> The factory and the schedulers of the producers; all under this
 * object's lock, which nothing slower than a listener holds. <b>Invariant.</b> The
 * listener hears added and removed in turns for each id.
 */
final class ClientListener<K, V> implements ProducerFactory.Listener<K, V> {

	private final ProducerFactory.Listener<K, V> delegate;

	private final Predicate<String> clientMissing;

	private final Map<String, Entry<K, V>> producers = new HashMap<>();

	ClientListener(ProducerFactory.Listener<K, V> delegate, Predicate<String> clientMissing) {
		this.delegate = delegate;
		this.clientMissing = clientMissing;
	}

	ProducerFactory.Listener<K, V> delegate() {
		return this.delegate;
	}

	@Override
	public synchronized void producerAdded(String id, Producer<K, V> producer) {
		boolean told = !this.clientMissing.test(id);
		this.producers.put(id, new Entry<>(producer, told));
		if (told) {
			this.delegate.producerAdded(id, producer);
		}
	}

	@Override
	public synchronized void producerRemoved(String id, Producer<K, V> producer) {
		Entry<K, V> entry = this.producers.remove(id);
		if (entry == null || entry.told()) {
			this.delegate.producerRemoved(id, producer);
		}
	}

	synchronized void clientReady(String clientId) {
		this.producers.replaceAll((id, entry) -> {
			if (entry.told() || !id.endsWith("." + clientId)) {
				return entry;
			}
			this.delegate.producerAdded(id, entry.producer());
			return new Entry<>(entry.producer(), true);
		});
	}

	synchronized void clientGone(String clientId) {
		this.producers.replaceAll((id, entry) -> {
			if (!entry.told() || !id.endsWith("." + clientId)) {
				return entry;
			}
			this.delegate.producerRemoved(id, entry.producer());
			return new Entry<>(entry.producer(), false);
		});
	}

	private record Entry<K, V>(Producer<K, V> producer, boolean told) {

	}

}
