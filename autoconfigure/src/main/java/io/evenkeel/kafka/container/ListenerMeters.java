package io.evenkeel.kafka.container;

import io.evenkeel.kafka.engine.EngineObserver;

/**
 * Makes the engine listener of a container, for meters.
 */
@FunctionalInterface
public interface ListenerMeters {

	/**
	 * For applications without meters.
	 */
	ListenerMeters NONE = (container) -> new EngineObserver() {
	};

	/**
	 * A container is about to start.
	 * @param container the container; its id and its snapshots tell the rest
	 * @return told what happens in its engine until it stops
	 */
	EngineObserver start(EvenkeelContainer<?, ?> container);

	/**
	 * A container has stopped, and may start again: what tells its state has to leave.
	 * @param container the container
	 */
	default void stopped(EvenkeelContainer<?, ?> container) {
	}

	/**
	 * A container has been destroyed: nothing of it may stay in a registry.
	 * @param container the container
	 */
	default void destroyed(EvenkeelContainer<?, ?> container) {
	}

}
