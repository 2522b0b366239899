package io.evenkeel.kafka.producer;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;

/**
 * The sending producers that are alive, for health, the endpoint and meters.
 * <p>
 * Thread-safe.
 */
public class ProducerRegistry {

	private final Map<ManagedProducer, SendObserver> producers = new ConcurrentHashMap<>();

	private final Map<String, AtomicInteger> numbers = new ConcurrentHashMap<>();

	private final SendObserverFactory observers;

	private final ProducerSurroundings surroundings;

	/**
	 * Make a registry.
	 * @param observers makes the observer of a new producer, {@link SendObserver#NONE}
	 * for none
	 */
	public ProducerRegistry(SendObserverFactory observers) {
		this(observers, ProducerSurroundings.SYSTEM);
	}

	/**
	 * Make a registry.
	 * @param observers makes the observer of a new producer, {@link SendObserver#NONE}
	 * for none
	 * @param surroundings where its producers get clients, time and threads from
	 */
	public ProducerRegistry(SendObserverFactory observers, ProducerSurroundings surroundings) {
		this.observers = observers;
		this.surroundings = surroundings;
	}

	ProducerSurroundings surroundings() {
		return this.surroundings;
	}

	/**
	 * The producers as they are now.
	 * @return one snapshot per producer
	 */
	public List<ProducerSnapshot> snapshots() {
		return this.producers.keySet().stream().map(ManagedProducer::snapshot).toList();
	}

	/** The next number of a producer with this beginning of its id, from one. */
	int nextNumber(String prefix) {
		return this.numbers.computeIfAbsent(prefix, (key) -> new AtomicInteger()).incrementAndGet();
	}

	SendObserver added(ManagedProducer producer) {
		SendObserver observer = GuardedObserver.of(this.observers, producer);
		this.producers.put(producer, observer);
		return observer;
	}

	void removed(ManagedProducer producer) {
		@Nullable SendObserver observer = this.producers.remove(producer);
		if (observer != null) {
			observer.closed();
		}
	}

}
