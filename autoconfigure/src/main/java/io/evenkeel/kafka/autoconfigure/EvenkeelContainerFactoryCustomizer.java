package io.evenkeel.kafka.autoconfigure;

import io.evenkeel.kafka.container.EvenkeelContainerFactory;

/**
 * Callback for beans that want the last word on Evenkeel's listener container factory. It
 * is called after all properties were applied, in the order of the beans.
 */
@FunctionalInterface
public interface EvenkeelContainerFactoryCustomizer {

	/**
	 * Change the factory.
	 * @param factory configured from the properties
	 */
	void customize(EvenkeelContainerFactory<Object, Object> factory);

}
