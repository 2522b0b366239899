package io.evenkeel.kafka.metrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.metrics.ConsumerMeter.Key;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The gauges of one listener: they read the engine's snapshots, so a scrape never touches
 * the engine. Those of a partition come with its assignment and go with it.
 *
 * <h2>Threading</h2> Opened and closed by the container, partitions added and removed by
 * the owner thread, read by scrapers: the methods are synchronized.
 */
final class ListenerGauges {

	private final MeterRegistry registry;

	private final String listener;

	private final String group;

	private final Supplier<EngineSnapshot> snapshots;

	private final List<Meter> general = new ArrayList<>();

	private final Map<TopicPartition, List<Meter>> partitions = new HashMap<>();

	private final Set<TopicPartition> withLag = new HashSet<>();

	private boolean closed;

	private volatile long committedNanos;

	private volatile Index index = new Index(null, Map.of());

	ListenerGauges(MeterRegistry registry, String listener, @Nullable String group,
			Supplier<EngineSnapshot> snapshots) {
		this.registry = registry;
		this.listener = listener;
		this.group = (group == null || group.isEmpty()) ? "none" : group;
		this.snapshots = snapshots;
	}

	synchronized void open() {
		Tags tags = Tags.of(Key.LISTENER.asString(), this.listener);
		this.general
			.add(gauge(ConsumerMeter.CONCURRENCY, tags.and(Key.VALUE.asString(), "limit"), EngineSnapshot::limit));
		this.general
			.add(gauge(ConsumerMeter.CONCURRENCY, tags.and(Key.VALUE.asString(), "used"), EngineSnapshot::used));
		this.general.add(gauge(ConsumerMeter.KEYS_ACTIVE, tags, EngineSnapshot::keys));
		String state = Key.STATE.asString();
		this.general.add(gauge(ConsumerMeter.PARTITIONS, tags.and(state, "assigned"),
				(snapshot) -> snapshot.partitions().size()));
		this.general.add(gauge(ConsumerMeter.PARTITIONS, tags.and(state, "paused-user"),
				(snapshot) -> count(snapshot, EngineSnapshot.Partition::userPaused)));
		this.general.add(gauge(ConsumerMeter.PARTITIONS, tags.and(state, "paused-backpressure"),
				(snapshot) -> count(snapshot, EngineSnapshot.Partition::backPressure)));
	}

	private static double count(EngineSnapshot snapshot,
			java.util.function.Predicate<EngineSnapshot.Partition> predicate) {
		return snapshot.partitions().stream().filter(predicate).count();
	}

	private Meter gauge(ConsumerMeter meter, Tags tags, ToDoubleFunction<EngineSnapshot> value) {
		return Gauge.builder(meter.getName(), () -> value.applyAsDouble(this.snapshots.get()))
			.description(meter.description())
			.tags(tags)
			.baseUnit(meter.getBaseUnit())
			.register(this.registry);
	}

	synchronized void add(TopicPartition partition) {
		if (this.closed || this.partitions.containsKey(partition)) {
			return;
		}
		Tags tags = Tags.of(Key.LISTENER.asString(), this.listener, Key.TOPIC.asString(), partition.topic(),
				Key.PARTITION.asString(), String.valueOf(partition.partition()));
		String state = Key.STATE.asString();
		List<Meter> meters = new ArrayList<>();
		meters.add(gauge(ConsumerMeter.PENDING, tags.and(state, "queued"), partition, EngineSnapshot.Partition::queued,
				0));
		meters.add(gauge(ConsumerMeter.PENDING, tags.and(state, "in-flight"), partition,
				EngineSnapshot.Partition::inFlight, 0));
		meters.add(gauge(ConsumerMeter.PENDING, tags.and(state, "parked"), partition, EngineSnapshot.Partition::parked,
				0));
		meters.add(gauge(ConsumerMeter.OFFSET_COMMITTED, tags, partition, EngineSnapshot.Partition::committed, -1));
		meters.add(gauge(ConsumerMeter.OFFSET_GAP, tags, partition, EngineSnapshot.Partition::gap, 0));
		meters.add(gauge(ConsumerMeter.OFFSET_OLDEST_AGE, tags, partition, ListenerGauges::age, 0));
		this.partitions.put(partition, meters);
	}

	private Meter gauge(ConsumerMeter meter, Tags tags, TopicPartition partition,
			ToDoubleFunction<EngineSnapshot.Partition> value, double absent) {
		return Gauge.builder(meter.getName(), () -> {
			EngineSnapshot.Partition found = find(partition);
			return (found != null) ? value.applyAsDouble(found) : absent;
		}).description(meter.description()).tags(tags).baseUnit(meter.getBaseUnit()).register(this.registry);
	}

	/** A partition's lag is known from now on; before, the gauges are not there. */
	synchronized void lagKnown(TopicPartition partition) {
		List<Meter> meters = this.partitions.get(partition);
		if (meters == null || !this.withLag.add(partition)) {
			return;
		}
		Tags tags = group().and(Key.TOPIC.asString(), partition.topic(), Key.PARTITION.asString(),
				String.valueOf(partition.partition()));
		meters.add(gauge(ConsumerMeter.LAG, tags, partition,
				(found) -> found.lag().isKnown() ? found.lag().records() : Double.NaN, Double.NaN));
		meters.add(gauge(ConsumerMeter.LAG_TIME, tags, partition, ListenerGauges::lagTime, Double.NaN));
	}

	private static double lagTime(EngineSnapshot.Partition partition) {
		return partition.lag().isKnown() ? partition.lag().seconds(System.currentTimeMillis(), System.nanoTime())
				: Double.NaN;
	}

	/** A commit has succeeded. Owner thread. */
	void committed() {
		boolean first = this.committedNanos == 0;
		this.committedNanos = System.nanoTime();
		if (first) {
			openCommitAge();
		}
	}

	private synchronized void openCommitAge() {
		if (!this.closed) {
			this.general.add(gauge(ConsumerMeter.COMMIT_AGE, group(),
					(ignored) -> (System.nanoTime() - this.committedNanos) / 1e9));
		}
	}

	private Tags group() {
		return Tags.of(Key.LISTENER.asString(), this.listener, Key.GROUP.asString(), this.group);
	}

	private static double age(EngineSnapshot.Partition partition) {
		return partition.hasOldest() ? (System.nanoTime() - partition.oldestNanos()) / 1e9 : 0;
	}

	/** A scrape asks for all partitions one by one: each snapshot is indexed once. */
	@SuppressWarnings("ReferenceEquality")
	private EngineSnapshot.@Nullable Partition find(TopicPartition partition) {
		EngineSnapshot snapshot = this.snapshots.get();
		Index current = this.index;
		if (current.snapshot != snapshot) {
			Map<TopicPartition, EngineSnapshot.Partition> byPartition = new HashMap<>();
			snapshot.partitions().forEach((each) -> byPartition.put(each.partition(), each));
			current = new Index(snapshot, byPartition);
			this.index = current;
		}
		return current.partitions.get(partition);
	}

	synchronized void remove(TopicPartition partition) {
		List<Meter> meters = this.partitions.remove(partition);
		this.withLag.remove(partition);
		if (meters != null) {
			meters.forEach(this.registry::remove);
		}
	}

	synchronized void close() {
		this.closed = true;
		this.general.forEach(this.registry::remove);
		this.general.clear();
		this.partitions.values().forEach((meters) -> meters.forEach(this.registry::remove));
		this.partitions.clear();
		this.withLag.clear();
	}

	private record Index(@Nullable EngineSnapshot snapshot, Map<TopicPartition, EngineSnapshot.Partition> partitions) {
	}

}
