package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.support.SendResult;
import org.springframework.kafka.transaction.KafkaTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import static io.evenkeel.kafka.producer.ProducerFixture.since;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Transactions over our factory, on one real broker.
 */
class TransactionalProducerIT {

	/** The first transaction of a broker makes its log: leave time for that. */
	private static final Duration LIMIT = Duration.ofSeconds(6);

	private EvenkeelProducerFactory<String, String> factory;

	private EvenkeelKafkaTemplate<String, String> template;

	private final String topic = EmbeddedBroker.topic("tx", 1);

	@BeforeEach
	void start() {
		this.factory = factory(EmbeddedBroker.bootstrapServers());
		this.template = new EvenkeelKafkaTemplate<>(this.factory);
	}

	@AfterEach
	void stop() {
		this.factory.destroy();
	}

	@Test
	void committedRecordsAreThereAndTheirFuturesDone() {
		List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
		this.template.executeInTransaction((operations) -> {
			for (int i = 0; i < 10; i++) {
				sends.add(operations.send(this.topic, "k", "v" + i));
			}
			return null;
		});
		assertThat(sends).allMatch(CompletableFuture::isDone);
		assertThat(committed(10)).hasSize(10).first().isEqualTo("v0");
	}

	@Test
	void abortedRecordsAreNot() {
		assertThatException().isThrownBy(() -> this.template.executeInTransaction((operations) -> {
			operations.send(this.topic, "k", "aborted");
			throw new IllegalStateException("no");
		}));
		this.template.executeInTransaction((operations) -> operations.send(this.topic, "k", "committed"));
		assertThat(committed(1)).containsExactly("committed");
	}

	/** Red when the client's one limit counts for every topic. */
	@Test
	void aTopicOfItsOwnLimitIsWaitedForThatLong() {
		SendFailedException hurried = failureInTransaction("hurried");
		assertThat(hurried.getReason()).isEqualTo(FailureReason.TOPIC_NOT_FOUND);
		assertThat(hurried.getElapsed()).isBetween(Duration.ofMillis(450), Duration.ofMillis(1000));
		assertThat(hurried).hasMessageContaining("Limit: metadata.timeout=500ms.");
		assertThat(hurried.isPossiblySent()).isFalse();
		SendFailedException patient = failureInTransaction("patient");
		assertThat(patient.getReason()).isEqualTo(FailureReason.TOPIC_NOT_FOUND);
		assertThat(patient.getElapsed()).isBetween(LIMIT.plusMillis(950), LIMIT.plusMillis(1500));
	}

	private SendFailedException failureInTransaction(String missing) {
		Throwable thrown = catchThrowable(
				() -> this.template.executeInTransaction((operations) -> operations.send(missing, "k", "v")));
		assertThat(thrown).hasCauseInstanceOf(SendFailedException.class);
		return (SendFailedException) thrown.getCause();
	}

	@Test
	void springTransactionsCommitAndRollBack() {
		KafkaTransactionManager<String, String> manager = new KafkaTransactionManager<>(this.factory);
		TransactionTemplate transaction = new TransactionTemplate(manager);
		transaction.executeWithoutResult((status) -> this.template.send(this.topic, "k", "one"));
		transaction.executeWithoutResult((status) -> {
			this.template.send(this.topic, "k", "two");
			status.setRollbackOnly();
		});
		transaction.executeWithoutResult((status) -> this.template.send(this.topic, "k", "three"));
		assertThat(committed(2)).containsExactly("one", "three");
	}

