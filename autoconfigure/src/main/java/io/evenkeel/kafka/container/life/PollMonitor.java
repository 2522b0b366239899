package io.evenkeel.kafka.container.life;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.thread.NanoClock;
import io.evenkeel.kafka.thread.OwnThreads;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.scheduling.TaskScheduler;

/**
 * Looks now and then whether the owner thread still polls, and publishes spring-kafka's
 * event when it does not. It should never have to: handlers do not run on that thread.
 */
public final class PollMonitor {

	private final ListenerContext context;

	private final LongSupplier lastPoll;

	private final LongConsumer silent;

	private final NanoClock clock;

	private @Nullable ScheduledExecutorService own;

	private @Nullable Future<?> task;

	/**
	 * Make a monitor.
	 * @param context the listener's
	 * @param lastPoll when the owner's last poll returned, nanoseconds, 0 before the
	 * first
	 * @param silent given for how many milliseconds it has not polled
	 * @param clock the one that the last poll was taken from
	 */
	public PollMonitor(ListenerContext context, LongSupplier lastPoll, LongConsumer silent, NanoClock clock) {
		this.clock = clock;
		this.context = context;
		this.lastPoll = lastPoll;
		this.silent = silent;
	}

	void start() {
		ContainerProperties properties = this.context.properties();
		Duration interval = Duration.ofSeconds(Math.max(1, properties.getMonitorInterval()));
		TaskScheduler scheduler = properties.getScheduler();
		if (scheduler != null) {
			this.task = scheduler.scheduleAtFixedRate(this::look, interval);
			return;
		}
		ScheduledExecutorService made = Executors.newSingleThreadScheduledExecutor(
				(work) -> OwnThreads.daemon(this.context.id() + "-monitor", this.context.classLoader(), work));
		this.own = made;
		this.task = made.scheduleAtFixedRate(this::look, interval.toMillis(), interval.toMillis(),
				TimeUnit.MILLISECONDS);
	}

	private void look() {
		long silence = sinceLastPoll();
		if (this.context.container().isRunning() && silence > threshold()) {
			this.silent.accept(silence);
		}
	}

	private long sinceLastPoll() {
		long last = this.lastPoll.getAsLong();
		return (last != 0) ? TimeUnit.NANOSECONDS.toMillis(this.clock.getAsLong() - last) : 0;
	}

	private float threshold() {
		ContainerProperties properties = this.context.properties();
		return properties.getPollTimeout() * properties.getNoPollThreshold();
	}

	void stop() {
		if (this.task != null) {
			this.task.cancel(false);
		}
		if (this.own != null) {
			this.own.shutdownNow();
		}
	}

}
