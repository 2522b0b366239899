package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.jspecify.annotations.Nullable;

/**
 * What a factory hands out: a sending producer, and when that one has been closed by a
 * reset, a stop or its age, the one that has taken its place. Whoever got it before the
 * close and sends after it does not find it closed.
 * <p>
 * <b>Threading.</b> Any thread sends, one closes. <b>Invariant.</b> The inner producer is
 * closed when no call is inside of it and none can enter any more. <b>Why.</b> A send has
 * begun, for a flush to wait for it, before it looks whether the producer was left. So
 * whoever leaves it first and flushes it then has waited for all that it still takes, and
 * a sender pays for nothing more than a look.
 */
final class StandingProducer<K, V> extends WithoutTransactions<K, V> {

	private final SendingProducer<K, V> inner;

	private final Supplier<@Nullable Producer<K, V>> successor;

	private final Closer closer;

	private final Duration longestClose;

	private final BooleanSupplier identifying;

	private final AtomicBoolean closing = new AtomicBoolean();

	/**
	 * Make one.
	 * @param inner the producer
	 * @param successor gives the producer after this one, null when there is none because
	 * the factory was closed for good
	 * @param closer runs the closing
	 * @param longestClose the longest time that closing may take
	 * @param identifying whether the calling thread asks for the metrics to learn the id;
	 * a client may have none that tells
	 */
	StandingProducer(SendingProducer<K, V> inner, Supplier<@Nullable Producer<K, V>> successor, Closer closer,
			Duration longestClose, BooleanSupplier identifying) {
		this.inner = inner;
		this.successor = successor;
		this.closer = closer;
		this.longestClose = longestClose;
		this.identifying = identifying;
	}

	SendingProducer<K, V> inner() {
		return this.inner;
	}

	/** Whether it is not being closed. */
	boolean isStanding() {
		return !this.inner.isLeft();
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record) {
		return send(record, null);
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record, @Nullable Callback callback) {
		Future<RecordMetadata> result = this.inner.sendUnlessLeft(record, callback);
		return (result != null) ? result : current().send(record, callback);
	}

	private Producer<K, V> current() {
		Producer<K, V> next = isStanding() ? null : this.successor.get();
		return (next != null) ? next : this.inner;
	}

	@Override
	public void flush() {
		current().flush();
	}

	@Override
	public List<PartitionInfo> partitionsFor(String topic) {
		return current().partitionsFor(topic);
	}

	@Override
	public Map<MetricName, ? extends Metric> metrics() {
		return this.identifying.getAsBoolean() ? IdMetric.mapOf(this.inner.id()) : this.inner.metrics();
	}

	@Override
	public Uuid clientInstanceId(Duration timeout) {
		return this.inner.clientInstanceId(timeout);
	}

	@Override
	public void registerMetricForSubscription(KafkaMetric metric) {
		this.inner.registerMetricForSubscription(metric);
	}

	@Override
	public void unregisterMetricFromSubscription(KafkaMetric metric) {
		this.inner.unregisterMetricFromSubscription(metric);
	}

	@Override
	public void close() {
		close(this.longestClose);
	}

	@Override
	public void close(Duration timeout) {
		if (!this.closing.compareAndSet(false, true)) {
			return;
		}
		this.inner.leave();
		this.closer.close(this.inner.id(), () -> end(timeout));
	}

	private void end(Duration timeout) {
		Duration limit = (timeout.compareTo(this.longestClose) < 0) ? timeout : this.longestClose;
		long deadline = System.nanoTime() + limit.toNanos();
		try {
			this.inner.flush(limit);
		}
		catch (InterruptException ex) {
			// It has set the flag again: whoever closes has no time.
		}
		this.inner.close(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
	}

	@Override
	public String toString() {
		return this.inner.toString();
	}

	/**
	 * Runs the closing of a producer, on a thread that may wait for it.
	 */
	@FunctionalInterface
	interface Closer {

		/**
		 * Run it now or soon.
		 * @param id the producer's id
		 * @param closing closes it, in bounded time
		 */
		void close(String id, Runnable closing);

	}

}
