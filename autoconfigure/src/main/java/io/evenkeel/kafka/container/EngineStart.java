package io.evenkeel.kafka.container;

import io.evenkeel.kafka.config.ClientRefusal;
import io.evenkeel.kafka.thread.OwnThreads;
import org.springframework.core.log.LogAccessor;

/**
 * Brings the engine of a container to life: its first consumer, then its owner thread and
 * whoever watches that. Under the container's life-cycle lock.
 */
final class EngineStart<K, V> {

	private final ListenerContext context;

	private final Runnable metersLeave;

	private final ContainerEvents events;

	private final RunState state;

	private final LogAccessor logger;

	EngineStart(ListenerContext context, Runnable metersLeave, ContainerEvents events, RunState state,
			LogAccessor logger) {
		this.context = context;
		this.metersLeave = metersLeave;
		this.events = events;
		this.state = state;
		this.logger = logger;
	}

	/**
	 * The first consumer is made here, where the caller hears of a configuration that the
	 * client refuses.
	 */
	void prepare(Run<K, V> run) {
		try {
			run.engine().prepare();
		}
		catch (RuntimeException ex) {
			if (ClientRefusal.isFinal(ex)) {
				this.metersLeave.run();
				this.state.refused(ex);
				throw run.refused().apply(ex);
			}
			this.logger.warn(ex, () -> this.context.id() + ": no consumer could be made yet; it is tried again");
		}
	}

	/** The container counts as running: let its owner thread begin. */
	void begin(Run<K, V> run) {
		Thread owner = OwnThreads.user(this.context.threadName() + "-owner", this.context.classLoader(), run.engine());
		owner.setUncaughtExceptionHandler((thread, ex) -> this.logger.error(ex,
				"The owner thread of " + this.context.id() + " ended with an error"));
		this.logger.info(run.startLine());
		this.state.starting();
		this.events.starting();
		if (this.context.properties().isLogContainerConfig()) {
			this.logger.info(() -> this.context.id() + ": " + this.context.properties());
		}
		owner.start();
		run.monitor().start();
	}

}
