package io.evenkeel.kafka.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * A cluster without brokers, and a clock that stands still until the test lets time pass.
 * The application's listeners and templates run on it as they are:
 *
 * <pre>{@code
 * Delivery order = kafka.deliver("orders", "customer-1", new Order("book", 2));
 * order.awaitFailure();
 * kafka.advance(Duration.ofSeconds(1));
 * order.awaitSuccess().awaitCommitted();
 * }</pre>
 * <p>
 * It is empty, healthy and has all its listeners running before each test. Any thread.
 */
public final class TestKafka {

	private final FakeCluster cluster = new FakeCluster();

	private final ManualClock clock = new ManualClock();

	private final Map<String, CallLog> logs = new ConcurrentHashMap<>();

	private final List<Thread> waiting = new ArrayList<>();

	private volatile @Nullable KafkaListenerEndpointRegistry registry;

	private volatile @Nullable Serialization serialization;

	TestKafka() {
	}

	// records

	/**
	 * Write a record without a key, and let the listeners have it.
	 * @param topic the topic, made with one partition when there is none
	 * @param value bytes and text are written as they are, other objects as the
	 * application would, or as JSON
	 * @return what becomes of it
	 */
	public Delivery deliver(String topic, @Nullable Object value) {
		return deliver(new ProducerRecord<>(topic, value));
	}

	/**
	 * Write a record, and let the listeners have it.
	 * @param topic the topic, made with one partition when there is none
	 * @param key the key; records of one key go to one partition
	 * @param value the value
	 * @return what becomes of it
	 */
	public Delivery deliver(String topic, @Nullable Object key, @Nullable Object value) {
		return deliver(new ProducerRecord<>(topic, key, value));
	}

	/**
	 * Write a record with headers, a partition or a timestamp, and let the listeners have
	 * it.
	 * @param record the record
	 * @return what becomes of it
	 */
	public Delivery deliver(ProducerRecord<?, ?> record) {
		RecordHeaders headers = new RecordHeaders(record.headers());
		Serialization known = this.serialization;
		if (known == null) {
			throw new IllegalStateException("The application has not started");
		}
		byte[] key = known.bytes(record.topic(), headers, record.key(), true);
		byte[] value = known.bytes(record.topic(), headers, record.value(), false);
		Integer wanted = record.partition();
		int partition = (wanted != null) ? wanted : this.cluster.choosePartition(record.topic(), key);
		StoredRecord stored = this.cluster.append(record.topic(), partition, record.timestamp(), key, value, headers);
		return new Delivery(this, this.cluster, stored, null);
	}

	/**
	 * Everything in a topic, whoever wrote it.
	 * @param topic the topic
	 * @return by partition, then by offset
	 */
	public List<StoredRecord> records(String topic) {
		return this.cluster.records(topic);
	}

	/**
	 * Wait until there are so many records in a topic.
	 * @param topic the topic
	 * @param count at least 1
	 * @return all of them
	 */
	public List<StoredRecord> awaitRecords(String topic, int count) {
		this.cluster.await(() -> "Waited in vain for " + count + " record(s) in topic '" + topic + "'; there are "
				+ records(topic).size(), () -> records(topic).size() >= count);
		return records(topic);
	}

	/**
	 * The calls of all listeners so far.
	 * @return in the order in which they began, for each listener
	 */
	public List<Call> calls() {
		return this.logs.values().stream().flatMap((log) -> log.calls().stream()).toList();
	}

	/**
	 * The calls of one listener so far.
	 * @param listenerId the id of a {@code @KafkaListener}
	 * @return in the order in which they began
	 */
	public List<Call> calls(String listenerId) {
		return log(listenerId).calls();
	}

	/**
	 * Where the one group that reads a topic has committed.
	 * @param topic the topic
	 * @param partition the partition, from 0
	 * @return the offset to go on at; empty before the first commit
	 */
	public OptionalLong committed(String topic, int partition) {
		Set<String> groups = this.cluster.groupsOf(topic);
		if (groups.size() != 1) {
			throw new IllegalArgumentException(
					"Topic '" + topic + "' is read by " + groups.size() + " groups: " + groups + "; say which one");
		}
		return committed(groups.iterator().next(), topic, partition);
	}

