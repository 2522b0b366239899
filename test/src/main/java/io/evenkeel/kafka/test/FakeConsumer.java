package io.evenkeel.kafka.test;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.RecordDeserializationException.DeserializationExceptionOrigin;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * A member of a group of the cluster that the test plays. As Kafka's own client it
 * belongs to one thread, which hears of rebalances in its polls; the test only says what
 * it is to have.
 */
final class FakeConsumer<K, V> extends MockConsumer<K, V> {

	private static final ConsumerRebalanceListener NOBODY = new ConsumerRebalanceListener() {

		@Override
		public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
		}

		@Override
		public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
		}

	};

	private final FakeCluster cluster;

	private final Settings settings;

	private final Deserializer<K> keys;

	private final Deserializer<V> values;

	private final Queue<Runnable> answers = new ArrayDeque<>();

	private volatile Set<TopicPartition> held = Set.of();

	private volatile @Nullable Pattern pattern;

	private volatile Set<String> topics = Set.of();

	private volatile boolean byHand;

	private volatile @Nullable Thread owner;

	private final Set<TopicPartition> losing = new HashSet<>();

	private boolean lost;

	FakeConsumer(FakeCluster cluster, Settings settings, Deserializer<K> keys, Deserializer<V> values) {
		super("earliest");
		this.cluster = cluster;
		this.settings = settings;
		this.keys = keys;
		this.values = values;
	}

	String group() {
		return this.settings.group();
	}

	boolean isAssignedByHand() {
		return this.byHand;
	}

	Set<TopicPartition> held() {
		return this.held;
	}

	boolean reads(String topic) {
		Pattern known = this.pattern;
		return this.topics.contains(topic) || (known != null && known.matcher(topic).matches());
	}

	/** These will be taken away without asking. Under the cluster's monitor. */
	void losing(Collection<TopicPartition> partitions) {
		partitions.stream().filter(this.held::contains).forEach(this.losing::add);
	}

	/** It may wait somewhere for time to pass. */
	void wake() {
		LockSupport.unpark(this.owner);
	}

	@Override
	public synchronized void subscribe(Collection<String> wanted) {
		subscribe(wanted, NOBODY);
	}

	@Override
	public synchronized void subscribe(Pattern wanted) {
		subscribe(wanted, NOBODY);
	}

	@Override
	public void subscribe(Collection<String> wanted, ConsumerRebalanceListener listener) {
		super.subscribe(wanted, new Rebalances(listener));
		this.topics = Set.copyOf(wanted);
		wanted.forEach(this.cluster::partitions);
		this.cluster.join(this);
	}

	@Override
	public synchronized void subscribe(Pattern wanted, ConsumerRebalanceListener listener) {
		super.subscribe(wanted, new Rebalances(listener));
		this.pattern = wanted;
		this.cluster.join(this);
	}

	@Override
	public synchronized void assign(Collection<TopicPartition> partitions) {
		this.byHand = true;
		partitions.forEach((partition) -> this.cluster.partitions(partition.topic()));
		super.assign(partitions);
		partitions.forEach(this::begin);
		this.held = Set.copyOf(partitions);
		this.topics = Set.copyOf(partitions.stream().map(TopicPartition::topic).toList());
		this.cluster.join(this);
	}

	@Override
	public ConsumerRecords<K, V> poll(Duration timeout) {
		this.owner = Thread.currentThread();
		for (Runnable answer = this.answers.poll(); answer != null; answer = this.answers.poll()) {
			answer.run();
		}
		long until = System.nanoTime() + timeout.toNanos();
		while (true) {
			balance();
			fetch();
			ConsumerRecords<K, V> records = super.poll(Duration.ZERO);
			long left = until - System.nanoTime();
			if (!records.isEmpty() || left <= 0) {
				return records;
			}
			synchronized (this.cluster) {
				if (!hasNews()) {
					this.cluster.pause(Math.min(5, left / 1_000_000));
				}
			}
		}
	}

	private boolean hasNews() {
		return !this.byHand && !this.held.equals(this.cluster.target(this));
	}

	private void balance() {
		if (this.byHand) {
			return;
		}
		Set<TopicPartition> wanted = this.cluster.target(this);
		if (wanted.equals(this.held)) {
			return;
		}
		synchronized (this.cluster) {
			this.lost = !this.losing.isEmpty();
		}
		Set<TopicPartition> kept = new HashSet<>(this.held);
		kept.retainAll(wanted);
		if (!kept.equals(this.held)) {
			// First what goes, for somebody else may be waiting for it.
			rebalance(kept);
			this.held = Set.copyOf(kept);
			synchronized (this.cluster) {
				this.losing.clear();
				this.lost = false;
			}
			this.cluster.signal();
		}
		Set<TopicPartition> all = this.cluster.target(this);
		all.addAll(kept);
		if (!all.equals(kept)) {
			all.stream().filter((partition) -> !kept.contains(partition)).forEach(this::begin);
			this.held = Set.copyOf(all);
			rebalance(all);
			this.cluster.signal();
		}
	}

	private void begin(TopicPartition partition) {
		OffsetAndMetadata known = this.cluster.committed(group(), partition);
		// Where there is nothing it is the beginning, whatever the reset policy: a test
		// delivers what it wants handled, before or after the listener has started.
		super.commitAsync(Map.of(partition, (known != null) ? known : new OffsetAndMetadata(0)), null);
	}

	private void fetch() {
		updateEnds(assignment());
		if (this.cluster.isDown()) {
			return;
		}
		int most = this.settings.maxPollRecords();
		Set<TopicPartition> paused = paused();
		for (TopicPartition partition : assignment()) {
			if (paused.contains(partition) || most <= 0) {
				continue;
			}
			for (StoredRecord record : this.cluster.from(partition, position(partition), most)) {
				ConsumerRecord<K, V> read = read(record, most < this.settings.maxPollRecords());
				if (read == null) {
					break;
				}
				addRecord(read);
				most--;
			}
		}
	}

	/** Null when it cannot be read and something else is to be returned first. */
	private @Nullable ConsumerRecord<K, V> read(StoredRecord record, boolean hasOthers) {
		DeserializationExceptionOrigin origin = DeserializationExceptionOrigin.KEY;
		byte[] key = record.keyBytes();
		byte[] value = record.valueBytes();
		RecordHeaders headers = new RecordHeaders(record.headers());
		try {
			K readKey = (key != null) ? this.keys.deserialize(record.topic(), headers, key) : null;
			origin = DeserializationExceptionOrigin.VALUE;
			V readValue = (value != null) ? this.values.deserialize(record.topic(), headers, value) : null;
			return new ConsumerRecord<>(record.topic(), record.partition(), record.offset(), record.timestamp(),
					TimestampType.CREATE_TIME, (key != null) ? key.length : -1, (value != null) ? value.length : -1,
					readKey, readValue, headers, Optional.empty());
		}
		catch (RuntimeException ex) {
			if (hasOthers) {
				return null;
			}
			TopicPartition partition = new TopicPartition(record.topic(), record.partition());
			throw new RecordDeserializationException(origin, partition, record.offset(), record.timestamp(),
					TimestampType.CREATE_TIME, (key != null) ? ByteBuffer.wrap(key) : null,
					(value != null) ? ByteBuffer.wrap(value) : null, headers,
					"Error deserializing " + origin + " for partition " + partition + " at offset " + record.offset(),
					ex);
		}
	}

	private void updateEnds(Collection<TopicPartition> partitions) {
		Map<TopicPartition, Long> ends = new HashMap<>();
		Map<TopicPartition, Long> beginnings = new HashMap<>();
		for (TopicPartition partition : partitions) {
			ends.put(partition, this.cluster.end(partition));
			beginnings.put(partition, 0L);
		}
		super.updateEndOffsets(ends);
		super.updateBeginningOffsets(beginnings);
	}

	@Override
	public synchronized long position(TopicPartition partition) {
		updateEnds(Set.of(partition));
		return super.position(partition);
	}

	private @Nullable RuntimeException refusal(Collection<TopicPartition> partitions) {
		if (this.cluster.isDown()) {
			return new RetriableCommitFailedException("The test has taken the brokers down");
		}
		return (this.lost || !this.held.containsAll(partitions)) ? new CommitFailedException() : null;
	}

	@Override
	public synchronized void commitAsync(Map<TopicPartition, OffsetAndMetadata> offsets,
			@Nullable OffsetCommitCallback callback) {
		RuntimeException refusal = refusal(offsets.keySet());
		this.answers.add(() -> {
			if (refusal == null) {
				this.cluster.commit(group(), offsets);
			}
			if (callback != null) {
				callback.onComplete(offsets, refusal);
			}
		});
	}

	@Override
	public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets) {
		commitSync(offsets, Duration.ofSeconds(5));
	}

	@Override
	public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
		for (Runnable answer = this.answers.poll(); answer != null; answer = this.answers.poll()) {
			answer.run();
		}
		RuntimeException refusal = refusal(offsets.keySet());
		if (refusal != null) {
			throw refusal;
		}
		this.cluster.commit(group(), offsets);
	}

	@Override
	public synchronized Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
		Map<TopicPartition, OffsetAndMetadata> result = new HashMap<>();
		for (TopicPartition partition : partitions) {
			OffsetAndMetadata known = this.cluster.committed(group(), partition);
			if (known != null) {
				result.put(partition, known);
			}
		}
		return result;
	}

	@Override
	public synchronized Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions,
			Duration timeout) {
		return committed(partitions);
	}

	@Override
	public synchronized List<PartitionInfo> partitionsFor(String topic) {
		return this.cluster.describe(topic);
	}

	@Override
	public synchronized Map<String, List<PartitionInfo>> listTopics() {
		Map<String, List<PartitionInfo>> result = new HashMap<>();
		this.cluster.names().forEach((topic) -> result.put(topic, this.cluster.describe(topic)));
		return result;
	}

	@Override
	public synchronized Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> partitions) {
		updateEnds(partitions);
		return super.beginningOffsets(partitions);
	}

	@Override
	public synchronized Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions) {
		updateEnds(partitions);
		return super.endOffsets(partitions);
	}

	@Override
	public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(Map<TopicPartition, Long> times) {
		Map<TopicPartition, OffsetAndTimestamp> result = new HashMap<>();
		times.forEach((partition, time) -> this.cluster.from(partition, 0, Integer.MAX_VALUE)
			.stream()
			.filter((record) -> record.timestamp() >= time)
			.findFirst()
			.ifPresent((record) -> result.put(partition, new OffsetAndTimestamp(record.offset(), record.timestamp()))));
		return result;
	}

	@Override
	public ConsumerGroupMetadata groupMetadata() {
		return new ConsumerGroupMetadata(group(), 1, this.settings.clientId(), Optional.empty());
	}

	@Override
	public void close() {
		close(CloseOptions.timeout(Duration.ofSeconds(5)));
	}

	@Override
	public void close(CloseOptions options) {
		this.cluster.leave(this);
		this.held = Set.of();
		super.close(options);
		this.keys.close();
		this.values.close();
	}

	/**
	 * What it was configured with.
	 *
	 * @param group the group, empty for none
	 * @param clientId its id
	 * @param maxPollRecords the most records of a poll
	 */
	record Settings(String group, String clientId, int maxPollRecords) {
	}

	/** Says of what was lost that it was. */
	private final class Rebalances implements ConsumerRebalanceListener {

		private final ConsumerRebalanceListener delegate;

		Rebalances(ConsumerRebalanceListener delegate) {
			this.delegate = delegate;
		}

		@Override
		public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
			this.delegate.onPartitionsAssigned(partitions);
		}

		@Override
		public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
			if (FakeConsumer.this.lost) {
				this.delegate.onPartitionsLost(partitions);
			}
			else {
				this.delegate.onPartitionsRevoked(partitions);
			}
		}

	}

}
