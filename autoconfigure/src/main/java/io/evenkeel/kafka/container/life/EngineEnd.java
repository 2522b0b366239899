package io.evenkeel.kafka.container.life;

import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.StopCause;
import io.evenkeel.kafka.thread.OwnThreads;
import org.springframework.kafka.event.ConsumerStoppedEvent;

/**
 * What follows when the engine of a container has ended: meters go, events say why, and
 * what ended for want of a permission may start anew. Owner thread, its last act, without
 * the life-cycle lock: event listeners may start and stop containers.
 */
public final class EngineEnd {

	private final ListenerContext context;

	private final Runnable metersLeave;

	private final ContainerEvents events;

	public EngineEnd(ListenerContext context, Runnable metersLeave, ContainerEvents events) {
		this.context = context;
		this.metersLeave = metersLeave;
		this.events = events;
	}

	/**
	 * Tell everybody.
	 * @param cause why the engine ended
	 * @param normal whether a stop on request was a normal one
	 * @param byItself whether nobody has asked for the end
	 */
	public void announce(StopCause cause, boolean normal, boolean byItself) {
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
	public void restart(StopCause cause) {
		if (cause == StopCause.AUTH && this.context.properties().isRestartAfterAuthExceptions()) {
			// Not on this thread: it is about to end.
			OwnThreads.user(this.context.id() + "-restart", this.context.classLoader(), this.context.container()::start)
				.start();
		}
	}

}