	/**
	 * Where a group has committed.
	 * @param groupId the group
	 * @param topic the topic
	 * @param partition the partition, from 0
	 * @return the offset to go on at; empty before the first commit
	 */
	public OptionalLong committed(String groupId, String topic, int partition) {
		OffsetAndMetadata known = this.cluster.committed(groupId, new TopicPartition(topic, partition));
		return (known != null) ? OptionalLong.of(known.offset()) : OptionalLong.empty();
	}

	/**
	 * How many partitions a topic has; one unless this or a {@code NewTopic} bean says
	 * otherwise. Listeners get them at once.
	 * @param name the topic
	 * @param partitions at least 1; a topic never shrinks
	 */
	public void topic(String name, int partitions) {
		this.cluster.declare(name, partitions);
		awaitAssignment();
	}

	// time

	/**
	 * Let time pass: for waits between attempts, drains, and the limits of sends.
	 * @param time how much
	 */
	public void advance(Duration time) {
		this.clock.advance(time);
		this.cluster.timePassed();
		synchronized (this.waiting) {
			this.waiting.removeIf((thread) -> thread.getState() == Thread.State.TERMINATED);
			this.waiting.forEach(java.util.concurrent.locks.LockSupport::unpark);
		}
	}

	// rebalances and the life of listeners

	/**
	 * Let another member of the group take partitions over, as in a rebalance.
	 * @param topic the topic
	 * @param partitions which ones; all when none is named
	 * @return wait for it, or go on meanwhile
	 */
	public Handover revoke(String topic, int... partitions) {
		return takeAway(topic, partitions, false);
	}

	/**
	 * Let partitions be lost, as when a member was evicted: nothing of them can be
	 * committed any more.
	 * @param topic the topic
	 * @param partitions which ones; all when none is named
	 * @return wait for it, or go on meanwhile
	 */
	public Handover lose(String topic, int... partitions) {
		return takeAway(topic, partitions, true);
	}

	private Handover takeAway(String topic, int[] partitions, boolean lost) {
		Set<TopicPartition> which = new LinkedHashSet<>();
		for (int partition : partitions) {
			which.add(new TopicPartition(topic, partition));
		}
		for (int i = 0; partitions.length == 0 && i < this.cluster.partitions(topic); i++) {
			which.add(new TopicPartition(topic, i));
		}
		this.cluster.takeAway(which, lost);
		return new Handover(this.cluster, which);
	}

	/**
	 * Let the listeners have all partitions again, and wait until they do.
	 */
	public void giveBack() {
		this.cluster.giveBack();
		awaitAssignment();
	}

	/**
	 * Wait until each listener that runs has its partitions.
	 */
	public void awaitAssignment() {
		this.cluster.await("the listeners to get their partitions", this.cluster::isBalanced);
	}

	/**
	 * Stop a listener as the end of the application does: what is in progress ends, and
	 * is committed. Meanwhile time runs as the machine's does.
	 * @param listenerId the id of a {@code @KafkaListener}
	 */
	public void stop(String listenerId) {
		this.clock.run();
		try {
			container(listenerId).stop();
			this.cluster.await("listener '" + listenerId + "' to stop", () -> !container(listenerId).isRunning());
		}
		finally {
			this.clock.stand();
		}
	}

	/**
	 * Start a listener that was stopped, and wait until it has its partitions.
	 * @param listenerId the id of a {@code @KafkaListener}
	 */
	public void start(String listenerId) {
		container(listenerId).start();
		awaitAssignment();
	}

	private MessageListenerContainer container(String listenerId) {
		KafkaListenerEndpointRegistry known = this.registry;
		MessageListenerContainer container = (known != null) ? known.getListenerContainer(listenerId) : null;
		if (container == null) {
			throw new IllegalArgumentException("There is no listener '" + listenerId + "'; there are "
					+ ((known != null) ? known.getListenerContainerIds() : Set.of()));
		}
		return container;
	}

	// what is wrong

	/**
	 * No broker can be reached: sends wait, what is on its way is not answered, listeners
	 * get nothing and cannot commit.
	 */
	public void brokersDown() {
		this.cluster.setDown(true);
	}

