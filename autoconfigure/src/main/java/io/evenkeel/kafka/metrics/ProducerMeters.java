package io.evenkeel.kafka.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.metrics.ProducerMeter.Key;
import io.evenkeel.kafka.producer.FailureReason;
import io.evenkeel.kafka.producer.ManagedProducer;
import io.evenkeel.kafka.producer.SendObserver;
import io.evenkeel.kafka.producer.SendObserverFactory;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import org.jspecify.annotations.Nullable;

/**
 * Binds the meters of sending producers.
 */
public final class ProducerMeters implements SendObserverFactory {

	private static final int MAX_TOPICS = 100;

	private static final String ABSENT = "none";

	private final MeterRegistry registry;

	private final ProducerTopicTags topics = new ProducerTopicTags(MAX_TOPICS);

	/**
	 * Make a binder.
	 * @param registry where the meters go
	 */
	public ProducerMeters(MeterRegistry registry) {
		this.registry = registry;
	}

	@Override
	public SendObserver observe(ManagedProducer producer) {
		return new Observer(producer);
	}

	/**
	 * The meters of one producer.
	 * <p>
	 * <b>Threading.</b> Any thread. <b>Why.</b> A meter is looked up in a map of ours, by
	 * a small key, because the registry's own look-up builds a list of tags per call.
	 */
	private final class Observer implements SendObserver {

		private final Tags base;

		private final Timer blocked;

		private final List<Meter> gauges = new ArrayList<>();

		private final Map<SendKey, Timer> sends = new ConcurrentHashMap<>();

		/** By the topic, because nearly every send passes here. */
		private final Map<String, Timer> successes = new ConcurrentHashMap<>();

		private final Map<WaitKey, Timer> waits = new ConcurrentHashMap<>();

		private final Map<String, Counter> retries = new ConcurrentHashMap<>();

		private final Map<String, OpenWindows> windows = new ConcurrentHashMap<>();

		private final Map<FailureReason, Counter> replacements = new ConcurrentHashMap<>();

		Observer(ManagedProducer producer) {
			this.base = Tags.of(Key.PRODUCER.asString(), producer.id());
			this.blocked = Timer.builder(ProducerMeter.SEND_BLOCKED.getName())
				.description(ProducerMeter.SEND_BLOCKED.description())
				.tags(this.base)
				.register(ProducerMeters.this.registry);
			gauge(Gauge.builder(ProducerMeter.PENDING_RECORDS.getName(), producer, ManagedProducer::pendingRecords)
				.description(ProducerMeter.PENDING_RECORDS.description()));
			gauge(Gauge.builder(ProducerMeter.PENDING_BYTES.getName(), producer, ManagedProducer::pendingBytes)
				.description(ProducerMeter.PENDING_BYTES.description()));
			gauge(Gauge.builder(ProducerMeter.METADATA_AGE.getName(), producer, ManagedProducer::metadataAgeSeconds)
				.description(ProducerMeter.METADATA_AGE.description())
				.baseUnit(ProducerMeter.METADATA_AGE.getBaseUnit()));
		}

		private void gauge(Gauge.Builder<?> builder) {
			this.gauges.add(builder.tags(this.base).register(ProducerMeters.this.registry));
		}

		@Override
		public void returned(long nanos) {
			this.blocked.record(nanos, TimeUnit.NANOSECONDS);
		}

		@Override
		public void completed(String topic, @Nullable FailureReason reason, long nanos) {
			Timer known = (reason == null) ? this.successes.get(topic) : null;
			((known != null) ? known : sendTimer(topic, reason)).record(nanos, TimeUnit.NANOSECONDS);
		}

		private Timer sendTimer(String topic, @Nullable FailureReason reason) {
			String tag = ProducerMeters.this.topics.tag(topic);
			Timer timer = this.sends.computeIfAbsent(new SendKey(tag, reason), this::sendTimer);
			if (reason == null && tag.equals(topic)) {
				this.successes.put(topic, timer);
			}
			return timer;
		}

		private Timer sendTimer(SendKey key) {
			FailureReason reason = key.reason();
			return Timer.builder(ProducerMeter.SEND.getName())
				.description(ProducerMeter.SEND.description())
				.tags(this.base)
				.tag(Key.TOPIC.asString(), key.topic())
				.tag(Key.OUTCOME.asString(), (reason != null) ? "failure" : "success")
				.tag(Key.REASON.asString(), (reason != null) ? tag(reason) : ABSENT)
				.register(ProducerMeters.this.registry);
		}

		@Override
		public void waited(String topic, WaitOutcome outcome, long nanos) {
			String tag = ProducerMeters.this.topics.tag(topic);
			this.waits
				.computeIfAbsent(new WaitKey(tag, outcome),
						(key) -> Timer.builder(ProducerMeter.METADATA_WAIT.getName())
							.description(ProducerMeter.METADATA_WAIT.description())
							.tags(this.base)
							.tag(Key.TOPIC.asString(), key.topic())
							.tag(Key.OUTCOME.asString(), key.outcome().name().toLowerCase(Locale.ROOT))
							.register(ProducerMeters.this.registry))
				.record(nanos, TimeUnit.NANOSECONDS);
		}

		@Override
		public void retried(String topic) {
			this.retries
				.computeIfAbsent(ProducerMeters.this.topics.tag(topic),
						(tag) -> Counter.builder(ProducerMeter.METADATA_RETRIES.getName())
							.description(ProducerMeter.METADATA_RETRIES.description())
							.tags(this.base)
							.tag(Key.TOPIC.asString(), tag)
							.register(ProducerMeters.this.registry))
				.increment();
		}

		@Override
		public void failFast(String topic, boolean open) {
			this.windows.computeIfAbsent(ProducerMeters.this.topics.tag(topic), this::windowGauge).change(open);
		}

		private OpenWindows windowGauge(String tag) {
			OpenWindows count = new OpenWindows(new AtomicInteger());
			Gauge gauge = Gauge.builder(ProducerMeter.FAIL_FAST.getName(), count, OpenWindows::value)
				.description(ProducerMeter.FAIL_FAST.description())
				.tags(this.base)
				.tag(Key.TOPIC.asString(), tag)
				.register(ProducerMeters.this.registry);
			synchronized (this.gauges) {
				this.gauges.add(gauge);
			}
			return count;
		}

		@Override
		public void replaced(FailureReason cause) {
			this.replacements
				.computeIfAbsent(cause,
						(key) -> Counter.builder(ProducerMeter.REPLACEMENTS.getName())
							.description(ProducerMeter.REPLACEMENTS.description())
							.tags(this.base)
							.tag(Key.CAUSE.asString(), tag(key))
							.register(ProducerMeters.this.registry))
				.increment();
		}

		@Override
		public void closed() {
			synchronized (this.gauges) {
				this.gauges.forEach(ProducerMeters.this.registry::remove);
			}
		}

	}

	/** In lower case, as the values of all tags are. */
	private static String tag(FailureReason reason) {
		return reason.name().toLowerCase(Locale.ROOT);
	}

	private record SendKey(String topic, @Nullable FailureReason reason) {

	}

	private record WaitKey(String topic, SendObserver.WaitOutcome outcome) {

	}

	/**
	 * How many windows are open behind one tag.
	 *
	 * @param count the number
	 */
	private record OpenWindows(AtomicInteger count) {

		void change(boolean open) {
			this.count.addAndGet(open ? 1 : -1);
		}

		double value() {
			return (this.count.get() > 0) ? 1 : 0;
		}

	}

}
