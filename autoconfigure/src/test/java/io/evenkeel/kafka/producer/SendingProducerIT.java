package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.evenkeel.kafka.producer.ProducerSettings.WhenFull;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.core.KafkaProducerException;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.SendResult;
import org.springframework.kafka.test.EmbeddedKafkaBroker;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * The sending producer against one real broker.
 */
class SendingProducerIT {

	private static final Duration SLACK = Duration.ofMillis(500);

	private static EmbeddedKafkaBroker broker;

	private final List<EvenkeelProducerFactory<String, String>> factories = new ArrayList<>();

	@BeforeAll
	static void startBroker() {
		broker = new EmbeddedKafkaKraftBroker(1, 2, "ready", "other").brokerProperty("auto.create.topics.enable",
				"false");
		broker.afterPropertiesSet();
	}

	@AfterAll
	static void stopBroker() {
		broker.destroy();
	}

	@AfterEach
	void closeFactories() {
		this.factories.forEach(EvenkeelProducerFactory::destroy);
	}

	@Test
	void sendsInOrder() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofSeconds(10)));
		List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
		for (int i = 0; i < 2000; i++) {
			sends.add(template.send("ready", "one-key", "v" + i));
		}
		assertThatOffsetsIncrease(sends);
	}

	@Test
	void missingTopicFailsAtItsLimitWhileOthersGoOn() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofMillis(1500)));
		template.send("ready", "warm").get(20, TimeUnit.SECONDS);
		long start = System.nanoTime();
		CompletableFuture<SendResult<String, String>> missing = template.send("no-such-topic", "k", "v");
		assertThat(since(start)).isLessThan(Duration.ofMillis(250));
		template.send("ready", "k", "v").get(1, TimeUnit.SECONDS);
		assertThat(missing).isNotDone();
		SendFailedException failure = failure(missing);
		assertThat(since(start)).isBetween(Duration.ofMillis(1500), Duration.ofMillis(1500).plus(SLACK));
		assertThat(failure.getReason()).isEqualTo(FailureReason.TOPIC_NOT_FOUND);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
		assertThat(failure.isPossiblySent()).isFalse();
		assertThat(failure.getAttempts()).isBetween(4, 6);
		assertThat(failure.getElapsed()).isGreaterThanOrEqualTo(Duration.ofMillis(1500));
		assertThat(failure.getBootstrapServers()).containsExactly(broker.getBrokersAsString());
		assertThat(failure).hasMessageContaining("no-such-topic")
			.hasMessageContaining("TOPIC_NOT_FOUND")
			.hasMessageContaining("Not sent: safe to retry.")
			.hasMessageContaining("Limit: metadata.timeout=1500ms.");
	}

	@Test
	void sendsAfterATimeoutFailFastUntilTheTopicIsThere() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofMillis(500)));
		String topic = "later-" + System.nanoTime();
		assertThat(failure(template.send(topic, "v")).getReason()).isEqualTo(FailureReason.TOPIC_NOT_FOUND);
		long start = System.nanoTime();
		SendFailedException second = failure(template.send(topic, "v"));
		assertThat(since(start)).isLessThan(Duration.ofMillis(300));
		assertThat(second.getReason()).isEqualTo(FailureReason.FAIL_FAST);
		assertThat(second).hasMessageContaining("TOPIC_NOT_FOUND");
		createTopic(topic, 1);
		await().atMost(Duration.ofSeconds(4))
			.ignoreExceptions()
			.untilAsserted(() -> assertThat(template.send(topic, "v").get(1, TimeUnit.SECONDS)).isNotNull());
	}

	@Test
	void recordsThatWaitedForTheirTopicArriveInOrder() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofSeconds(20)));
		String topic = "created-" + System.nanoTime();
		List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
		for (int i = 0; i < 500; i++) {
			sends.add(template.send(topic, "one-key", "v" + i));
		}
		createTopic(topic, 3);
		for (int i = 0; i < 2000; i++) {
			sends.add(template.send(topic, "one-key", "v" + i));
		}
		assertThatOffsetsIncrease(sends);
	}

	@Test
	void unreachableBrokersAreCalledThat() throws Exception {
		Map<String, Object> configs = new HashMap<>();
		configs.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1");
		EvenkeelKafkaTemplate<String, String> template = template(configs, settings(Duration.ofSeconds(1)));
		long start = System.nanoTime();
		SendFailedException failure = failure(template.send("ready", "v"));
		assertThat(since(start)).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(1).plus(SLACK));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		assertThat(failure).hasMessageContaining("no answer from [localhost:1] for");
	}

	@Test
	void unresolvableNamesAreCalledThat() throws Exception {
		Map<String, Object> configs = new HashMap<>();
		configs.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "no-such-host.invalid:9092");
		EvenkeelKafkaTemplate<String, String> template = template(configs, settings(Duration.ofSeconds(1)));
		SendFailedException failure = failure(template.send("ready", "v"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.DNS_RESOLUTION);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
	}

	@Test
	void invalidTopicFailsAtOnceWithoutBrokers() throws Exception {
		Map<String, Object> configs = new HashMap<>();
		configs.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1");
		EvenkeelKafkaTemplate<String, String> template = template(configs, settings(Duration.ofSeconds(10)));
		failure(template.send("warm up", "v"));
		long start = System.nanoTime();
		SendFailedException failure = failure(template.send("no/topic", "v"));
		assertThat(since(start)).isLessThan(Duration.ofMillis(100));
		assertThat(failure.getReason()).isEqualTo(FailureReason.INVALID_TOPIC);
	}

	@Test
	void tooLargeRecordFailsAtOnce() throws Exception {
		EvenkeelKafkaTemplate<String, String> waiting = template(
				Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1"), settings(Duration.ofSeconds(10)));
		EvenkeelKafkaTemplate<String, String> ready = template(settings(Duration.ofSeconds(10)));
		ready.send("ready", "warm").get(20, TimeUnit.SECONDS);
		String large = "x".repeat(1024 * 1024);
		for (EvenkeelKafkaTemplate<String, String> template : List.of(waiting, ready)) {
			SendFailedException failure = failure(template.send("ready", large));
			assertThat(failure.getReason()).isEqualTo(FailureReason.RECORD_TOO_LARGE);
			assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
			assertThat(failure.isPossiblySent()).isFalse();
		}
	}

	@Test
	void serializationFailureArrivesInTheFuture() throws Exception {
		EvenkeelProducerFactory<String, String> factory = factory(
				Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.getBrokersAsString()),
				settings(Duration.ofSeconds(10)));
		factory.setValueSerializer(new FailingSerializer());
		EvenkeelKafkaTemplate<String, String> template = new EvenkeelKafkaTemplate<>(factory);
		template.send("ready", "warm").get(20, TimeUnit.SECONDS);
		SendFailedException inline = failure(template.send("ready", "secret-bad"));
		SendFailedException inLine = failure(template.send("no-such-topic-2", "secret-bad"));
		for (SendFailedException failure : List.of(inline, inLine)) {
			assertThat(failure.getReason()).isEqualTo(FailureReason.SERIALIZATION);
			assertThat(failure.isPossiblySent()).isFalse();
			assertThat(failure.getMessage()).doesNotContain("secret");
		}
	}

	@Test
	void missingPartitionHoldsOnlyItself() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofSeconds(15)));
		String topic = "grows-" + System.nanoTime();
		createTopic(topic, 1);
		template.send(topic, "warm").get(20, TimeUnit.SECONDS);
		CompletableFuture<SendResult<String, String>> missing = template.send(topic, 2, "k", "v");
		template.send(topic, 0, "k", "v").get(2, TimeUnit.SECONDS);
		template.send(topic, "k", "v").get(2, TimeUnit.SECONDS);
		assertThat(missing).isNotDone();
		try (Admin admin = admin()) {
			admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get(20, TimeUnit.SECONDS);
		}
		assertThat(missing.get(10, TimeUnit.SECONDS).getRecordMetadata().partition()).isEqualTo(2);
	}

	@Test
	void missingPartitionIsCalledThat() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofSeconds(1)));
		template.send("ready", "warm").get(20, TimeUnit.SECONDS);
		SendFailedException failure = failure(template.send("ready", 99, "k", "v"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.PARTITION_NOT_FOUND);
	}

	@Test
	void continuationsMaySend() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofSeconds(10)));
		AtomicReference<String> thread = new AtomicReference<>();
		SendResult<String, String> second = template.send("ready", "first").thenCompose((result) -> {
			thread.set(Thread.currentThread().getName());
			return template.send("other", "from the continuation");
		}).get(5, TimeUnit.SECONDS);
		assertThat(second.getRecordMetadata().topic()).isEqualTo("other");
		assertThat(thread.get()).contains("completions");
	}

	/** Red without the relief of a waiting runner: it waits for itself for ever. */
	@Test
	void aContinuationMaySendAndJoin() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofSeconds(10)));
		template.send("ready", "warm").get(20, TimeUnit.SECONDS);
		CompletableFuture<Long> joined = template.send("ready", "first")
			.thenApply((result) -> template.send("other", "joined").join().getRecordMetadata().offset());
		assertThat(joined.get(5, TimeUnit.SECONDS)).isNotNegative();
		assertThat(template.send("ready", "after").get(5, TimeUnit.SECONDS)).isNotNull();
	}

	@Test
	void flushMeansThatTheFuturesAreDone() {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofSeconds(10)));
		List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
		for (int i = 0; i < 100; i++) {
			sends.add(template.send("ready", "k", "v" + i));
		}
		template.flush();
		assertThat(sends).allMatch(CompletableFuture::isDone);
	}

	@Test
	void anInterruptedCallerKeepsItsFlagAndItsRecord() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = template(settings(Duration.ofSeconds(10)));
		Thread.currentThread().interrupt();
		CompletableFuture<SendResult<String, String>> waiting = template.send("ready", "v");
		assertThat(Thread.interrupted()).isTrue();
		assertThat(waiting.get(20, TimeUnit.SECONDS)).isNotNull();
		Thread.currentThread().interrupt();
		CompletableFuture<SendResult<String, String>> inline = template.send("ready", "v");
		assertThat(Thread.interrupted()).isTrue();
		assertThat(inline.get(20, TimeUnit.SECONDS)).isNotNull();
	}

	@Test
	void aClosedProducerSaysSo() throws Exception {
		EvenkeelProducerFactory<String, String> factory = factory(
				Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1"),
				new ProducerSettings(ProducerSettings.TopicSettings.DEFAULTS, Map.of(), 10, 1000, WhenFull.WAIT,
						Duration.ofSeconds(120), Duration.ofMillis(300)));
		EvenkeelKafkaTemplate<String, String> template = new EvenkeelKafkaTemplate<>(factory);
		CompletableFuture<SendResult<String, String>> pending = template.send("ready", "v");
		long start = System.nanoTime();
		factory.stop();
		assertThat(since(start)).isLessThan(Duration.ofSeconds(3));
		SendFailedException failure = failure(pending);
		assertThat(failure.getReason()).isEqualTo(FailureReason.CLOSED);
		assertThat(failure.isPossiblySent()).isFalse();
	}

	@Test
	void oneRecordTooManyFailsAtOnceWhereThatIsWanted() throws Exception {
		ProducerSettings settings = new ProducerSettings(settings(Duration.ofSeconds(5)).defaults(), Map.of(), 3,
				100_000, WhenFull.FAIL, Duration.ofSeconds(120), Duration.ZERO);
		EvenkeelKafkaTemplate<String, String> template = template(
				Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1"), settings);
		List<CompletableFuture<SendResult<String, String>>> waiting = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			waiting.add(template.send("ready", "v"));
		}
		SendFailedException failure = failure(template.send("ready", "one too many"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BUFFER_FULL);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.BUFFER);
		assertThat(waiting).noneMatch(CompletableFuture::isDone);
	}

	@Test
	void stockTemplateOverTheFactoryDoesNotWaitEither() {
		EvenkeelProducerFactory<String, String> factory = factory(
				Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1"), settings(Duration.ofSeconds(10)));
		KafkaTemplate<String, String> template = new KafkaTemplate<>(factory,
				Map.of(ProducerConfig.MAX_BLOCK_MS_CONFIG, "700"));
		long start = System.nanoTime();
		CompletableFuture<SendResult<String, String>> send = template.send(new ProducerRecord<>("ready", "v"));
		assertThat(since(start)).isLessThan(Duration.ofMillis(500));
		assertThat(send).failsWithin(Duration.ofSeconds(5));
		assertThat(since(start)).isBetween(Duration.ofMillis(700), Duration.ofMillis(700).plus(SLACK));
		template.destroy();
	}

	private static void assertThatOffsetsIncrease(List<CompletableFuture<SendResult<String, String>>> sends)
			throws Exception {
		long last = -1;
		for (CompletableFuture<SendResult<String, String>> send : sends) {
			long offset = send.get(30, TimeUnit.SECONDS).getRecordMetadata().offset();
			assertThat(offset).isGreaterThan(last);
			last = offset;
		}
	}

	private static Duration since(long start) {
		return Duration.ofNanos(System.nanoTime() - start);
	}

	private static SendFailedException failure(CompletableFuture<?> send) throws Exception {
		AtomicReference<SendFailedException> result = new AtomicReference<>();
		assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> send.get(30, TimeUnit.SECONDS))
			.withCauseInstanceOf(KafkaProducerException.class)
			.satisfies((ex) -> {
				assertThat(ex.getCause().getCause()).isInstanceOf(SendFailedException.class);
				result.set((SendFailedException) ex.getCause().getCause());
			});
		return result.get();
	}

	private static ProducerSettings settings(Duration metadataTimeout) {
		return ProducerSettings.DEFAULTS.withMetadataTimeout(metadataTimeout);
	}

	private EvenkeelKafkaTemplate<String, String> template(ProducerSettings settings) {
		return template(Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.getBrokersAsString()), settings);
	}

	private EvenkeelKafkaTemplate<String, String> template(Map<String, Object> configs, ProducerSettings settings) {
		return new EvenkeelKafkaTemplate<>(factory(configs, settings));
	}

	private EvenkeelProducerFactory<String, String> factory(Map<String, Object> configs, ProducerSettings settings) {
		Map<String, Object> all = new HashMap<>(configs);
		all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
		all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
		EvenkeelProducerFactory<String, String> factory = new EvenkeelProducerFactory<>(all, settings,
				new ProducerRegistry((producer) -> SendObserver.NONE));
		this.factories.add(factory);
		return factory;
	}

	private static Admin admin() {
		return Admin.create(Map.of("bootstrap.servers", broker.getBrokersAsString()));
	}

	private static void createTopic(String topic, int partitions) throws Exception {
		try (Admin admin = admin()) {
			admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get(20, TimeUnit.SECONDS);
		}
	}

	private static final class FailingSerializer implements Serializer<String> {

		private final StringSerializer delegate = new StringSerializer();

		@Override
		public byte[] serialize(String topic, String data) {
			if (data.contains("bad")) {
				throw new IllegalStateException("cannot write this");
			}
			return this.delegate.serialize(topic, data);
		}

		@Override
		public byte[] serialize(String topic, Headers headers, String data) {
			return serialize(topic, data);
		}

	}

}
