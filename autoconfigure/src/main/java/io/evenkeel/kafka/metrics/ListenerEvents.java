package io.evenkeel.kafka.metrics;

import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.engine.AssignedPartition;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import io.evenkeel.kafka.metrics.ConsumerMeter.Key;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.kafka.common.TopicPartition;

/**
 * Counts and times what happens in the engine of one listener.
 * <p>
 * <b>Threading.</b> Called on the owner thread and on workers; the meters of a topic are
 * looked up without a lock, everything else under one, so that no meter is made after
 * {@link #close()} has removed them all.
 */
final class ListenerEvents implements EngineObserver {

	private static final String STALE = "stale";

	/** After the end one that nobody reads: late completions are still told. */
	private MeterRegistry registry;

	private final Tags listener;

	private final Set<Meter> meters = new HashSet<>();

	private final ListenerGauges gauges;

	private final Map<String, TopicMeters> topics = new ConcurrentHashMap<>();

	ListenerEvents(MeterRegistry registry, String listener, ListenerGauges gauges) {
		this.registry = registry;
		this.listener = Tags.of(Key.LISTENER.asString(), listener);
		this.gauges = gauges;
	}

	@Override
	public void assigned(Collection<AssignedPartition> partitions, long nanos) {
		partitions.forEach((assigned) -> this.gauges.add(assigned.partition()));
		rebalance(RebalanceEvent.ASSIGNED, nanos);
	}

	@Override
	public void unassigned(Collection<AssignedPartition> partitions, RebalanceEvent how, long nanos) {
		partitions.forEach((gone) -> this.gauges.remove(gone.partition()));
		rebalance(how, nanos);
	}

	private void rebalance(RebalanceEvent event, long nanos) {
		timer(ConsumerMeter.REBALANCE, Key.EVENT, tag(event)).record(nanos, TimeUnit.NANOSECONDS);
	}

	@Override
	public void drained(boolean clean, long nanos, int drained, int dropped, int abandoned) {
		timer(ConsumerMeter.REBALANCE_DRAIN, Key.RESULT, clean ? "clean" : "timeout").record(nanos,
				TimeUnit.NANOSECONDS);
		fate("drained", drained);
		fate("dropped", dropped);
		fate("abandoned", abandoned);
	}

	@Override
	public void gaveUp(int dropped, int abandoned) {
		fate("dropped", dropped);
		fate("abandoned", abandoned);
	}

	private void fate(String fate, int records) {
		counter(ConsumerMeter.REBALANCE_RECORDS, this.listener.and(Key.FATE.asString(), fate)).increment(records);
	}

	@Override
	public void firstCall(String topic, long waitNanos) {
		topic(topic).waited.record(waitNanos, TimeUnit.NANOSECONDS);
	}

	@Override
	public void retried(String topic) {
		topic(topic).retries.increment();
	}

	@Override
	public void ended(String topic, Outcome outcome, long residenceNanos) {
		TopicMeters meters = topic(topic);
		meters.records[outcome.ordinal()].increment();
		meters.residence[outcome.ordinal()].record(residenceNanos, TimeUnit.NANOSECONDS);
	}

	@Override
	public void stale(String topic) {
		topic(topic).stale.increment();
	}

	@Override
	public void lagKnown(TopicPartition partition) {
		this.gauges.lagKnown(partition);
	}

	@Override
	public void recoveryFailed(String topic) {
		topic(topic).recoveryFailures.increment();
	}

	@Override
	public void committed(CommitResult result, long nanos) {
		if (result == CommitResult.OK) {
			this.gauges.committed();
		}
		timer(ConsumerMeter.COMMIT, Key.RESULT, tag(result)).record(nanos, TimeUnit.NANOSECONDS);
	}

	@Override
	public void reset(ResetCause cause, int partitions) {
		counter(ConsumerMeter.RESETS, this.listener.and(Key.CAUSE.asString(), tag(cause))).increment(partitions);
	}

	private Timer timer(ConsumerMeter meter, Key key, String value) {
		return timer(meter, this.listener.and(key.asString(), value));
	}

	private synchronized Timer timer(ConsumerMeter meter, Tags tags) {
		Timer timer = Timer.builder(meter.getName())
			.description(meter.description())
			.tags(tags)
			.register(this.registry);
		this.meters.add(timer);
		return timer;
	}

	private synchronized Counter counter(ConsumerMeter meter, Tags tags) {
		Counter counter = Counter.builder(meter.getName())
			.description(meter.description())
			.tags(tags)
			.register(this.registry);
		this.meters.add(counter);
		return counter;
	}

	/** Remove all meters from the registry; what comes now is counted nowhere. */
	synchronized void close() {
		this.meters.forEach(this.registry::remove);
		this.meters.clear();
		this.topics.clear();
		this.registry = new SimpleMeterRegistry();
	}

	private static String tag(Enum<?> value) {
		return value.name().toLowerCase(Locale.ROOT);
	}

	private TopicMeters topic(String topic) {
		TopicMeters meters = this.topics.get(topic);
		return (meters != null) ? meters : this.topics.computeIfAbsent(topic, TopicMeters::new);
	}

	/**
	 * The meters of one topic; all outcomes are there from the start, so that a rate can
	 * be taken of the first bad one.
	 */
	private final class TopicMeters {

		private final Counter[] records;

		private final Timer[] residence;

		private final Counter stale;

		private final Counter retries;

		private final Counter recoveryFailures;

		private final Timer waited;

		TopicMeters(String topic) {
			Tags tags = ListenerEvents.this.listener.and(Key.TOPIC.asString(), topic);
			Outcome[] outcomes = Outcome.values();
			this.records = new Counter[outcomes.length];
			this.residence = new Timer[outcomes.length];
			for (Outcome outcome : outcomes) {
				Tags own = tags.and(Key.OUTCOME.asString(), outcome.tag());
				this.records[outcome.ordinal()] = counter(ConsumerMeter.RECORDS, own);
				this.residence[outcome.ordinal()] = timer(ConsumerMeter.RECORD_RESIDENCE, own);
			}
			this.stale = counter(ConsumerMeter.RECORDS, tags.and(Key.OUTCOME.asString(), STALE));
			this.retries = counter(ConsumerMeter.RETRIES, tags);
			this.recoveryFailures = counter(ConsumerMeter.RECOVERY_FAILURES, tags);
			this.waited = timer(ConsumerMeter.RECORD_WAIT, tags);
		}

	}

}
