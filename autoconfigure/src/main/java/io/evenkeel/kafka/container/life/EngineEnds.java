package io.evenkeel.kafka.container.life;

import io.evenkeel.kafka.config.ClientRefusal;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.StopCause;
import io.evenkeel.kafka.thread.NanoClock;
import io.evenkeel.kafka.thread.OwnThreads;
import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.event.ConsumerStoppedEvent;

/**
 * The two ends of an engine's life. It begins with its first consumer, its owner thread
 * and whoever watches that, under the container's life-cycle lock. When it has ended,
 * meters go, events say why, and what ended for want of a permission may start anew: the
 * owner thread's last act, without the lock.
 */
public final class EngineEnds<K, V> {

	private final ListenerContext context;

	private final Runnable metersLeave;

	private final ContainerEvents events;

	private final OwnerReport state;

	private final LogAccessor logger;

	private final NanoClock clock;

	public EngineEnds(ListenerContext context, Runnable metersLeave, ContainerEvents events, OwnerReport state,
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
	void prepare(ListenerRun<K, V> run) {
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
	void begin(ListenerRun<K, V> run) {
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

	void ended(StopCause cause, @Nullable Throwable why) {
		this.state.ended(cause, why);
	}

	void containerStopped() {
		this.events.containerStopped();
	}

	/**
	 * Tell everybody.
	 * @param cause why the engine ended
	 * @param normal whether a stop on request was a normal one
	 * @param byItself whether nobody has asked for the end
	 */
	void announce(StopCause cause, boolean normal, boolean byItself) {
		this.metersLeave.run();
		this.events.stopped(reason(cause, normal));
		if (byItself) {
			this.events.containerStopped();
		}
	}

	private static ConsumerStoppedEvent.Reason reason(StopCause cause, boolean normal) {
		return switch (cause) {
			case REQUESTED -> normal ? ConsumerStoppedEvent.Reason.NORMAL : ConsumerStoppedEvent.Reason.ABNORMAL;
			case RECOVERY -> ConsumerStoppedEvent.Reason.ABNORMAL;
			case AUTH -> ConsumerStoppedEvent.Reason.AUTH;
			case FENCED -> ConsumerStoppedEvent.Reason.FENCED;
			case NO_OFFSET -> ConsumerStoppedEvent.Reason.NO_OFFSET;
			case ERROR -> ConsumerStoppedEvent.Reason.ERROR;
		};
	}

	/** Start anew where the application wants that after such an end. */
	void restart(StopCause cause) {
		if (cause == StopCause.AUTH && this.context.properties().isRestartAfterAuthExceptions()) {
			// Not on this thread: it is about to end.
			OwnThreads.user(this.context.id() + "-restart", this.context.classLoader(), this.context.container()::start)
				.start();
		}
	}

}
