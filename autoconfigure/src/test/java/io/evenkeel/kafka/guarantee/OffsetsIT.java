package io.evenkeel.kafka.guarantee;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.engine.StopCause;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.PartitionOffset;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Logs with gaps, logs whose begin moves, topics that change: what is committed reaches
 * the end, and nothing that exists is skipped (G1, G2).
 */
class OffsetsIT {

	private static final String[] ONE_BATCH_EACH = { "max.partition.fetch.bytes=1", "fetch.max.bytes=1",
			"max.poll.records=5" };

	private final Queue<String> handled = new ConcurrentLinkedQueue<>();

	private final Member.Handler collect = (name, record) -> this.handled.add(String.valueOf(record.value()));

	@Test
	@Execution(ExecutionMode.CONCURRENT)
	void gapsOfACompactedTopic() {
		String topic = EmbeddedBroker.unique("compacted");
		EmbeddedBroker.createTopic(topic, 1, Map.of("cleanup.policy", "compact", "segment.ms", "100",
				"min.cleanable.dirty.ratio", "0.01", "min.compaction.lag.ms", "0", "delete.retention.ms", "100"));
		for (int i = 0; i < 5; i++) {
			Load.send(topic, 200, 20);
			long until = System.nanoTime() + Duration.ofMillis(150).toNanos();
			await().until(() -> System.nanoTime() > until);
		}
		await().atMost(ofSeconds(30)).pollInterval(Duration.ofMillis(500)).until(() -> readable(topic).size() < 500);
		Set<Long> before = readable(topic);
		Queue<Long> offsets = new ConcurrentLinkedQueue<>();
		try (Member member = Member.of(GroupProtocol.CONSUMER, topic)
			.with("evenkeel.kafka.consumer.ordering=key", "evenkeel.kafka.consumer.concurrency=4")
			.handler((name, record) -> offsets.add(record.offset()))
			.start()) {
			awaitCommittedToTheEnd(topic, 1);
			// The cleaner goes on meanwhile: whatever it has left since is handled, once,
			// and nothing that was gone before.
			assertThat(offsets).containsAll(readable(topic)).isSubsetOf(before).doesNotHaveDuplicates();
		}
	}

	private static Set<Long> readable(String topic) {
		Map<String, Object> config = Map.of("bootstrap.servers", EmbeddedBroker.bootstrapServers(), "group.id",
				"reader-" + topic, "auto.offset.reset", "earliest", "enable.auto.commit", false);
		var text = new org.apache.kafka.common.serialization.StringDeserializer();
		TopicPartition partition = new TopicPartition(topic, 0);
		try (var consumer = new org.apache.kafka.clients.consumer.KafkaConsumer<>(config, text, text)) {
			consumer.assign(List.of(partition));
			long end = consumer.endOffsets(List.of(partition)).get(partition);
			Set<Long> offsets = new HashSet<>();
			while (consumer.position(partition) < end) {
				consumer.poll(Duration.ofMillis(200)).forEach((record) -> offsets.add(record.offset()));
			}
			return offsets;
		}
	}

	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void transactionsCommittedAndAborted(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("transactions", 1);
		try (KafkaProducer<String, String> producer = transactional(topic);
				Member member = Member.of(protocol, topic)
					.with("spring.kafka.consumer.isolation-level=read_committed",
							"evenkeel.kafka.consumer.ordering=key", "evenkeel.kafka.consumer.concurrency=4")
					.handler(this.collect)
					.start()
					.awaitAssigned(1)) {
			transaction(producer, topic, "a", true);
			transaction(producer, topic, "b", false);
			transaction(producer, topic, "c", true);
			await().atMost(ofSeconds(10)).until(() -> this.handled.size() == 10);
			awaitCommittedToTheEnd(topic, 1);
			transaction(producer, topic, "d", false);
			awaitCommittedToTheEnd(topic, 1);
			assertThat(this.handled).hasSize(10).allMatch((value) -> value.matches("[ac]\\d"));
		}
	}

	private static KafkaProducer<String, String> transactional(String topic) {
		KafkaProducer<String, String> producer = new KafkaProducer<>(
				Map.of("bootstrap.servers", EmbeddedBroker.bootstrapServers(), "transactional.id", topic),
				new StringSerializer(), new StringSerializer());
		producer.initTransactions();
		return producer;
	}

