package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Consumer;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.kafka.core.KafkaOperations;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.SendResult;
import org.springframework.kafka.transaction.KafkaTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.transaction.support.TransactionTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * All or nothing: a transaction with a send that failed is not committed, however it
 * failed and whoever has opened the transaction.
 */
class TransactionsOnBothIT {

	private static final Duration LIMIT = Duration.ofSeconds(2);

	private final Database database = new Database();

	/** The first transaction of a broker makes its log, which takes its time. */
	@BeforeAll
	static void makeLog() {
		try (TemplateRig rig = new TemplateRig(Templates.STOCK).transactional()) {
			String topic = rig.topic(1);
			rig.template().executeInTransaction((operations) -> operations.send(topic, "k", "v"));
		}
	}

	@ParameterizedTest
	@EnumSource(Templates.class)
	void aSendToAMissingTopicThrowsAndNothingIsCommitted(Templates which) {
		try (TemplateRig rig = rig(which)) {
			String topic = rig.topic(1);
			Throwable thrown = catchThrowable(() -> rig.template().executeInTransaction((operations) -> {
				operations.send(topic, "k", "good");
				return operations.send("no-such-topic", "k", "v");
			}));
			assertSendFailed(which, thrown, FailureReason.TOPIC_NOT_FOUND);
			rig.template().executeInTransaction((operations) -> operations.send(topic, "k", "next"));
			assertThat(rig.values(topic)).containsExactly("next");
		}
	}

	@ParameterizedTest
	@EnumSource(Templates.class)
	void everyWayToFailAtTheCallThrows(Templates which) {
		try (TemplateRig rig = rig(which)) {
			rig.config(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, Choosy.class)
				.config(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, 2000);
			String topic = rig.topic(1);
			Map<FailureReason, Consumer<KafkaOperations<String, String>>> sends = Map.of(FailureReason.INVALID_TOPIC,
					(operations) -> operations.send("not a topic", "v"), FailureReason.RECORD_TOO_LARGE,
					(operations) -> operations.send(topic, "v".repeat(3000)), FailureReason.SERIALIZATION,
					(operations) -> operations.send(topic, Choosy.REFUSED));
			sends.forEach((reason, send) -> {
				Throwable thrown = catchThrowable(() -> rig.template().executeInTransaction((operations) -> {
					operations.send(topic, "before");
					send.accept(operations);
					return null;
				}));
				assertSendFailed(which, thrown, reason);
			});
			assertThat(rig.values(topic)).isEmpty();
		}
	}

	/** The broker's limit is smaller than the client's: nobody knows at the call. */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void aDeliveryThatFailsIsFoundByTheCommit(Templates which) {
		try (TemplateRig rig = rig(which)) {
			String topic = smallTopic();
			List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
			Throwable thrown = catchThrowable(() -> rig.template().executeInTransaction((operations) -> {
				sends.add(operations.send(topic, 0, "k", "v".repeat(20_000)));
				return null;
			}));
			assertThat(thrown).isInstanceOf(org.apache.kafka.common.KafkaException.class);
			assertThat(TemplateRig.failure(sends.get(0))).isNotNull();
			if (which.isOurs()) {
				assertThat(thrown).hasMessageContaining(topic).hasMessageContaining("RECORD_TOO_LARGE");
				assertThat(thrown.getCause()).isInstanceOf(SendFailedException.class);
			}
			else {
				assertThat(thrown).isInstanceOf(RecordTooLargeException.class);
			}
			rig.template().executeInTransaction((operations) -> operations.send(topic, "k", "next"));
			assertThat(rig.values(topic)).containsExactly("next");
		}
	}

	@ParameterizedTest
	@EnumSource(Templates.class)
	void aPartitionThatWasJustAddedIsFound(Templates which) throws Exception {
		try (TemplateRig rig = rig(which); Admin admin = EmbeddedBroker.admin()) {
			String topic = rig.topic(1);
			rig.template().executeInTransaction((operations) -> operations.send(topic, 0, "k", "one"));
			admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get();
			await().until(() -> admin.describeTopics(List.of(topic))
				.allTopicNames()
				.get()
				.get(topic)
				.partitions()
				.size() == 2);
			rig.template().executeInTransaction((operations) -> operations.send(topic, 1, "k", "two"));
			assertThat(rig.values(topic)).containsExactlyInAnyOrder("one", "two");
		}
	}

