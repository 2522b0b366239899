package io.evenkeel.kafka.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * The cluster that the test plays: topics, groups, what has been committed, and what is
 * wrong with it.
 * <p>
 * <b>Threading.</b> Any thread; everything is kept under the monitor of this object,
 * which is told of each change. No callback is called under it.
 */
final class FakeCluster {

	static final Duration PATIENCE = Duration.ofSeconds(10);

	private static final Node NODE = new Node(0, "localhost", 9092);

	private final Map<String, List<List<StoredRecord>>> topics = new TreeMap<>();

	private final Map<String, Integer> declared = new HashMap<>();

	private final Set<String> missing = new HashSet<>();

	private final Map<String, Map<TopicPartition, OffsetAndMetadata>> committed = new HashMap<>();

	private final Map<String, Set<TopicPartition>> elsewhere = new HashMap<>();

	private final List<FakeConsumer<?, ?>> members = new ArrayList<>();

	private final List<FakeProducer<?, ?>> producers = new ArrayList<>();

	private boolean down;

	private boolean holding;

	private boolean full;

	private int nextPartition;

	/** How many partitions a topic has when somebody first speaks of it. */
	synchronized void declare(String topic, int partitions) {
		this.declared.put(topic, partitions);
		List<List<StoredRecord>> known = this.topics.get(topic);
		while (known != null && known.size() < partitions) {
			known.add(new ArrayList<>());
		}
		notifyAll();
	}

	/** The partitions of a topic, which is made by being asked for; 0 when missing. */
	synchronized int partitions(String topic) {
		return this.missing.contains(topic) ? 0 : log(topic).size();
	}

	private List<List<StoredRecord>> log(String topic) {
		return this.topics.computeIfAbsent(topic, (name) -> {
			List<List<StoredRecord>> made = new ArrayList<>();
			for (int i = 0; i < this.declared.getOrDefault(name, 1); i++) {
				made.add(new ArrayList<>());
			}
			return made;
		});
	}

	synchronized Set<String> names() {
		Set<String> names = new HashSet<>(this.topics.keySet());
		names.addAll(this.declared.keySet());
		names.removeAll(this.missing);
		return names;
	}

	List<PartitionInfo> describe(String topic) {
		List<PartitionInfo> result = new ArrayList<>();
		for (int i = 0; i < partitions(topic); i++) {
			result.add(new PartitionInfo(topic, i, NODE, new Node[] { NODE }, new Node[] { NODE }));
		}
		return result;
	}

	synchronized int choosePartition(String topic, byte @Nullable [] key) {
		int count = Math.max(1, partitions(topic));
		return (key != null) ? BuiltInPartitioner.partitionForKey(key, count) : this.nextPartition++ % count;
	}

	synchronized StoredRecord append(String topic, int partition, @Nullable Long timestamp, byte @Nullable [] key,
			byte @Nullable [] value, Headers headers) {
		if (partition < 0 || partition >= log(topic).size()) {
			throw new IllegalArgumentException(
					"Topic '" + topic + "' has " + log(topic).size() + " partition(s), so there is no partition "
							+ partition + ": say topic(\"" + topic + "\", " + (partition + 1) + ") first");
		}
		List<StoredRecord> log = log(topic).get(partition);
		StoredRecord record = new StoredRecord(topic, partition, log.size(),
				(timestamp != null) ? timestamp : System.currentTimeMillis(), key, value, headers);
		log.add(record);
		notifyAll();
		return record;
	}

	synchronized List<StoredRecord> records(String topic) {
		return this.topics.getOrDefault(topic, List.of()).stream().flatMap(List::stream).toList();
	}

	synchronized List<StoredRecord> from(TopicPartition partition, long offset, int most) {
		List<StoredRecord> log = log(partition.topic()).get(partition.partition());
		int from = (int) Math.min(offset, log.size());
		return List.copyOf(log.subList(from, Math.min(log.size(), from + most)));
	}

	synchronized long end(TopicPartition partition) {
		List<List<StoredRecord>> log = log(partition.topic());
		return (partition.partition() < log.size()) ? log.get(partition.partition()).size() : 0;
	}

	synchronized @Nullable StoredRecord deadLetterOf(StoredRecord record, String topicHeader, String partitionHeader,
			String offsetHeader) {
		return this.topics.values()
			.stream()
			.flatMap(List::stream)
			.flatMap(List::stream)
			.filter((candidate) -> DeadLetterHeaders.name(candidate, topicHeader, partitionHeader, offsetHeader,
					record))
			.findFirst()
			.orElse(null);
	}

	// groups

	synchronized void join(FakeConsumer<?, ?> member) {
		if (!this.members.contains(member)) {
			this.members.add(member);
		}
		notifyAll();
	}

	synchronized void leave(FakeConsumer<?, ?> member) {
		this.members.remove(member);
		notifyAll();
	}

