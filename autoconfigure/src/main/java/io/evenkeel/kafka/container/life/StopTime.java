package io.evenkeel.kafka.container.life;

import java.time.Duration;

import io.evenkeel.kafka.engine.EngineSettings;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ContainerProperties;

/**
 * How long the engine of a container may drain when it stops, and how long the caller of
 * the stop waits for it. Under the container's life-cycle lock.
 */
public final class StopTime {

	/** For what comes after the drain: the last commit's answer, events, callbacks. */
	private static final Duration RESERVE = Duration.ofSeconds(1);

	/** What a handler may need to return after it has asked for a stop. */
	public static final Duration GRACE = Duration.ofMillis(500);

	private final ContainerProperties properties;

	public StopTime(ContainerProperties properties) {
		this.properties = properties;
	}

	/**
	 * The caller of a stop waits for the whole drain and the last commit, unless the
	 * application says for how long it wants to wait.
	 * @param settings those of the engine that is starting
	 */
	public void give(EngineSettings settings) {
		if (this.properties.getShutdownTimeout() == ContainerProperties.DEFAULT_SHUTDOWN_TIMEOUT) {
			this.properties
				.setShutdownTimeout(settings.drainTimeout().plus(settings.commitTimeout()).plus(RESERVE).toMillis());
		}
	}

	/**
	 * How long the drain may take. It must be over before a caller gives up waiting.
	 * @param settings those of the engine that is stopping, null when unknown
	 * @param awaited whether a caller waits
	 * @return at most the drain timeout
	 */
	public Duration drain(@Nullable EngineSettings settings, boolean awaited) {
		Duration drainTimeout = (settings != null) ? settings.drainTimeout() : Duration.ZERO;
		if (!awaited) {
			return drainTimeout;
		}
		Duration patience = Duration.ofMillis(this.properties.getShutdownTimeout());
		Duration most = patience.compareTo(RESERVE.multipliedBy(2)) > 0 ? patience.minus(RESERVE)
				: patience.dividedBy(2);
		return (drainTimeout.compareTo(most) < 0) ? drainTimeout : most;
	}

}