	/** The longest wait for a topic that brokers know is another one. */
	@Test
	void whatBrokersDoNotKnowIsNotWaitedForAsLongAsTheyAre() {
		ProducerSettings settings = ProducerSettings.DEFAULTS;
		TopicSettings limits = settings.defaults();
		ProducerSettings hurried = new ProducerSettings(
				new TopicSettings(Duration.ofMinutes(5), Duration.ofMillis(600), limits.initialInterval(),
						limits.multiplier(), limits.maxInterval(), limits.jitter(), limits.maxAttempts(),
						limits.failFastOpenDuration()),
				Map.of(), settings.bufferMaxRecords(), settings.bufferMaxBytes(), settings.bufferWhenFull(),
				settings.deliveryTimeout(), settings.shutdownTimeout());
		try (TemplateRig rig = new TemplateRig(Templates.EVENKEEL).transactional().settings(hurried)) {
			String topic = rig.topic(1);
			Throwable missing = catchThrowable(
					() -> rig.template().executeInTransaction((operations) -> operations.send("no-such-topic", "v")));
			assertSendFailed(Templates.EVENKEEL, missing, FailureReason.TOPIC_NOT_FOUND);
			Throwable partition = catchThrowable(
					() -> rig.template().executeInTransaction((operations) -> operations.send(topic, 9, "k", "v")));
			assertSendFailed(Templates.EVENKEEL, partition, FailureReason.PARTITION_NOT_FOUND);
			rig.template().executeInTransaction((operations) -> operations.send(topic, "k", "next"));
			assertThat(rig.values(topic)).containsExactly("next");
		}
	}

	@ParameterizedTest
	@EnumSource(Templates.class)
	void theDatabaseAroundItRollsBackWhenASendFails(Templates which) {
		try (TemplateRig rig = rig(which)) {
			String topic = rig.topic(1);
			TransactionTemplate transaction = new TransactionTemplate(this.database);
			Throwable thrown = catchThrowable(() -> transaction.executeWithoutResult((status) -> {
				rig.template().send(topic, "k", "good");
				rig.template().send("no-such-topic", "k", "v");
			}));
			assertSendFailed(which, thrown, FailureReason.TOPIC_NOT_FOUND);
			assertThat(this.database.ends).containsExactly("rollback");
			transaction.executeWithoutResult((status) -> rig.template().send(topic, "k", "next"));
			assertThat(this.database.ends).containsExactly("rollback", "commit");
			assertThat(rig.values(topic)).containsExactly("next");
		}
	}

	@ParameterizedTest
	@EnumSource(Templates.class)
	void springsKafkaTransactionRollsBackWhenASendFails(Templates which) {
		try (TemplateRig rig = rig(which)) {
			String topic = rig.topic(1);
			TransactionTemplate transaction = new TransactionTemplate(new KafkaTransactionManager<>(rig.factory()));
			Throwable thrown = catchThrowable(() -> transaction.executeWithoutResult((status) -> {
				rig.template().send(topic, "k", "good");
				rig.template().send("no-such-topic", "k", "v");
			}));
			assertSendFailed(which, thrown, FailureReason.TOPIC_NOT_FOUND);
			transaction.executeWithoutResult((status) -> rig.template().send(topic, "k", "next"));
			assertThat(rig.values(topic)).containsExactly("next");
		}
	}

