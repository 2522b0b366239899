package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How long to wait before a failed consumer is replaced: twice as long each time, and
 * from the beginning again after a minute of health. Owner thread only.
 */
final class RestartBackOff {

	private static final long HEALTHY_NANOS = TimeUnit.MINUTES.toNanos(1);

	private final Duration initial;

	private final Duration max;

	private int failures;

	private long lastFailure;

	private boolean refused;

	RestartBackOff(Duration initial, Duration max) {
		this.initial = initial;
		this.max = max;
	}

	Duration next(long now) {
		this.lastFailure = now;
		double millis = this.initial.toMillis() * Math.pow(2, Math.min(this.failures, 30));
		this.failures++;
		return Duration.ofMillis((long) Math.min(millis, this.max.toMillis()));
	}

	void healthy(long now) {
		if (this.failures > 0 && now - this.lastFailure > HEALTHY_NANOS) {
			this.failures = 0;
		}
	}

	void refused() {
		this.refused = true;
	}

	boolean takeRefused() {
		boolean taken = this.refused;
		this.refused = false;
		return taken;
	}

}
