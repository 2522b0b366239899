package io.evenkeel.kafka.producer;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sees that what the client has in hand ends in time, whatever the client does.
 * <p>
 * <b>Threading.</b> The timer only.
 */
final class DeliveryWatch {

	private static final Log logger = LogFactory.getLog(DeliveryWatch.class);

	private static final long NO_CLIENT = TimeUnit.MILLISECONDS.toNanos(500);

	private final String id;

	private final Supplier<@Nullable InFlight> inFlight;

	private final LongSupplier clock;

	private final Runnable onStuck;

	private long nextAt;

	/**
	 * Make a watch.
	 * @param id the producer's id, for the log
	 * @param inFlight what the client of this moment has in hand
	 * @param clock nanoseconds
	 * @param onStuck called when the client does not answer any more
	 */
	DeliveryWatch(String id, Supplier<@Nullable InFlight> inFlight, LongSupplier clock, Runnable onStuck) {
		this.id = id;
		this.inFlight = inFlight;
		this.clock = clock;
		this.onStuck = onStuck;
		this.nextAt = clock.getAsLong();
	}

	/** One turn; returns how long to wait for the next, in nanoseconds. */
	long doWork() {
		long now = this.clock.getAsLong();
		long left = this.nextAt - now;
		if (left > 0) {
			return left;
		}
		InFlight current = this.inFlight.get();
		long wait = NO_CLIENT;
		if (current != null) {
			InFlight.Sweep sweep = current.sweep(now);
			wait = sweep.waitNanos();
			if (sweep.expired() > 0) {
				logger.warn(this.id + ": the client did not end " + sweep.expired()
						+ " records within its delivery.timeout.ms, they failed as possibly sent");
			}
			if (sweep.isStuck()) {
				this.onStuck.run();
			}
		}
		this.nextAt = now + wait;
		return wait;
	}

}
