package io.evenkeel.kafka.autoconfigure;

import io.evenkeel.kafka.container.EvenkeelContainer;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Checks every listener when the application starts, also those that do not start with
 * it: before anything else of the application's life cycle, when all listeners are known.
 */
final class ListenerChecks implements SmartLifecycle {

	private final ObjectProvider<KafkaListenerEndpointRegistry> registry;

	private volatile boolean running;

	ListenerChecks(ObjectProvider<KafkaListenerEndpointRegistry> registry) {
		this.registry = registry;
	}

	@Override
	public int getPhase() {
		return Integer.MIN_VALUE;
	}

	@Override
	public void start() {
		KafkaListenerEndpointRegistry known = this.registry.getIfAvailable();
		if (known != null) {
			for (MessageListenerContainer container : known.getAllListenerContainers()) {
				if (container instanceof EvenkeelContainer<?, ?> ours) {
					ours.check();
				}
			}
		}
		this.running = true;
	}

	@Override
	public void stop() {
		this.running = false;
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

}
