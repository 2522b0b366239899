package io.evenkeel.kafka.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;

import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.ClusterResource;
import org.apache.kafka.common.ClusterResourceListener;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * A client that writes to the cluster of the test, and fails as Kafka's own does when
 * something is wrong with that. It answers on a thread of its own.
 */
final class FakeProducer<K, V> extends MockProducer<K, V> {

	private static final String FIRST = "not present in metadata after 0 ms.";

	private final FakeCluster cluster;

	private final LongSupplier clock;

	private final Serializer<K> keys;

	private final Serializer<V> values;

	private final AbstractConfig config;

	private final @Nullable Partitioner partitioner;

	/** What the brokers have not answered. */
	private final List<Pending> pending = new ArrayList<>();

	/** What an open transaction has sent. */
	private final List<Runnable> uncommitted = new ArrayList<>();

	private final ExecutorService answers = Executors.newSingleThreadExecutor((task) -> {
		Thread thread = new Thread(task, "test-kafka-producer-network-thread");
		thread.setDaemon(true);
		return thread;
	});

	private boolean transaction;

	FakeProducer(FakeCluster cluster, LongSupplier clock, Map<String, Object> configs, Serializer<K> keys,
			Serializer<V> values) {
		super(true, null, keys, values);
		this.cluster = cluster;
		this.clock = clock;
		this.keys = keys;
		this.values = values;
		Map<String, Object> known = new HashMap<>(configs);
		known.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, keys.getClass());
		known.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, values.getClass());
		this.config = new AbstractConfig(ProducerConfig.configDef(), known, false);
		this.partitioner = (this.config.getClass(ProducerConfig.PARTITIONER_CLASS_CONFIG) != null)
				? this.config.getConfiguredInstance(ProducerConfig.PARTITIONER_CLASS_CONFIG, Partitioner.class) : null;
		cluster.add(this);
		changed();
	}

	/** The cluster has answered: it tells of its state, unless it is down. */
	void changed() {
		later(() -> {
			tell();
			if (!this.cluster.isHolding()) {
				take().forEach((one) -> one.answer(null));
			}
		});
	}

	private void tell() {
		if (this.keys instanceof ClusterResourceListener listener && !this.cluster.isDown()) {
			listener.onUpdate(new ClusterResource("test"));
		}
	}

	private void later(Runnable task) {
		if (!this.answers.isShutdown()) {
			this.answers.execute(task);
		}
	}

	void timePassed() {
		// A cluster that is there has been answering all the while.
		tell();
		List<Pending> expired = new ArrayList<>();
		synchronized (this.pending) {
			long now = this.clock.getAsLong();
			this.pending.removeIf((one) -> {
				boolean over = now - one.deadline >= 0;
				if (over) {
					expired.add(one);
				}
				return over;
			});
		}
		expired.forEach((one) -> later(() -> one.answer(new TimeoutException(
				"Expiring 1 record(s) for " + one.record.topic() + ": delivery.timeout.ms has passed"))));
	}

	private List<Pending> take() {
		synchronized (this.pending) {
			List<Pending> taken = List.copyOf(this.pending);
			this.pending.clear();
			return taken;
		}
	}

	@Override
	public List<PartitionInfo> partitionsFor(String topic) {
		if (this.cluster.isDown()) {
			throw new TimeoutException("Topic " + topic + " " + FIRST);
		}
		List<PartitionInfo> known = this.cluster.describe(topic);
		if (known.isEmpty()) {
			// What a real client is told a moment later.
			changed();
			throw new TimeoutException("Topic " + topic + " " + FIRST,
					new UnknownTopicOrPartitionException("This server does not host this topic-partition."));
		}
		return known;
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record) {
		return send(record, null);
	}

	@Override
	public synchronized Future<RecordMetadata> send(ProducerRecord<K, V> record, @Nullable Callback callback) {
		RuntimeException refusal = null;
		if (this.cluster.isMissing(record.topic())) {
			refusal = new TimeoutException("Topic " + record.topic() + " " + FIRST);
		}
		else if (this.cluster.isFull()) {
			refusal = new BufferExhaustedException("The test has used up the client's buffer.memory");
		}
		if (refusal != null) {
			return refused(refusal, record, callback);
		}
		RecordHeaders headers = new RecordHeaders(record.headers());
		byte[] key = this.keys.serialize(record.topic(), headers, record.key());
		byte[] value = this.values.serialize(record.topic(), headers, record.value());
		int size = ((key != null) ? key.length : 0) + ((value != null) ? value.length : 0);
		if (size > this.config.getInt(ProducerConfig.MAX_REQUEST_SIZE_CONFIG)) {
			return refused(new RecordTooLargeException("The message is " + size + " bytes when serialized"), record,
					callback);
		}
		int partition = partition(record, key, value);
		Pending send = new Pending(record, partition, key, value, headers, callback, this.clock.getAsLong()
				+ Duration.ofMillis(this.config.getInt(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG)).toNanos());
		if (this.transaction) {
			this.uncommitted.add(send::store);
			later(() -> send.told(new RecordMetadata(send.target(), -1, 0, 0, 0, 0), null));
		}
		else if (this.cluster.isHolding()) {
			synchronized (this.pending) {
				this.pending.add(send);
			}
		}
		else {
			later(() -> send.answer(null));
		}
		return send.future;
	}

	private Future<RecordMetadata> refused(RuntimeException refusal, ProducerRecord<K, V> record,
			@Nullable Callback callback) {
		if (callback != null) {
			TopicPartition nowhere = new TopicPartition(record.topic(), -1);
			callback.onCompletion(new RecordMetadata(nowhere, -1, -1, -1, -1, -1), refusal);
		}
		return CompletableFuture.failedFuture(refusal);
	}

	private int partition(ProducerRecord<K, V> record, byte @Nullable [] key, byte @Nullable [] value) {
		Integer wanted = record.partition();
		if (wanted != null) {
			return wanted;
		}
		if (this.partitioner != null) {
			List<PartitionInfo> partitions = this.cluster.describe(record.topic());
			Cluster known = new Cluster("test", List.of(partitions.get(0).leader()), partitions, java.util.Set.of(),
					java.util.Set.of());
			return this.partitioner.partition(record.topic(), record.key(), key, record.value(), value, known);
		}
		return this.cluster.choosePartition(record.topic(), key);
	}

	@Override
	public void beginTransaction() {
		super.beginTransaction();
		this.uncommitted.clear();
		this.transaction = true;
	}

	@Override
	public void sendOffsetsToTransaction(Map<TopicPartition, OffsetAndMetadata> offsets,
			ConsumerGroupMetadata groupMetadata) {
		super.sendOffsetsToTransaction(offsets, groupMetadata);
		this.uncommitted.add(() -> this.cluster.commit(groupMetadata.groupId(), offsets));
	}

	@Override
	public void commitTransaction() {
		if (this.cluster.isDown()) {
			throw new TimeoutException("Timeout expired while committing the transaction: the brokers are down");
		}
		super.commitTransaction();
		this.transaction = false;
		this.uncommitted.forEach(Runnable::run);
		this.uncommitted.clear();
	}

	@Override
	public void abortTransaction() {
		super.abortTransaction();
		this.transaction = false;
		this.uncommitted.clear();
	}

	@Override
	public synchronized void flush() {
		// Nothing lingers; what the brokers do not answer is bounded by its deadline.
	}

	@Override
	public Map<MetricName, Metric> metrics() {
		Map<MetricName, Metric> metrics = new HashMap<>();
		long all = this.config.getLong(ProducerConfig.BUFFER_MEMORY_CONFIG);
		add(metrics, "buffer-total-bytes", () -> all);
		add(metrics, "buffer-available-bytes", () -> this.cluster.isFull() ? 0 : all);
		return metrics;
	}

	private void add(Map<MetricName, Metric> metrics, String name, LongSupplier value) {
		String id = this.config.getString(ProducerConfig.CLIENT_ID_CONFIG);
		MetricName metricName = new MetricName(name, "producer-metrics", "", Map.of("client-id", id));
		metrics.put(metricName, new Metric() {

			@Override
			public MetricName metricName() {
				return metricName;
			}

			@Override
			public Object metricValue() {
				return (double) value.getAsLong();
			}

		});
	}

	@Override
	public void close() {
		close(Duration.ZERO);
	}

	@Override
	public void close(Duration timeout) {
		super.close(timeout);
		this.cluster.remove(this);
		take().forEach((one) -> later(() -> one.answer(new TimeoutException("The client was closed"))));
		this.answers.shutdown();
	}

	private final class Pending {

		private final ProducerRecord<K, V> record;

		private final int partition;

		private final byte @Nullable [] key;

		private final byte @Nullable [] value;

		private final RecordHeaders headers;

		private final @Nullable Callback callback;

		private final long deadline;

		private final CompletableFuture<RecordMetadata> future = new CompletableFuture<>();

		Pending(ProducerRecord<K, V> record, int partition, byte @Nullable [] key, byte @Nullable [] value,
				RecordHeaders headers, @Nullable Callback callback, long deadline) {
			this.record = record;
			this.partition = partition;
			this.key = (key != null) ? Arrays.copyOf(key, key.length) : null;
			this.value = (value != null) ? Arrays.copyOf(value, value.length) : null;
			this.headers = headers;
			this.callback = callback;
			this.deadline = deadline;
		}

		TopicPartition target() {
			return new TopicPartition(this.record.topic(), this.partition);
		}

		StoredRecord store() {
			return FakeProducer.this.cluster.append(this.record.topic(), this.partition, this.record.timestamp(),
					this.key, this.value, this.headers);
		}

		void answer(@Nullable RuntimeException failure) {
			if (failure != null) {
				told(new RecordMetadata(target(), -1, -1, -1, -1, -1), failure);
				return;
			}
			StoredRecord stored = store();
			told(new RecordMetadata(target(), stored.offset(), 0, stored.timestamp(),
					(this.key != null) ? this.key.length : -1, (this.value != null) ? this.value.length : -1), null);
		}

		void told(RecordMetadata metadata, @Nullable RuntimeException failure) {
			if (this.callback != null) {
				this.callback.onCompletion(metadata, failure);
			}
			if (failure != null) {
				this.future.completeExceptionally(failure);
			}
			else {
				this.future.complete(metadata);
			}
		}

	}

}