	@SuppressWarnings("removal") // the simple form has no other
	@Test
	void offsetsGoIntoTheTransaction() {
		TopicPartition partition = new TopicPartition(this.topic, 0);
		String group = "group-" + UUID.randomUUID();
		this.template.executeInTransaction((operations) -> {
			operations.send(this.topic, "k", "v");
			operations.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(42)),
					new ConsumerGroupMetadata(group));
			return null;
		});
		try (Consumer<String, String> consumer = consumer(group)) {
			await().atMost(Duration.ofSeconds(10))
				.untilAsserted(() -> assertThat(consumer.committed(java.util.Set.of(partition)).get(partition).offset())
					.isEqualTo(42));
		}
	}

	@Test
	void withBrokersDownTheTransactionFailsInTime() {
		EvenkeelProducerFactory<String, String> down = factory("localhost:1");
		EvenkeelKafkaTemplate<String, String> template = new EvenkeelKafkaTemplate<>(down);
		long start = System.nanoTime();
		assertThatException()
			.isThrownBy(() -> template.executeInTransaction((operations) -> operations.send(this.topic, "v")));
		assertThat(since(start)).isLessThan(LIMIT.plusSeconds(2));
		KafkaTransactionManager<String, String> manager = new KafkaTransactionManager<>(down);
		assertThatException().isThrownBy(() -> new TransactionTemplate(manager)
			.executeWithoutResult((status) -> template.send(this.topic, "v")));
		down.destroy();
	}

	@Test
	void aFencedProducerSaysSo() throws Exception {
		List<Throwable> failures = new ArrayList<>();
		EvenkeelProducerFactory<String, String> second = factory(EmbeddedBroker.bootstrapServers());
		second.setTransactionIdPrefix(this.factory.getTransactionIdPrefix());
		EvenkeelKafkaTemplate<String, String> other = new EvenkeelKafkaTemplate<>(second);
		assertThatException().isThrownBy(() -> this.template.executeInTransaction((operations) -> {
			operations.send(this.topic, "k", "first").join();
			other.executeInTransaction((rival) -> rival.send(this.topic, "k", "rival"));
			failures.add(catchThrowable(() -> operations.send(this.topic, "k", "fenced").join()));
			return null;
		}));
		assertThat(failures.get(0)).hasRootCauseInstanceOf(ApiException.class).hasStackTraceContaining("FENCED after");
		this.template.executeInTransaction((operations) -> operations.send(this.topic, "k", "again"));
		second.destroy();
		assertThat(committed(2)).containsExactly("rival", "again");
	}

	private EvenkeelProducerFactory<String, String> factory(String bootstrapServers) {
		Map<String, Object> configs = new HashMap<>();
		configs.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
		configs.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
		configs.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
		EvenkeelProducerFactory<String, String> result = new EvenkeelProducerFactory<>(configs,
				withOwnLimits(ProducerSettings.DEFAULTS.withMetadataTimeout(LIMIT)),
				new ProducerRegistry((producer) -> SendObserver.NONE));
		result.setTransactionIdPrefix("tx-" + UUID.randomUUID() + "-");
		return result;
	}

	private static ProducerSettings withOwnLimits(ProducerSettings settings) {
		return new ProducerSettings(settings.defaults(),
				Map.of("hurried", TopicSettings.DEFAULTS.withMetadataTimeout(Duration.ofMillis(500)), "patient",
						TopicSettings.DEFAULTS.withMetadataTimeout(LIMIT.plusSeconds(1))),
				settings.bufferMaxRecords(), settings.bufferMaxBytes(), settings.bufferWhenFull(),
				settings.deliveryTimeout(), settings.shutdownTimeout());
	}

	private List<String> committed(int count) {
		List<String> values = new ArrayList<>();
		try (Consumer<String, String> consumer = consumer("reader-" + UUID.randomUUID())) {
			TopicPartition partition = new TopicPartition(this.topic, 0);
			consumer.assign(List.of(partition));
			consumer.seekToBeginning(List.of(partition));
			await().atMost(Duration.ofSeconds(20)).until(() -> {
				consumer.poll(Duration.ofMillis(200)).forEach((record) -> values.add(record.value()));
				return values.size() >= count;
			});
		}
		return values;
	}

	private static Consumer<String, String> consumer(String group) {
		return new KafkaConsumer<>(
				Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, EmbeddedBroker.bootstrapServers(),
						ConsumerConfig.GROUP_ID_CONFIG, group, ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
						ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false),
				new StringDeserializer(), new StringDeserializer());
	}

}