	/**
	 * What a member is to have now: its share, without what another one still holds.
	 */
	synchronized Set<TopicPartition> target(FakeConsumer<?, ?> member) {
		Map<FakeConsumer<?, ?>, Set<TopicPartition>> shares = new LinkedHashMap<>();
		for (FakeConsumer<?, ?> known : this.members) {
			if (known.group().equals(member.group()) && !known.isAssignedByHand()) {
				shares.put(known, new HashSet<>());
			}
		}
		Set<TopicPartition> gone = this.elsewhere.getOrDefault(member.group(), Set.of());
		for (String topic : names()) {
			List<FakeConsumer<?, ?>> readers = shares.keySet().stream().filter((known) -> known.reads(topic)).toList();
			for (int i = 0; !readers.isEmpty() && i < partitions(topic); i++) {
				TopicPartition partition = new TopicPartition(topic, i);
				if (!gone.contains(partition)) {
					shares.get(readers.get(i % readers.size())).add(partition);
				}
			}
		}
		Set<TopicPartition> mine = new HashSet<>(shares.getOrDefault(member, Set.of()));
		shares.keySet().stream().filter((other) -> other != member).forEach((other) -> mine.removeAll(other.held()));
		return mine;
	}

	synchronized void takeAway(Collection<TopicPartition> partitions, boolean lost) {
		for (FakeConsumer<?, ?> member : this.members) {
			Set<TopicPartition> here = this.elsewhere.computeIfAbsent(member.group(), (group) -> new HashSet<>());
			here.addAll(partitions);
			if (lost) {
				member.losing(partitions);
			}
		}
		notifyAll();
	}

	synchronized void giveBack() {
		this.elsewhere.clear();
		notifyAll();
	}

	synchronized boolean isHeld(Collection<TopicPartition> partitions) {
		return this.members.stream().anyMatch((member) -> partitions.stream().anyMatch(member.held()::contains));
	}

	/** Whether each member has what it is to have. */
	synchronized boolean isBalanced() {
		return this.members.stream()
			.allMatch((member) -> member.isAssignedByHand() || member.held().equals(target(member)));
	}

	synchronized void commit(String group, Map<TopicPartition, OffsetAndMetadata> offsets) {
		this.committed.computeIfAbsent(group, (name) -> new HashMap<>()).putAll(offsets);
		notifyAll();
	}

	synchronized @Nullable OffsetAndMetadata committed(String group, TopicPartition partition) {
		return this.committed.getOrDefault(group, Map.of()).get(partition);
	}

	synchronized Set<String> groupsOf(String topic) {
		Set<String> groups = new HashSet<>();
		this.members.stream().filter((member) -> member.reads(topic)).forEach((member) -> groups.add(member.group()));
		return groups;
	}

	/** Everything is as in the beginning: the members have to find out. */
	void reset() {
		Set<TopicPartition> all = new HashSet<>();
		synchronized (this) {
			this.members.forEach((member) -> all.addAll(member.held()));
		}
		takeAway(all, true);
		await("the partitions to be given up", () -> !isHeld(all));
		synchronized (this) {
			this.topics.clear();
			this.committed.clear();
			this.nextPartition = 0;
		}
		change(() -> {
			this.missing.clear();
			this.down = false;
			this.holding = false;
			this.full = false;
		});
		giveBack();
	}

	// what is wrong

	void setDown(boolean value) {
		change(() -> this.down = value);
	}

	void setMissing(String topic, boolean value) {
		change(() -> {
			if (value) {
				this.missing.add(topic);
			}
			else {
				this.missing.remove(topic);
			}
		});
	}

	void setHolding(boolean value) {
		change(() -> this.holding = value);
	}

	void setFull(boolean value) {
		change(() -> this.full = value);
	}

	synchronized boolean isDown() {
		return this.down;
	}

	synchronized boolean isHolding() {
		return this.holding || this.down;
	}

	synchronized boolean isFull() {
		return this.full;
	}

	synchronized boolean isMissing(String topic) {
		return this.missing.contains(topic);
	}

	private void change(Runnable change) {
		List<FakeProducer<?, ?>> told;
		synchronized (this) {
			change.run();
			told = List.copyOf(this.producers);
			notifyAll();
		}
		told.forEach(FakeProducer::changed);
	}

	synchronized void add(FakeProducer<?, ?> producer) {
		this.producers.add(producer);
	}

	synchronized void remove(FakeProducer<?, ?> producer) {
		this.producers.remove(producer);
	}

	/** Time has passed. */
	void timePassed() {
		List<FakeProducer<?, ?>> told;
		synchronized (this) {
			told = List.copyOf(this.producers);
			this.members.forEach(FakeConsumer::wake);
			notifyAll();
		}
		told.forEach(FakeProducer::timePassed);
	}

	// waiting

	/** Wait for something that some thread of the application is about to do. */
	void await(String what, BooleanSupplier condition) {
		await(() -> "Waited for " + PATIENCE.toSeconds() + " s for " + what, condition);
	}

	void await(Supplier<String> otherwise, BooleanSupplier condition) {
		long until = System.nanoTime() + PATIENCE.toNanos();
		synchronized (this) {
			while (!condition.getAsBoolean()) {
				if (System.nanoTime() - until >= 0) {
					throw new AssertionError(otherwise.get());
				}
				pause(10);
			}
		}
	}

	/** Wait for a change. Under the monitor. */
	void pause(long millis) {
		try {
			wait(Math.max(1, millis));
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError("Interrupted while waiting", ex);
		}
	}

	synchronized void signal() {
		notifyAll();
	}

}