	/**
	 * The brokers can be reached again.
	 */
	public void brokersUp() {
		this.cluster.setDown(false);
	}

	/**
	 * The brokers know no such topic.
	 * @param topic the topic
	 */
	public void topicMissing(String topic) {
		this.cluster.setMissing(topic, true);
	}

	/**
	 * Somebody has made the topic.
	 * @param topic the topic
	 */
	public void topicCreated(String topic) {
		this.cluster.setMissing(topic, false);
	}

	/**
	 * The brokers take records and do not acknowledge them, until {@link #brokersFast()}.
	 */
	public void brokersSlow() {
		this.cluster.setHolding(true);
	}

	/**
	 * The brokers acknowledge what they have, and what comes.
	 */
	public void brokersFast() {
		this.cluster.setHolding(false);
	}

	/**
	 * The client's memory is used up: no send finds room.
	 */
	public void bufferFull() {
		this.cluster.setFull(true);
	}

	/**
	 * There is room again.
	 */
	public void bufferFree() {
		this.cluster.setFull(false);
	}

	// inside the kit

	FakeCluster cluster() {
		return this.cluster;
	}

	ManualClock clock() {
		return this.clock;
	}

	/** A thread that waits for time to pass. */
	Thread watched(Thread thread) {
		synchronized (this.waiting) {
			this.waiting.add(thread);
		}
		return thread;
	}

	/** The application is complete, and its listeners have not started. */
	void ready(@Nullable KafkaListenerEndpointRegistry listeners, Serialization known) {
		this.registry = listeners;
		this.serialization = known;
		if (listeners != null) {
			listeners.getAllListenerContainers().forEach(this::watch);
		}
	}

	private void watch(MessageListenerContainer container) {
		if (container instanceof AbstractMessageListenerContainer<?, ?> known) {
			watch(known);
		}
	}

	private <K, V> void watch(AbstractMessageListenerContainer<K, V> container) {
		CallLog log = new CallLog(container.getListenerId(), container.getGroupId(), this.cluster, this.clock);
		this.logs.put(container.getListenerId(), log);
		container.setRecordInterceptor(log.around(container.getRecordInterceptor()));
		container.setBatchInterceptor(log.around(container.getBatchInterceptor()));
	}

	private CallLog log(String listenerId) {
		CallLog log = this.logs.get(listenerId);
		if (log == null) {
			throw new IllegalArgumentException(
					"There is no listener '" + listenerId + "'; there are " + this.logs.keySet());
		}
		return log;
	}

	CallLog log(String topic, @Nullable String listenerId) {
		if (listenerId != null) {
			return log(listenerId);
		}
		KafkaListenerEndpointRegistry known = this.registry;
		Collection<MessageListenerContainer> all = (known != null) ? known.getAllListenerContainers() : List.of();
		List<String> readers = all.stream()
			.filter((container) -> reads(container, topic))
			.map(MessageListenerContainer::getListenerId)
			.toList();
		if (readers.size() != 1) {
			throw new AssertionError(readers.isEmpty()
					? "No listener reads topic '" + topic + "'; there are " + this.logs.keySet() : "Topic '" + topic
							+ "' is read by " + readers + ": say which one with to(\"" + readers.get(0) + "\")");
		}
		return log(readers.get(0));
	}

	private static boolean reads(MessageListenerContainer container, String topic) {
		var properties = container.getContainerProperties();
		String[] topics = properties.getTopics();
		var pattern = properties.getTopicPattern();
		var partitions = properties.getTopicPartitions();
		return (topics != null && List.of(topics).contains(topic))
				|| (pattern != null && pattern.matcher(topic).matches()) || (partitions != null
						&& List.of(partitions).stream().anyMatch((partition) -> partition.getTopic().equals(topic)));
	}

	/** Everything is as in the beginning. */
	void reset() {
		KafkaListenerEndpointRegistry known = this.registry;
		this.clock.stand();
		this.cluster.reset();
		this.logs.values().forEach(CallLog::clear);
		if (known != null && known.isRunning()) {
			known.getAllListenerContainers()
				.stream()
				.filter((container) -> container.isAutoStartup() && !container.isRunning())
				.forEach(MessageListenerContainer::start);
		}
		awaitAssignment();
	}

}