	private static void transaction(KafkaProducer<String, String> producer, String topic, String name, boolean commit) {
		producer.beginTransaction();
		for (int i = 0; i < 5; i++) {
			producer.send(new ProducerRecord<>(topic, "key-" + i, name + i));
		}
		if (commit) {
			producer.commitTransaction();
		}
		else {
			producer.flush();
			producer.abortTransaction();
		}
	}

	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@ValueSource(strings = { "earliest", "latest" })
	void theLogStartsBeyondThePosition(String reset) throws Exception {
		String topic = EmbeddedBroker.topic("retention", 1);
		CountDownLatch release = new CountDownLatch(1);
		CountDownLatch begun = new CountDownLatch(1);
		commit(topic, 0);
		sendOneByOne(topic, 0, 100);
		try (Member member = slow(topic, begun, release).with("spring.kafka.consumer.auto-offset-reset=" + reset)
			.start()) {
			assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
			deleteBefore(topic, 80);
			release.countDown();
			awaitCommittedToTheEnd(topic, 1);
			sendOneByOne(topic, 100, 110);
			await().atMost(ofSeconds(20)).until(() -> this.handled.contains("109"));
			assertThat(this.handled).contains("0", "100", "105").doesNotContain("70").doesNotHaveDuplicates();
			if (reset.equals("earliest")) {
				assertThat(this.handled).contains("80", "85", "90", "99");
			}
			awaitCommittedToTheEnd(topic, 1);
		}
	}

	@Test
	@Execution(ExecutionMode.CONCURRENT)
	void theLogStartsBeyondThePositionAndTheUserWantsNoReset() throws Exception {
		String topic = EmbeddedBroker.topic("retention", 1);
		CountDownLatch release = new CountDownLatch(1);
		CountDownLatch begun = new CountDownLatch(1);
		commit(topic, 0);
		sendOneByOne(topic, 0, 100);
		try (Member member = slow(topic, begun, release).with("spring.kafka.consumer.auto-offset-reset=none").start()) {
			assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
			deleteBefore(topic, 80);
			release.countDown();
			await().atMost(ofSeconds(20)).until(() -> member.evenkeel().failure() != null);
			assertThat(member.evenkeel().failure().cause()).isEqualTo(StopCause.NO_OFFSET);
			assertThat(Group.committed(topic).get(new TopicPartition(topic, 0))).as("only what was handled")
				.isLessThanOrEqualTo(this.handled.size());
		}
	}

	/** Holds its first record until it is told to go on; fetches little at a time. */
	private Member.Builder slow(String topic, CountDownLatch begun, CountDownLatch release) {
		return Member.of(GroupProtocol.COOPERATIVE, topic)
			.client(ONE_BATCH_EACH)
			.with("evenkeel.kafka.consumer.max-pending-records=5", "evenkeel.kafka.consumer.rebalance.drain-timeout=1s")
			.handler((name, record) -> {
				begun.countDown();
				release.await();
				this.collect.handle(name, record);
			});
	}