	/**
	 * The client fails what it has not yet given to the network. It looks for an abort
	 * first and sends second: a batch that it gives to the network between an abort and
	 * that look is acknowledged, and is part of the aborted transaction all the same. So
	 * an ended send may have either end, but each has ended, and nobody reads it.
	 */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void whatIsUnderWayWhenATransactionIsAbortedEndsAndIsNotRead(Templates which) {
		try (TemplateRig rig = rig(which)) {
			rig.config(ProducerConfig.LINGER_MS_CONFIG, 60_000);
			String topic = rig.topic(1);
			List<Future<?>> sends = new CopyOnWriteArrayList<>();
			Throwable thrown = catchThrowable(() -> rig.template().executeInTransaction((operations) -> {
				List<CompletableFuture<Void>> threads = new ArrayList<>();
				operations.execute((producer) -> {
					for (int i = 0; i < 4; i++) {
						int number = i;
						threads.add(CompletableFuture
							.runAsync(() -> sends.add(producer.send(new ProducerRecord<>(topic, "k", "v" + number)))));
					}
					return null;
				});
				threads.forEach(CompletableFuture::join);
				sends.add(operations.send(topic, "k", "v"));
				throw new IllegalStateException("no");
			}));
			assertThat(thrown).isInstanceOf(IllegalStateException.class).hasMessage("no");
			assertThat(sends).hasSize(5).allSatisfy((send) -> assertThat(send.isDone()).isTrue());
			rig.template().executeInTransaction((operations) -> operations.send(topic, "k", "next"));
			assertThat(rig.values(topic)).containsExactly("next");
		}
	}

