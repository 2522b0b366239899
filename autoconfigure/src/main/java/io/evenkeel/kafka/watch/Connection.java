package io.evenkeel.kafka.watch;

import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/**
 * Whether brokers answer a client, from what it counts by itself: a member of a group
 * asks them every few seconds, so answers that do not become more are a silence. The
 * client is asked nothing.
 *
 * <h2>Threading</h2> All methods are synchronized: the watch looks, and whoever shows the
 * state does.
 */
final class Connection {

	/** Longer than any heartbeat and fetch of a client that is left as it is. */
	static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(15);

	/** One that has never been answered knows sooner. */
	static final long FIRST_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

	private double answers;

	private boolean answered;

	private boolean opened;

	private long sinceNanos;

	Connection(long now) {
		this.sinceNanos = now;
	}

	synchronized void look(Map<String, Map<MetricName, ? extends Metric>> clients, long now) {
		double found = 0;
		boolean connected = false;
		for (Map<MetricName, ? extends Metric> metrics : clients.values()) {
			for (Map.Entry<MetricName, ? extends Metric> each : metrics.entrySet()) {
				if (!each.getKey().group().equals("consumer-metrics")) {
					continue;
				}
				if (each.getKey().name().equals("response-total")) {
					found += value(each.getValue());
				}
				else if (each.getKey().name().equals("connection-count")) {
					connected |= value(each.getValue()) > 0;
				}
			}
		}
		this.opened = connected;
		if (found > this.answers) {
			this.answered = true;
			this.sinceNanos = now;
		}
		// Less than before: a new client counts from the beginning.
		this.answers = found;
	}

	private static double value(Metric metric) {
		return (metric.metricValue() instanceof Number number) ? number.doubleValue() : 0;
	}

	/** Nobody is waited for: the listener is not running, or has nothing to ask. */
	synchronized void idle(long now) {
		this.sinceNanos = now;
	}

	/** A new start: what was answered before is history. */
	synchronized void restart(long now) {
		this.answered = false;
		this.answers = 0;
		this.sinceNanos = now;
	}

	/** How long no broker has answered, once that is too long; otherwise 0. */
	synchronized long silentNanos(long now) {
		long silent = now - this.sinceNanos;
		return (silent > (this.answered ? PATIENCE_NANOS : FIRST_PATIENCE_NANOS)) ? silent : 0;
	}

	/** Whether any broker has ever answered since the start. */
	synchronized boolean hasAnswered() {
		return this.answered;
	}

	/** Whether a connection is open over which nothing is answered. */
	synchronized boolean isOpened() {
		return this.opened;
	}

}
