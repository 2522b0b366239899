package io.evenkeel.kafka.producer;

/**
 * Makes the observer of a new producer.
 */
@FunctionalInterface
public interface SendObserverFactory {

	/**
	 * Make an observer.
	 * @param producer the new producer; its methods may be called once it has sent
	 * @return the observer
	 */
	SendObserver observe(ManagedProducer producer);

}