	private static void commit(String group, long offset) throws ExecutionException, InterruptedException {
		try (Admin admin = EmbeddedBroker.admin()) {
			admin
				.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(group, 0),
						new org.apache.kafka.clients.consumer.OffsetAndMetadata(offset)))
				.all()
				.get();
		}
	}

	private static void sendOneByOne(String topic, int from, int to) {
		try (KafkaProducer<String, String> producer = Load.producer()) {
			for (int i = from; i < to; i++) {
				producer.send(new ProducerRecord<>(topic, "key-" + i, String.valueOf(i)));
				producer.flush();
			}
		}
	}

	private static void deleteBefore(String topic, long offset) throws ExecutionException, InterruptedException {
		try (Admin admin = EmbeddedBroker.admin()) {
			admin.deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(offset))).all().get();
		}
	}

	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void aTopicIsDeletedAndMadeAgain(GroupProtocol protocol) throws Exception {
		String topic = EmbeddedBroker.topic("again", 2);
		try (Member member = Member.of(protocol, topic)
			.client("metadata.max.age.ms=500")
			.handler(this.collect)
			.start()
			.awaitAssigned(2); Admin admin = EmbeddedBroker.admin()) {
			Load.send(topic, 100, 20);
			await().atMost(ofSeconds(10)).until(() -> this.handled.size() == 100);
			awaitCommittedToTheEnd(topic, 2);
			admin.deleteTopics(Set.of(topic)).all().get();
			await().atMost(ofSeconds(20)).until(() -> member.assigned().isEmpty());
			EmbeddedBroker.createTopic(topic, 2, Map.of());
			member.awaitAssigned(2);
			this.handled.clear();
			Load.send(topic, 10, 10);
			await().atMost(ofSeconds(20)).until(() -> this.handled.size() == 10);
			awaitCommittedToTheEnd(topic, 2);
		}
	}

	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void partitionsAreAdded(GroupProtocol protocol) throws Exception {
		String topic = EmbeddedBroker.topic("growing", 2);
		try (Member member = Member.of(protocol, topic)
			.client("metadata.max.age.ms=500")
			.handler(this.collect)
			.start()
			.awaitAssigned(2); Admin admin = EmbeddedBroker.admin()) {
			Load.send(topic, 50, 20);
			admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
			Load.send(topic, 200, 100);
			member.awaitAssigned(5);
			await().atMost(ofSeconds(20)).until(() -> this.handled.size() == 250);
			awaitCommittedToTheEnd(topic, 5);
		}
	}

	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void aPatternFindsANewTopic(GroupProtocol protocol) {
		String first = EmbeddedBroker.topic("pattern", 1);
		try (Member member = Member.of(protocol, first)
			.application(PatternApplication.class)
			.client("metadata.max.age.ms=500")
			.handler(this.collect)
			.start()
			.awaitAssigned(1)) {
			EmbeddedBroker.createTopic(first + "-new", 2, Map.of());
			Load.send(first + "-new", 30, 10);
			Load.send(first, 10, 10);
			member.awaitAssigned(3);
			await().atMost(ofSeconds(10)).until(() -> this.handled.size() == 40);
		}
	}

	@Test
	@Execution(ExecutionMode.CONCURRENT)
	void partitionsAssignedByHandWithInitialOffsets() {
		String topic = EmbeddedBroker.topic("byhand", 3);
		try (KafkaProducer<String, String> producer = Load.producer()) {
			for (int i = 0; i < 30; i++) {
				producer.send(new ProducerRecord<>(topic, i % 3, "key", i % 3 + ":" + i / 3));
			}
		}
		try (Member member = Member.of(GroupProtocol.RANGE, topic)
			.application(ByHandApplication.class)
			.handler(this.collect)
			.start()) {
			await().atMost(ofSeconds(10)).until(() -> this.handled.size() == 10 + 3 + 2);
			assertThat(this.handled).contains("0:0", "1:7", "1:9", "2:8", "2:9").doesNotContain("1:6", "2:7");
			await().atMost(ofSeconds(10)).until(() -> Group.committed(topic).equals(Group.ends(topic, 3)));
		}
	}

	/**
	 * An initial offset is for the first consumer, but also for the second when the first
	 * one failed before it could commit.
	 */
	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@ValueSource(strings = { "earliest", "latest" })
	void partitionsAssignedByHandAfterAnErrorBeforeTheFirstCommit(String reset) {
		String topic = EmbeddedBroker.topic("byhand", 3);
		SelfHealingIT.Failing.ARMED.add(topic);
		try (KafkaProducer<String, String> producer = Load.producer()) {
			for (int i = 0; i < 30; i++) {
				producer.send(new ProducerRecord<>(topic, i % 3, "key", String.valueOf(i)));
			}
		}
		try (Member member = Member.of(GroupProtocol.RANGE, topic)
			.application(ByHandApplication.class)
			.with("spring.kafka.consumer.auto-offset-reset=" + reset,
					"spring.kafka.consumer.properties.interceptor.classes="
							+ SelfHealingIT.FailingInterceptor.class.getName(),
					"evenkeel.kafka.consumer.restart.initial-interval=100ms")
			.handler(this.collect)
			.start()) {
			awaitCommittedToTheEnd(topic, 3);
			assertThat(this.handled).hasSize(10 + 3 + 2);
			assertThat(member.count("evenkeel.consumer.resets", "cause", "error")).isEqualTo(3);
		}
	}

	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void oneOfTwoTopicsIsDeleted(GroupProtocol protocol) throws Exception {
		String stays = EmbeddedBroker.topic("stays", 2);
		String goes = EmbeddedBroker.topic("goes", 2);
		Ledger ledger = new Ledger("partition", 1);
		try (Member member = Member.of(protocol, stays + "," + goes)
			.with("spring.kafka.consumer.group-id=" + stays)
			.client("metadata.max.age.ms=500")
			.handler(ledger)
			.start()
			.awaitAssigned(4); Admin admin = EmbeddedBroker.admin(); Load load = Load.start(stays, 100, 20)) {
			Load.send(goes, 100, 20);
			await().atMost(ofSeconds(10)).until(() -> ledger.handled() > 150);
			admin.deleteTopics(Set.of(goes)).all().get();
			member.awaitAssigned(2);
			int before = ledger.handled();
			await().atMost(ofSeconds(20)).until(() -> ledger.handled() > before + 20);
			load.close();
			await().atMost(ofSeconds(20)).until(() -> ledger.lost(load.sent()).isEmpty());
			awaitCommittedToTheEnd(stays, 2);
			assertThat(ledger.duplicates()).isEmpty();
			assertThat(ledger.violations()).isEmpty();
			assertThat(member.count("evenkeel.consumer.resets", "cause", "error")).isZero();
		}
	}

	/**
	 * What the first owner would have read from "the latest offset" on must not be
	 * skipped because its next owner looks for the latest offset later.
	 */
	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void latestWithoutACommittedOffsetAndARebalanceBeforeTheFirstCommit(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("latest", 4);
		AtomicBoolean armed = new AtomicBoolean(true);
		Set<Integer> sent = ConcurrentHashMap.newKeySet();
		ConsumerAwareRebalanceListener sendsMeanwhile = new ConsumerAwareRebalanceListener() {

			@Override
			public void onPartitionsRevokedBeforeCommit(Consumer<?, ?> consumer,
					Collection<TopicPartition> partitions) {
				if (!partitions.isEmpty() && armed.getAndSet(false)) {
					try (KafkaProducer<String, String> producer = Load.producer()) {
						partitions.forEach((partition) -> {
							producer.send(new ProducerRecord<>(topic, partition.partition(), "key", "missed"));
							sent.add(partition.partition());
						});
					}
				}
			}

		};
		Member.Builder builder = Member.of(protocol, topic)
			.with("spring.kafka.consumer.auto-offset-reset=latest", "evenkeel.kafka.consumer.commit.interval=60s")
			.bean("rebalanceListener", sendsMeanwhile)
			.handler(this.collect);
		try (Member first = builder.start().awaitAssigned(4)) {
			await().atMost(ofSeconds(10)).until(() -> positions(first).stream().allMatch((position) -> position >= 0));
			try (Member second = builder.start().awaitAssigned(2)) {
				await().atMost(ofSeconds(10)).until(() -> this.handled.size() >= sent.size());
				assertThat(sent).isNotEmpty();
				assertThat(this.handled).hasSameSizeAs(sent);
			}
		}
	}

	private static List<Long> positions(Member member) {
		return member.evenkeel().snapshot().partitions().stream().map((partition) -> partition.position()).toList();
	}

	private static void awaitCommittedToTheEnd(String topic, int partitions) {
		// The end is looked up anew: the marker of a transaction may come after its end.
		await().atMost(ofSeconds(20)).untilAsserted(() -> {
			Map<TopicPartition, Long> ends = new HashMap<>(Group.ends(topic, partitions));
			ends.values().removeIf((end) -> end == 0);
			assertThat(Group.committed(topic)).containsAllEntriesOf(ends);
		});
	}

	/** Listens to whatever begins with a name. */
	@Configuration(proxyBeanMethods = false)
	static class PatternApplication extends Member.Base {

		private final Member.RecordHandler handler;

		PatternApplication(Member.RecordHandler handler) {
			this.handler = handler;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topicPattern = "${test.topic}.*")
		void listen(ConsumerRecord<Object, Object> record) throws Exception {
			this.handler.handle(record);
		}

	}

	/** Listens to partitions of its own choice. */
	@Configuration(proxyBeanMethods = false)
	static class ByHandApplication extends Member.Base {

		private final Member.RecordHandler handler;

		ByHandApplication(Member.RecordHandler handler) {
			this.handler = handler;
		}

		@KafkaListener(id = "listener", idIsGroup = false,
				topicPartitions = @org.springframework.kafka.annotation.TopicPartition(topic = "${test.topic}",
						partitionOffsets = {
								@PartitionOffset(partition = "0", initialOffset = "0", seekPosition = "BEGINNING"),
								@PartitionOffset(partition = "1", initialOffset = "7"),
								@PartitionOffset(partition = "2", initialOffset = "-2") }))
		void listen(ConsumerRecord<Object, Object> record) throws Exception {
			this.handler.handle(record);
		}

	}

}
