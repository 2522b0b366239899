package io.evenkeel.kafka.autoconfigure;

import io.evenkeel.kafka.container.EvenkeelContainer;

import org.springframework.beans.DirectFieldAccessor;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.config.KafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpoint;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;

/**
 * Where all listeners come by, annotated or registered by code: it sees which factory
 * each one is registered with. Not final, as beans may be proxied.
 */
class AdoptingRegistry extends KafkaListenerEndpointRegistry {

	private final FactoryAdoption adoption;

	/**
	 * Take the place of a registry that has no listeners yet.
	 * @param original the registry
	 * @param adoption knows the factories
	 * @param context whose registry it is
	 */
	AdoptingRegistry(KafkaListenerEndpointRegistry original, FactoryAdoption adoption, ApplicationContext context) {
		this.adoption = adoption;
		setApplicationContext(context);
		Object always = new DirectFieldAccessor(original).getPropertyValue("alwaysStartAfterRefresh");
		setAlwaysStartAfterRefresh(!Boolean.FALSE.equals(always));
	}

	@Override
	public void registerListenerContainer(KafkaListenerEndpoint endpoint, KafkaListenerContainerFactory<?> factory,
			boolean startImmediately) {
		KafkaListenerContainerFactory<?> used = this.adoption.inPlaceOf(factory);
		super.registerListenerContainer(endpoint, used, startImmediately);
		String id = endpoint.getId();
		if (id != null && !(getListenerContainer(id) instanceof EvenkeelContainer<?, ?>)) {
			this.adoption.registered(id, used);
		}
	}

}
