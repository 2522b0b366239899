package io.evenkeel.kafka.producer;

import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.evenkeel.kafka.producer.line.HeldCallers;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.jspecify.annotations.Nullable;

/**
 * What is left of the client's {@code buffer.memory} once it has run out, and who waits
 * for it.
 * <p>
 * <b>Threading.</b> Any thread. <b>Why.</b> The client is never asked to wait, so
 * somebody else has to know when to ask again: asking in vain costs an exception, and
 * runs user code. As long as memory is short, whoever sends claims what a batch takes
 * before he asks; what was claimed counts as taken until the client has answered, so that
 * one free batch lets one caller go. How much a batch takes is learned: the client has
 * refused although so much was free. So is how many records may follow one that has found
 * a free batch before somebody looks again: most of them need no memory of their own, and
 * a look takes the lock that the client's I/O thread needs.
 */
final class ClientMemory {

	/** No share could be had. */
	static final long NONE = -2;

	private static final long BATCH = 16_384;

	/** Memory is short until so much of it, as a divisor, is free. */
	private static final int RELAXED = 4;

	private static final int LONGEST_RUN = 64;

	/** After so many looks that have found some the next run is longer. */
	private static final int CONFIDENCE = 8;

	private final HeldCallers held = new HeldCallers();

	private final AtomicLong claimed = new AtomicLong();

	private volatile boolean scarce;

	private volatile long batch = BATCH;

	private volatile @Nullable Gauges gauges;

	/** How many more may go without a look. */
	private final AtomicInteger unseen = new AtomicInteger();

	/** Plain, as the next one: any recent one will do. */
	private int run = 1;

	private int found;

	/** The callers that wait for memory. */
	HeldCallers held() {
		return this.held;
	}

	/** Whether memory has run out, and not much has become free since. */
	boolean isScarce() {
		return this.scarce;
	}

	/** The client has refused a record for want of memory. */
	void ranOut(Producer<?, ?> client) {
		Gauges current = gauges(client);
		long free = current.free();
		if (free >= this.batch) {
			this.batch = Math.min(2 * free, current.total());
		}
		this.run = Math.max(1, this.run / 2);
		this.found = 0;
		this.unseen.set(0);
		this.scarce = true;
	}

	/**
	 * Take a share, if so much is free; the client decides in the end.
	 * @param client the client
	 * @return the share, to be given back once the client has answered, or {@link #NONE}
	 */
	long claim(Producer<?, ?> client) {
		if (this.unseen.get() > 0 && this.unseen.getAndDecrement() > 0) {
			return 0;
		}
		Gauges current = gauges(client);
		long share = this.batch;
		long free = current.free();
		if (this.claimed.addAndGet(share) > free) {
			this.claimed.addAndGet(-share);
			return NONE;
		}
		if (free > current.total() / RELAXED && this.held.isEmpty()) {
			this.scarce = false;
			this.batch = BATCH;
		}
		foundSome();
		return share;
	}

	private void foundSome() {
		if (++this.found >= CONFIDENCE) {
			this.found = 0;
			this.run = Math.min(this.run + 1, LONGEST_RUN);
		}
		this.unseen.set(this.run - 1);
	}

	/** The client has answered. */
	void release(long share) {
		if (share > 0) {
			this.claimed.addAndGet(-share);
		}
	}

	private Gauges gauges(Producer<?, ?> client) {
		Gauges current = this.gauges;
		if (current == null || current.client() != client) {
			current = Gauges.of(client);
			this.gauges = current;
		}
		return current;
	}

	/**
	 * What a client says of its memory; one that says nothing is asked each time.
	 *
	 * @param client the client
	 * @param free what is free
	 * @param total all it has
	 */
	private record Gauges(Producer<?, ?> client, @Nullable Metric available, @Nullable Metric all) {

		static Gauges of(Producer<?, ?> client) {
			Metric available = null;
			Metric all = null;
			for (Map.Entry<MetricName, ? extends Metric> metric : client.metrics().entrySet()) {
				if (metric.getKey().name().equals("buffer-available-bytes")) {
					available = metric.getValue();
				}
				else if (metric.getKey().name().equals("buffer-total-bytes")) {
					all = metric.getValue();
				}
			}
			return new Gauges(client, available, all);
		}

		long free() {
			return value(this.available);
		}

		long total() {
			return value(this.all);
		}

		private static long value(@Nullable Metric metric) {
			Object value = (metric != null) ? metric.metricValue() : null;
			return (value instanceof Number number) ? number.longValue() : Long.MAX_VALUE / 2;
		}

	}

}
