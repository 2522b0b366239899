package io.evenkeel.kafka.watch;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.thread.OwnThreads;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.context.SmartLifecycle;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Looks at all listeners of an application once a second, or more often where a handler
 * may take less: says in the log when the state of one changes, warns of calls that take
 * long, interrupts those that take too long, and knows for the endpoint and for health
 * what each listener is doing. It reads what others have published; it holds no lock of a
 * listener and asks no broker, but one question for a topic while a listener has no
 * partition, which its own thread asks.
 *
 * <h2>Threading</h2> One thread for the application. {@link #report} may be called from
 * any.
 */
public final class ListenerWatch implements SmartLifecycle {

	private static final Logger logger = LoggerFactory.getLogger(ListenerWatch.class);

	private static final long EVERY_MILLIS = 1000;

	private static final long LEAST_MILLIS = 20;

	/** Before the first listener starts, until the last has stopped. */
	private static final int PHASE = Integer.MAX_VALUE - 200;

	private final Supplier<Collection<MessageListenerContainer>> containers;

	private final Map<EvenkeelContainer<?, ?>, Watched> listeners = new ConcurrentHashMap<>();

	private @Nullable ScheduledExecutorService thread;

	/**
	 * Watch listeners.
	 * @param containers those that there are at a moment
	 */
	public ListenerWatch(Supplier<Collection<MessageListenerContainer>> containers) {
		this.containers = containers;
	}

	/**
	 * What a listener is doing.
	 * @param container the listener's container
	 * @return as of now
	 */
	public ListenerReport report(EvenkeelContainer<?, ?> container) {
		return watched(container).report(System.nanoTime());
	}

	private Watched watched(EvenkeelContainer<?, ?> container) {
		return this.listeners.computeIfAbsent(container, (key) -> new Watched(key, System.nanoTime()));
	}

	@Override
	public synchronized void start() {
		if (this.thread != null) {
			return;
		}
		ScheduledExecutorService made = Executors
			.newSingleThreadScheduledExecutor((task) -> OwnThreads.daemon("evenkeel-listener-watch", null, task));
		this.thread = made;
		made.schedule(() -> run(made), LEAST_MILLIS, TimeUnit.MILLISECONDS);
	}

	private void run(ScheduledExecutorService made) {
		long next = EVERY_MILLIS;
		try {
			next = look(System.nanoTime());
		}
		catch (RuntimeException | Error ex) {
			logger.error("Looking at the listeners failed; it is done again", ex);
		}
		try {
			made.schedule(() -> run(made), next, TimeUnit.MILLISECONDS);
		}
		catch (RejectedExecutionException ex) {
			logger.trace("The listeners are watched no longer", ex);
		}
	}

	/**
	 * Look at all listeners.
	 * @param now {@link System#nanoTime()}
	 * @return milliseconds until the next look
	 */
	long look(long now) {
		long next = EVERY_MILLIS;
		Collection<MessageListenerContainer> all = this.containers.get();
		this.listeners.keySet().removeIf((known) -> !all.contains(known));
		for (MessageListenerContainer each : all) {
			if (each instanceof EvenkeelContainer<?, ?> container) {
				Watched watched = watched(container);
				watched.look(now);
				say(container, watched.change(now));
				next = Math.min(next, interval(container.handlerSettings()));
			}
		}
		return Math.max(LEAST_MILLIS, next);
	}

	private static long interval(@Nullable HandlerSettings settings) {
		if (settings == null) {
			return EVERY_MILLIS;
		}
		return Math.min(quarter(settings.warnAfter()), quarter(settings.timeout()));
	}

	private static long quarter(Duration time) {
		return time.isZero() ? EVERY_MILLIS : time.toMillis() / 4;
	}

	private static void say(EvenkeelContainer<?, ?> container, Watched.@Nullable Change change) {
		if (change == null) {
			return;
		}
		ListenerReport report = change.report();
		ListenerState before = change.before();
		boolean starts = report.state() == ListenerState.JOINING && (before == null || before == ListenerState.STOPPED);
		if (starts || (before == null && report.state() == ListenerState.STOPPED)) {
			// The start line has just said it.
			return;
		}
		String line = container.getListenerId() + ": is " + report.state()
				+ ((before != null) ? ", after " + HandlerWatch.text(change.lasted()) + " of " + before : "")
				+ ((report.reason() != null) ? ": " + report.reason() : "");
		switch (report.state()) {
			case NO_BROKER, MISSING_TOPIC, STUCK, BACKPRESSURE, FAILED -> logger.warn(line);
			default -> logger.info(line);
		}
	}

	@Override
	public synchronized void stop() {
		if (this.thread != null) {
			this.thread.shutdownNow();
			this.thread = null;
		}
	}

	@Override
	public synchronized boolean isRunning() {
		return this.thread != null;
	}

	@Override
	public int getPhase() {
		return PHASE;
	}

}
