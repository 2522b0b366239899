package io.evenkeel.kafka.container.life;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Lock;

import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.StopCause;
import io.evenkeel.kafka.thread.OwnThreads;
import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.listener.ContainerProperties;

/**
 * The life of a container: stopped, running, stopping with those who wait for the end,
 * and ended until everybody has been told.
 *
 * <h2>Threading</h2> Under the container's life-cycle lock, which the owner thread takes
 * only after its last turn; {@link #isMemberStopped} may be asked by any thread.
 *
 * <h2>Why</h2> A stop takes as long as the records in hand do, and the application may
 * ask for more meanwhile: another stop, or the next start. Two members of one listener
 * would get in each other's way, so the start waits, and whoever asks for a stop is told
 * when there is one.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public final class ContainerLife<K, V> {

	/** What a handler may need to return after it has asked for a stop. */
	private static final Duration GRACE = Duration.ofMillis(500);

	/** For what comes after the drain: the last commit's answer, events, callbacks. */
	private static final Duration RESERVE = Duration.ofSeconds(1);

	private final Host<K, V> host;

	private final ListenerContext context;

	private final Lock lock;

	private final CurrentEngine<K, V> current;

	private final EngineEnds<K, V> ends;

	private final LogAccessor logger;

	private final List<Runnable> waiting = new ArrayList<>();

	private State state = State.STOPPED;

	/** Another engine is wanted when the end of this one is over. */
	private boolean startsAgain;

	/** Only the child was stopped: the container itself still counts as running. */
	private volatile boolean memberStopped;

	/** Nobody waits for the stop that is being asked for. */
	private boolean stopsAlone;

	/**
	 * Make the life of a container that has not started.
	 * @param host the container
	 * @param context the listener's
	 * @param lock the container's life-cycle lock
	 * @param current the place of its engine
	 * @param ends tells of the begin and the end of engines
	 * @param logger the container's
	 */
	public ContainerLife(Host<K, V> host, ListenerContext context, Lock lock, CurrentEngine<K, V> current,
			EngineEnds<K, V> ends, LogAccessor logger) {
		this.host = host;
		this.context = context;
		this.lock = lock;
		this.current = current;
		this.ends = ends;
		this.logger = logger;
	}

	/** Whether only the child was stopped. Any thread. */
	public boolean isMemberStopped() {
		return this.memberStopped;
	}

	/** Start, or start again when the stop that is under way is over. */
	public void start() {
		if (this.context.container().isRunning() && !this.memberStopped) {
			return;
		}
		if (this.state == State.STOPPING || this.state == State.ENDED) {
			this.startsAgain = true;
			this.host.running(true);
			this.host.stoppedNormally(true);
			return;
		}
		launch();
	}

	private void launch() {
		this.host.look();
		this.memberStopped = false;
		ListenerRun<K, V> run = this.host.assemble();
		this.current.limit(run.engine());
		this.ends.prepare(run);
		this.current.replace(run);
		// Whatever ended before has been told: from here on an end is this engine's.
		this.state = State.RUNNING;
		givePatience(run.settings().engine());
		this.host.running(true);
		this.host.stoppedNormally(true);
		this.ends.begin(run);
	}

	/**
	 * Stop.
	 * @param callback told when it is over, or that there was nothing to stop
	 * @param normal whether it is a normal stop
	 */
	public void stop(Runnable callback, boolean normal) {
		ConsumerEngine<K, V> running = this.current.engine();
		boolean underWay = this.state == State.STOPPING || this.state == State.ENDED;
		if (running == null || (!this.context.container().isRunning() && !underWay)) {
			callback.run();
			return;
		}
		this.host.running(false);
		this.host.stoppedNormally(normal);
		if (this.memberStopped) {
			this.memberStopped = false;
			callback.run();
		}
		else {
			ask(running, callback, !normal, this.stopsAlone);
		}
	}

	/** A stop whose caller goes on meanwhile. Takes the lock. */
	public void stopAlone(Runnable callback, boolean normal) {
		this.lock.lock();
		try {
			this.stopsAlone = true;
			stop(this.context.container().isRunning() ? () -> {
				this.ends.containerStopped();
				callback.run();
			} : callback, normal);
		}
		finally {
			this.stopsAlone = false;
			this.lock.unlock();
		}
	}

	/** The application stops the child and not the container. Takes the lock. */
	public void stopMember(Runnable callback, boolean normal) {
		this.lock.lock();
		try {
			ConsumerEngine<K, V> running = this.current.engine();
			if (running == null || !this.context.container().isRunning() || this.memberStopped) {
				callback.run();
				return;
			}
			this.host.stoppedNormally(normal);
			ask(running, callback, false, true);
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Ask the engine for its end, and take back a start that has not come yet.
	 * @param callback told once, when it is over
	 * @param abnormal whether nobody wants to wait for it
	 * @param alone whether the caller goes on meanwhile, as far as we know
	 */
	private void ask(ConsumerEngine<K, V> running, Runnable callback, boolean abnormal, boolean alone) {
		Runnable told = once(callback);
		boolean inCall = running.isInCall();
		boolean inside = inCall || running.isOwner();
		this.waiting.add(told);
		this.startsAgain = false;
		if (this.state != State.STOPPING && this.state != State.ENDED) {
			this.state = State.STOPPING;
			running.stop(drain(!abnormal && !alone && !inside));
		}
		if (inCall) {
			// Its record is in hand: to wait for the end would be to wait for itself.
			running.calledInside(alone ? GRACE : Duration.ZERO, told);
		}
		else if (inside && !alone) {
			told.run();
		}
		else if (inside) {
			OwnThreads
				.daemon(this.context.id() + "-stop", this.context.classLoader(),
						() -> tellWhoHoldsTheOwner(running, told))
				.start();
		}
	}

	/** A callback that has asked for the stop may wait for it, and the stop for it. */
	private static void tellWhoHoldsTheOwner(ConsumerEngine<?, ?> running, Runnable told) {
		try {
			if (!running.awaitHeard(GRACE)) {
				told.run();
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static Runnable once(Runnable callback) {
		AtomicBoolean told = new AtomicBoolean();
		return () -> {
			if (told.compareAndSet(false, true)) {
				callback.run();
			}
		};
	}

	/**
	 * The engine has ended, for whatever reason. Owner thread, its last act: it takes the
	 * lock, and tells everybody without it, as event listeners may start and stop
	 * containers.
	 */
	public void ended(StopCause cause, @Nullable Throwable why) {
		this.ends.ended(cause, why);
		this.current.stopMonitor();
		boolean byItself;
		this.lock.lock();
		try {
			byItself = this.state != State.STOPPING;
			this.state = State.ENDED;
			// Whoever stops the container itself has said so by now.
			this.memberStopped = !byItself && this.context.container().isRunning() && !this.startsAgain;
			this.host.running(this.memberStopped || this.startsAgain);
			if (cause != StopCause.REQUESTED && !this.startsAgain) {
				this.host.stoppedNormally(false);
			}
		}
		finally {
			this.lock.unlock();
		}
		this.ends.announce(cause, this.host.isStoppedNormally(), byItself);
		over().forEach(Runnable::run);
		this.ends.restart(cause);
	}

	/** Who waits for the end is told of it, and who has asked for a new start gets it. */
	private List<Runnable> over() {
		this.lock.lock();
		try {
			List<Runnable> told = List.copyOf(this.waiting);
			this.waiting.clear();
			this.state = State.STOPPED;
			if (this.startsAgain) {
				this.startsAgain = false;
				launchAgain();
			}
			return told;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void launchAgain() {
		try {
			launch();
		}
		catch (RuntimeException ex) {
			this.host.running(false);
			this.logger.error(ex, () -> this.context.id() + ": the start that waited for the end of a stop failed");
		}
	}

	/**
	 * The caller of a stop waits for the whole drain and the last commit, unless the
	 * application says for how long it wants to wait.
	 */
	private void givePatience(EngineSettings settings) {
		ContainerProperties properties = this.context.properties();
		if (properties.getShutdownTimeout() == ContainerProperties.DEFAULT_SHUTDOWN_TIMEOUT) {
			properties
				.setShutdownTimeout(settings.drainTimeout().plus(settings.commitTimeout()).plus(RESERVE).toMillis());
		}
	}

	/**
	 * How long the drain may take. It must be over before a caller gives up waiting.
	 * @param awaited whether a caller waits
	 * @return at most the drain timeout
	 */
	private Duration drain(boolean awaited) {
		EngineSettings settings = this.current.settings();
		Duration drainTimeout = (settings != null) ? settings.drainTimeout() : Duration.ZERO;
		if (!awaited) {
			return drainTimeout;
		}
		Duration patience = Duration.ofMillis(this.context.properties().getShutdownTimeout());
		Duration most = patience.compareTo(RESERVE.multipliedBy(2)) > 0 ? patience.minus(RESERVE)
				: patience.dividedBy(2);
		return (drainTimeout.compareTo(most) < 0) ? drainTimeout : most;
	}

	private enum State {

		STOPPED,

		RUNNING,

		/** Asked for its end, and not there yet. */
		STOPPING,

		/** The engine is no more, and not everybody has been told. */
		ENDED

	}

	/**
	 * The container whose life it is.
	 */
	public interface Host<K, V> {

		/** Refuse what cannot be listened to. */
		void look();

		/** Put the next engine together. */
		ListenerRun<K, V> assemble();

		void running(boolean running);

		void stoppedNormally(boolean normally);

		boolean isStoppedNormally();

	}

}
