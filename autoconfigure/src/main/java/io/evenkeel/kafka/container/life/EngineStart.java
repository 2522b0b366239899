package io.evenkeel.kafka.container.life;

import io.evenkeel.kafka.config.ClientRefusal;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.thread.NanoClock;
import io.evenkeel.kafka.thread.OwnThreads;
import org.springframework.core.log.LogAccessor;

/**
 * Brings the engine of a container to life: its first consumer, then its owner thread and
 * whoever watches that. Under the container's life-cycle lock.
 */
public final class EngineStart<K, V> {

	private final ListenerContext context;

	private final Runnable metersLeave;

	private final ContainerEvents events;

	private final OwnerReport state;

	private final LogAccessor logger;

	private final NanoClock clock;

	public EngineStart(ListenerContext context, Runnable metersLeave, ContainerEvents events, OwnerReport state,
			LogAccessor logger, NanoClock clock) {
		this.clock = clock;
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
	public void prepare(ListenerRun<K, V> run) {
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
	public void begin(ListenerRun<K, V> run) {
		Thread owner = OwnThreads.user(this.context.threadName() + "-owner", this.context.classLoader(), run.engine());
		owner.setUncaughtExceptionHandler((thread, ex) -> this.logger.error(ex,
				"The owner thread of " + this.context.id() + " ended with an error"));
		this.logger.info(run.startLine());
		this.state.starting(this.clock.getAsLong());
		this.events.starting();
		if (this.context.properties().isLogContainerConfig()) {
			this.logger.info(() -> this.context.id() + ": " + this.context.properties());
		}
		owner.start();
		run.monitor().start();
	}

}
