package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.thread.OwnThreads;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.scheduling.TaskScheduler;

/**
 * Looks now and then whether the owner thread still polls, and publishes spring-kafka's
 * event when it does not. It should never have to: handlers do not run on that thread.
 */
final class PollMonitor {

	private final EvenkeelContainer<?, ?> container;

	private final Runnable silent;

	private @Nullable ScheduledExecutorService own;

	private @Nullable Future<?> task;

	PollMonitor(EvenkeelContainer<?, ?> container, Runnable silent) {
		this.container = container;
		this.silent = silent;
	}

	void start() {
		ContainerProperties properties = this.container.getContainerProperties();
		Duration interval = Duration.ofSeconds(Math.max(1, properties.getMonitorInterval()));
		TaskScheduler scheduler = properties.getScheduler();
		if (scheduler != null) {
			this.task = scheduler.scheduleAtFixedRate(this::look, interval);
			return;
		}
		ScheduledExecutorService made = Executors.newSingleThreadScheduledExecutor((work) -> OwnThreads
			.daemon(this.container.getListenerId() + "-monitor", this.container.classLoader(), work));
		this.own = made;
		this.task = made.scheduleAtFixedRate(this::look, interval.toMillis(), interval.toMillis(),
				TimeUnit.MILLISECONDS);
	}

	private void look() {
		if (this.container.isRunning() && sinceLastPoll() > threshold()) {
			this.silent.run();
		}
	}

	long sinceLastPoll() {
		long last = this.container.lastPollNanos();
		return (last != 0) ? TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - last) : 0;
	}

	private float threshold() {
		ContainerProperties properties = this.container.getContainerProperties();
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
