package io.evenkeel.kafka.container;

import io.evenkeel.kafka.config.ClientRefusal;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.thread.OwnThreads;
import org.springframework.core.log.LogAccessor;

/**
 * Brings the engine of a container to life: its first consumer, then its owner thread and
 * whoever watches that. Under the container's life-cycle lock.
 */
final class EngineStart<K, V> {

	private final EvenkeelContainer<K, V> container;

	private final ListenerMeters meters;

	private final ContainerEvents events;

	private final RunState state;

	private final LogAccessor logger;

	EngineStart(EvenkeelContainer<K, V> container, ListenerMeters meters, ContainerEvents events, RunState state,
			LogAccessor logger) {
		this.container = container;
		this.meters = meters;
		this.events = events;
		this.state = state;
		this.logger = logger;
	}

	/**
	 * The first consumer is made here, where the caller hears of a configuration that the
	 * client refuses.
	 */
	void prepare(EngineAssembly<K, V> assembled, ConsumerEngine<K, V> engine) {
		try {
			engine.prepare();
		}
		catch (RuntimeException ex) {
			if (ClientRefusal.isFinal(ex)) {
				this.meters.stopped(this.container);
				this.state.refused(ex);
				throw assembled.refused(ex);
			}
			this.logger.warn(ex,
					() -> this.container.getListenerId() + ": no consumer could be made yet; it is tried again");
		}
	}

	/** The container counts as running: let its owner thread begin. */
	void begin(EngineAssembly<K, V> assembled, ConsumerEngine<K, V> engine) {
		Thread owner = OwnThreads.user(ownerName(), this.container.classLoader(), engine);
		owner.setUncaughtExceptionHandler((thread, ex) -> this.logger.error(ex,
				"The owner thread of " + this.container.getListenerId() + " ended with an error"));
		this.logger.info(assembled::startLine);
		this.state.starting();
		this.events.starting();
		if (this.container.getContainerProperties().isLogContainerConfig()) {
			this.logger.info(() -> this.container.getListenerId() + ": " + this.container.getContainerProperties());
		}
		owner.start();
		PollMonitor monitor = assembled.monitor();
		if (monitor != null) {
			monitor.start();
		}
	}

	private String ownerName() {
		return this.container.threadName() + "-owner";
	}

}