	/** The stock client never learns of a record that could not be serialized. */
	@Test
	void aFailureThatTheApplicationHidesIsStillNotCommitted() throws Exception {
		try (TemplateRig rig = rig(Templates.EVENKEEL)) {
			rig.config(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, Choosy.class);
			String topic = rig.topic(1);
			String group = EmbeddedBroker.unique("group");
			for (String bad : List.of("not a topic", "no-such-topic", topic)) {
				Throwable thrown = catchThrowable(() -> rig.template().executeInTransaction((operations) -> {
					operations.send(topic, "k", "good");
					catchThrowable(() -> operations.send(bad, "k", Choosy.REFUSED));
					return null;
				}));
				assertThat(thrown).isInstanceOf(org.apache.kafka.common.KafkaException.class)
					.hasMessageContaining("'" + bad + "'")
					.hasCauseInstanceOf(SendFailedException.class);
				Throwable offsets = catchThrowable(() -> rig.template().executeInTransaction((operations) -> {
					catchThrowable(() -> operations.send(bad, "k", Choosy.REFUSED));
					operations.sendOffsetsToTransaction(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(42)),
							new ConsumerGroupMetadata(group));
					return null;
				}));
				assertThat(offsets).hasCauseInstanceOf(SendFailedException.class);
			}
			assertThat(rig.values(topic)).isEmpty();
			try (Admin admin = EmbeddedBroker.admin()) {
				assertThat(catchThrowable(
						() -> assertThat(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get())
							.isEmpty()))
					.satisfiesAnyOf((none) -> assertThat(none).isNull(),
							(unknown) -> assertThat(unknown).isInstanceOf(ExecutionException.class));
			}
		}
	}

	/** One begins, fails and goes on by hand, as with the client. */
	@Test
	void aProducerIsUsableAfterACommitThatWasRefused() {
		try (TemplateRig rig = rig(Templates.EVENKEEL)) {
			String topic = rig.topic(1);
			String small = smallTopic();
			Producer<String, String> producer = rig.factory().createProducer();
			for (ProducerRecord<String, String> bad : List.of(new ProducerRecord<>("not a topic", "k", "v"),
					new ProducerRecord<>(small, "k", "v".repeat(20_000)))) {
				Producer<String, String> raw = raw(producer);
				raw.beginTransaction();
				raw.send(new ProducerRecord<>(topic, "k", "good"));
				raw.send(bad);
				assertThat(catchThrowable(raw::commitTransaction)).hasCauseInstanceOf(SendFailedException.class);
				raw.abortTransaction();
				raw.beginTransaction();
				raw.send(new ProducerRecord<>(topic, "k", "next"));
				raw.commitTransaction();
			}
			producer.close();
			assertThat(rig.values(topic)).containsExactly("next", "next");
		}
	}

	/** Best effort only with the stock template: the database has committed by then. */
	@Test
	void theDatabaseHearsOfADeliveryThatFailed() {
		try (TemplateRig rig = rig(Templates.EVENKEEL)) {
			String topic = smallTopic();
			TransactionTemplate transaction = new TransactionTemplate(this.database);
			Throwable thrown = catchThrowable(() -> transaction
				.executeWithoutResult((status) -> rig.template().send(topic, "k", "v".repeat(20_000))));
			assertThat(thrown).hasMessageContaining("RECORD_TOO_LARGE").hasCauseInstanceOf(SendFailedException.class);
			assertThat(this.database.ends).containsExactly("rollback");

			// A database inside a Kafka transaction, as in a listener of the container.
			TransactionTemplate outer = new TransactionTemplate(new KafkaTransactionManager<>(rig.factory()));
			Throwable nested = catchThrowable(() -> outer.executeWithoutResult((status) -> {
				rig.template().send(topic, "k", "first");
				transaction.executeWithoutResult((inner) -> rig.template().send(topic, "k", "v".repeat(20_000)));
			}));
			assertThat(nested).hasCauseInstanceOf(SendFailedException.class);
			assertThat(this.database.ends).containsExactly("rollback", "rollback");
			assertThat(rig.values(topic)).isEmpty();
		}
	}

	@Test
	void aTransactionThatCannotBeginInsideADatabasesThrows() {
		try (TemplateRig rig = new TemplateRig(Templates.EVENKEEL).metadataTimeout(Duration.ofMillis(500))
			.config(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1")
			.transactional()) {
			KafkaTemplate<String, String> template = rig.template();
			Throwable thrown = catchThrowable(() -> new TransactionTemplate(this.database)
				.executeWithoutResult((status) -> template.send("orders", "k", "v")));
			assertSendFailed(Templates.EVENKEEL, thrown, FailureReason.BROKERS_UNREACHABLE);
			assertThat(this.database.ends).containsExactly("rollback");
		}
	}

	private static TemplateRig rig(Templates which) {
		return new TemplateRig(which).transactional().metadataTimeout(LIMIT);
	}

	private static String smallTopic() {
		String topic = EmbeddedBroker.unique("small");
		EmbeddedBroker.createTopic(topic, 1, Map.of("max.message.bytes", "10000"));
		return topic;
	}

	private static void assertSendFailed(Templates which, Throwable thrown, FailureReason reason) {
		if (which.isOurs()) {
			assertThat(thrown).isInstanceOf(org.springframework.kafka.KafkaException.class)
				.hasCauseInstanceOf(SendFailedException.class);
			assertThat(((SendFailedException) thrown.getCause()).getReason()).isEqualTo(reason);
		}
		else {
			assertThat(thrown).isNotNull();
		}
	}

	/** What the factory has wrapped. */
	@SuppressWarnings("unchecked")
	private static Producer<String, String> raw(Producer<String, String> producer) {
		return (Producer<String, String>) org.springframework.test.util.ReflectionTestUtils.getField(producer,
				"delegate");
	}

	/** A serializer that refuses one value. */
	public static final class Choosy implements Serializer<String> {

		static final String REFUSED = "refused";

		private final StringSerializer delegate = new StringSerializer();

		@Override
		public byte[] serialize(String topic, String data) {
			if (REFUSED.equals(data)) {
				throw new IllegalArgumentException("no");
			}
			return this.delegate.serialize(topic, data);
		}

	}

	/** As a transaction manager of a database, which remembers how transactions ended. */
	private static final class Database extends AbstractPlatformTransactionManager {

		private static final long serialVersionUID = 1L;

		final List<String> ends = new ArrayList<>();

		@Override
		protected Object doGetTransaction() {
			return new Object();
		}

		@Override
		protected void doBegin(Object transaction, TransactionDefinition definition) {
		}

		@Override
		protected void doCommit(DefaultTransactionStatus status) {
			this.ends.add("commit");
		}

		@Override
		protected void doRollback(DefaultTransactionStatus status) {
			this.ends.add("rollback");
		}

	}

}
