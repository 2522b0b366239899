package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.ClusterResource;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * The sending producer over clients whose every answer the test decides.
 */
class SendingProducerGuardTests {

	private static final Duration NEVER = Duration.ofSeconds(50);

	private final List<FakeClient> clients = new CopyOnWriteArrayList<>();

	private final Map<String, Object> topics = new ConcurrentHashMap<>();

	private final List<String> handedOver = new CopyOnWriteArrayList<>();

	private volatile BiConsumer<FakeClient, ProducerRecord<String, String>> onSend = (client, record) -> {
	};

	private volatile double retries;

	private Duration failFast = Duration.ZERO;

	private final List<SendingProducer<String, String>> producers = new ArrayList<>();

	@AfterEach
	void close() {
		this.producers.forEach((producer) -> producer.close(Duration.ZERO));
	}

	/** Red when what the client says counts although it may be of five minutes ago. */
	@Test
	void aRefusalThatTheClusterHasNotJustConfirmedIsNoEvidence() throws Exception {
		this.topics.put("a", new TimeoutException("old", new TopicAuthorizationException("a")));
		SendingProducer<String, String> producer = producer(Duration.ofMillis(300), Duration.ofMillis(20));
		assertThat(failure(send(producer, "a", "1")).getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
	}

	@Test
	void aRefusalThatTheClusterHasJustConfirmedEndsTheWait() throws Exception {
		this.topics.put("a", new TimeoutException("fresh", new TopicAuthorizationException("a")));
		SendingProducer<String, String> producer = producer(NEVER, NEVER);
		Future<RecordMetadata> send = send(producer, "a", "1");
		awaitClients(1);
		this.clients.get(0).answer();
		assertThat(failure(send).getReason()).isEqualTo(FailureReason.NOT_AUTHORIZED);
	}

	/** Red when a client that was refused before it ever delivered is used further on. */
	@Test
	void aClientThatWasSpoiledByARefusalIsReplacedBeforeARecordGoes() throws Exception {
		this.topics.put("a", new SaslAuthenticationException("no"));
		SendingProducer<String, String> producer = producer(NEVER, Duration.ofMillis(20));
		Future<RecordMetadata> send = send(producer, "a", "1");
		await().until(() -> !this.clients.isEmpty() && this.clients.get(0).looks.get() > 1);
		this.topics.put("a", 1);
		this.clients.get(0).answer();
		send.get(20, TimeUnit.SECONDS);
		assertThat(this.handedOver).containsExactly("1 to client 1");
		assertThat(this.clients.get(0).closed()).isTrue();
	}

	/** Red when a client that cannot go on stays. */
	@Test
	void aClientThatCannotGoOnIsReplaced() throws Exception {
		this.topics.put("a", 1);
		SendingProducer<String, String> producer = producer(NEVER, Duration.ofMillis(20));
		awaitClients(1);
		this.onSend = (client, record) -> {
			if (client.number == 0) {
				throw new KafkaException("in an error state", new NetworkException("gone"));
			}
		};
		SendFailedException failure = failure(send(producer, "a", "1"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.PRODUCER_FATAL);
		assertThat(failure.isPossiblySent()).isTrue();
		send(producer, "a", "2").get(20, TimeUnit.SECONDS);
		assertThat(this.handedOver).containsExactly("2 to client 1");
	}

	/**
	 * Red when a record is called unsent although a broker may hold it, or the reverse.
	 */
	@Test
	void onlyARefusalByTheBrokerSaysThatNothingWasStored() throws Exception {
		this.topics.put("a", 1);
		SendingProducer<String, String> producer = producer(NEVER, NEVER);
		Map<Exception, Boolean> possiblySent = new HashMap<>();
		possiblySent.put(new TimeoutException("delivery"), true);
		possiblySent.put(new NetworkException("gone"), true);
		possiblySent.put(new KafkaException("closed forcefully"), true);
		possiblySent.put(new RecordTooLargeException("too large"), false);
		possiblySent.put(new TopicAuthorizationException("a"), false);
		for (Map.Entry<Exception, Boolean> expected : possiblySent.entrySet()) {
			this.onSend = (client, record) -> client.leaveOpen();
			Future<RecordMetadata> send = send(producer, "a", "1");
			await().until(() -> !this.clients.isEmpty() && this.clients.get(0).open.size() == 1);
			this.clients.get(0).open.remove(0).onCompletion(null, expected.getKey());
			SendFailedException failure = failure(send);
			assertThat(failure.isPossiblySent()).as("%s", expected).isEqualTo(expected.getValue());
			assertThat(failure.getPhase()).isEqualTo(FailurePhase.DELIVERY);
		}
	}

	/**
	 * Red when a refusal counts as certain although an earlier attempt may have stored
	 * the record, and its answer was lost.
	 */
	@Test
	void aRefusalAfterARetryIsNotCertain() throws Exception {
		this.topics.put("a", 1);
		this.retries = 1;
		SendingProducer<String, String> producer = producer(NEVER, NEVER);
		this.onSend = (client, record) -> client.leaveOpen();
		Future<RecordMetadata> send = send(producer, "a", "1");
		await().until(() -> !this.clients.isEmpty() && this.clients.get(0).open.size() == 1);
		this.clients.get(0).open.remove(0).onCompletion(null, new RecordTooLargeException("too large"));
		assertThat(failure(send).isPossiblySent()).isTrue();
	}

	/** Red when what the client once said of a topic is forgotten. */
	@Test
	void aMissingTopicIsToldWithWhatTheClientSaid() throws Exception {
		this.topics.put("a", new TimeoutException("not present", new UnknownTopicOrPartitionException("no a")));
		SendingProducer<String, String> producer = producer(Duration.ofMillis(500), Duration.ofMillis(20));
		awaitClients(1);
		Future<RecordMetadata> send = send(producer, "a", "1");
		await().until(() -> this.clients.get(0).looks.get() > 1);
		this.topics.put("a", new TimeoutException("not present"));
		this.clients.get(0).answer();
		SendFailedException failure = failure(send);
		assertThat(failure.getReason()).isEqualTo(FailureReason.TOPIC_NOT_FOUND);
		assertThat(failure).hasCauseInstanceOf(UnknownTopicOrPartitionException.class);
		assertThatThrownBy(() -> producer.partitionsFor("a")).isInstanceOf(TimeoutException.class)
			.hasCauseInstanceOf(UnknownTopicOrPartitionException.class);
	}

	@Test
	void partitionsOfARefusedTopicAreRefusedWithWhatTheClientSaid() {
		this.topics.put("a", new TimeoutException("fresh", new TopicAuthorizationException("a")));
		SendingProducer<String, String> producer = producer(NEVER, Duration.ofMillis(20));
		awaitClients(1);
		CompletableFuture<?> look = CompletableFuture.runAsync(() -> producer.partitionsFor("a"));
		await().until(() -> this.clients.get(0).looks.get() > 1);
		this.clients.get(0).answer();
		assertThat(look).failsWithin(Duration.ofSeconds(20))
			.withThrowableThat()
			.withRootCauseInstanceOf(TopicAuthorizationException.class);
		assertThatThrownBy(() -> producer.partitionsFor("no topic")).isInstanceOf(InvalidTopicException.class);
	}

	/** Red when the replacement of a client is taken for an outage. */
	@Test
	void aReplacedClientIsNoOutage() throws Exception {
		this.failFast = Duration.ofSeconds(50);
		SendingProducer<String, String> producer = producer(Duration.ofSeconds(2), Duration.ofMillis(20));
		awaitClients(1);
		Future<RecordMetadata> waits = send(producer, "a", "1");
		this.topics.put("b", 1);
		this.onSend = (client, record) -> {
			if (client.number == 0) {
				throw new KafkaException("in an error state", new NetworkException("gone"));
			}
		};
		assertThat(failure(send(producer, "b", "2")).getReason()).isEqualTo(FailureReason.PRODUCER_FATAL);
		assertThat(failure(waits).getReason()).isEqualTo(FailureReason.PRODUCER_FATAL);
		this.topics.put("a", 1);
		send(producer, "b", "3").get(20, TimeUnit.SECONDS);
		send(producer, "a", "4").get(20, TimeUnit.SECONDS);
	}

	/** Red when a record that met a closing client is called possibly sent. */
	@Test
	void aRecordThatMeetsAClosingClientGoesToTheNext() throws Exception {
		this.topics.put("a", 1);
		SendingProducer<String, String> producer = producer(NEVER, Duration.ofMillis(20));
		awaitClients(1);
		this.onSend = (client, record) -> {
			if (client.number == 0) {
				producer.replaceStuck();
				await().until(client::closed);
				throw new KafkaException("closed while send in progress");
			}
		};
		assertThat(send(producer, "a", "1").get(30, TimeUnit.SECONDS)).isNotNull();
		assertThat(this.handedOver).containsExactly("1 to client 1");
	}

	/** Red when a sender does not look whether an earlier record waits. */
	@Test
	void aLaterRecordWaitsBehindTheOneThatIsBeingHandedOver() throws Exception {
		SendingProducer<String, String> producer = producer(NEVER, Duration.ofMillis(20));
		CountDownLatch handing = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		this.onSend = (client, record) -> {
			if (record.value().equals("1")) {
				handing.countDown();
				awaitQuietly(release);
			}
		};
		Future<RecordMetadata> first = send(producer, "a", "1");
		this.topics.put("a", 1);
		assertThat(handing.await(20, TimeUnit.SECONDS)).isTrue();
		Future<RecordMetadata> second = send(producer, "a", "2");
		release.countDown();
		first.get(20, TimeUnit.SECONDS);
		second.get(20, TimeUnit.SECONDS);
		assertThat(this.handedOver).containsExactly("1 to client 0", "2 to client 0");
	}

	/** Red when deadlines are fired by the thread that hands over. */
	@Test
	void aDeadlineFiresWhileAHandOverIsStuck() throws Exception {
		SendingProducer<String, String> producer = producer(Duration.ofSeconds(1), Duration.ofMillis(20));
		CountDownLatch handing = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		this.onSend = (client, record) -> {
			handing.countDown();
			awaitQuietly(release);
		};
		send(producer, "a", "1");
		this.topics.put("a", 1);
		assertThat(handing.await(20, TimeUnit.SECONDS)).isTrue();
		SendFailedException failure = failure(send(producer, "b", "2"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		release.countDown();
	}

	/**
	 * An acknowledgment wakes the line that waits for its memory, and the line looks by
	 * itself 20 ms later; without either the record would wait for its back-off.
	 */
	@Test
	void anAcknowledgmentWakesWhoWaitsForItsMemory() throws Exception {
		this.topics.put("a", 1);
		SendingProducer<String, String> producer = producer(NEVER, NEVER);
		awaitClients(1);
		FakeClient client = this.clients.get(0);
		this.onSend = (c, record) -> c.leaveOpen();
		send(producer, "a", "1");
		client.full = true;
		AtomicInteger refused = client.refusals;
		Future<RecordMetadata> waiting = send(producer, "a", "2");
		// By the caller, by the scheduler, and once more after it noted that it waits.
		await().until(() -> refused.get() >= 2);
		await().pollDelay(Duration.ofMillis(100)).until(() -> !waiting.isDone());
		this.onSend = (c, record) -> {
		};
		client.full = false;
		client.open.remove(0).onCompletion(metadata("a"), null);
		assertThat(waiting.get(20, TimeUnit.SECONDS)).isNotNull();
	}

	/** Red when a second answer of the client is taken for another end. */
	@Test
	void aSendEndsOnceWhateverTheClientSaysLater() throws Exception {
		this.topics.put("a", 1);
		SendingProducer<String, String> producer = producer(NEVER, NEVER);
		awaitClients(1);
		this.onSend = (client, record) -> client.leaveOpen();
		List<String> ends = new CopyOnWriteArrayList<>();
		producer.send(new ProducerRecord<>("a", "k", "1"),
				(metadata, exception) -> ends.add((exception != null) ? "failed" : "done"));
		await().until(() -> this.clients.get(0).open.size() == 1);
		Callback callback = this.clients.get(0).open.get(0);
		this.onSend = (client, record) -> {
		};
		callback.onCompletion(null, new TimeoutException("late"));
		// Completions run in order: what follows is told after what went before.
		send(producer, "a", "2").get(20, TimeUnit.SECONDS);
		callback.onCompletion(metadata("a"), null);
		callback.onCompletion(null, new TimeoutException("later"));
		send(producer, "a", "3").get(20, TimeUnit.SECONDS);
		assertThat(ends).containsExactly("failed");
	}

	private SendingProducer<String, String> producer(Duration metadataTimeout, Duration interval) {
		TopicSettings limits = new TopicSettings(metadataTimeout, metadataTimeout, interval, 1, interval, 0,
				Integer.MAX_VALUE, this.failFast);
		ProducerSettings settings = new ProducerSettings(limits, Map.of(), 1_000, 1_000_000,
				ProducerSettings.WhenFull.WAIT, NEVER, Duration.ofSeconds(1));
		ClientSpec<String, String> spec = new ClientSpec<>("test", List.of("localhost:1"), new StringSerializer(),
				new StringSerializer(), 1_000_000, NEVER, (key, value) -> {
					FakeClient client = new FakeClient(this.clients.size(), key);
					this.clients.add(client);
					return client;
				});
		SendingProducer<String, String> producer = new SendingProducer<>(spec, settings, ProducerRuntime.SYSTEM,
				new ProducerRegistry((managed) -> SendObserver.NONE), ClientLife.Events.none());
		this.producers.add(producer);
		return producer.start();
	}

	private void awaitClients(int count) {
		await().until(() -> this.clients.size() == count && this.producers.get(0).hasClient());
	}

	private static Future<RecordMetadata> send(SendingProducer<String, String> producer, String topic, String value) {
		return producer.send(new ProducerRecord<>(topic, "k", value));
	}

	private static SendFailedException failure(Future<RecordMetadata> send) throws Exception {
		try {
			send.get(20, TimeUnit.SECONDS);
		}
		catch (ExecutionException ex) {
			return (SendFailedException) ex.getCause();
		}
		throw new AssertionError("The send succeeded");
	}

	private static RecordMetadata metadata(String topic) {
		return new RecordMetadata(new TopicPartition(topic, 0), 0, 0, 0, 0, 0);
	}

	private static void awaitQuietly(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private final class FakeClient extends MockProducer<String, String> {

		private final int number;

		private final HandOverSerializer<String> key;

		private final AtomicInteger looks = new AtomicInteger();

		private final AtomicInteger refusals = new AtomicInteger();

		private final List<Callback> open = new CopyOnWriteArrayList<>();

		private volatile boolean full;

		private final ThreadLocal<Boolean> leaveOpen = ThreadLocal.withInitial(() -> false);

		FakeClient(int number, HandOverSerializer<String> key) {
			this.number = number;
			this.key = key;
		}

		@Override
		public Map<MetricName, Metric> metrics() {
			MetricName name = new MetricName("record-retry-total", "producer-topic-metrics", "",
					Map.of("client-id", "test", "topic", "a"));
			return Map.of(name, new Metric() {

				@Override
				public MetricName metricName() {
					return name;
				}

				@Override
				public Object metricValue() {
					return SendingProducerGuardTests.this.retries;
				}

			});
		}

		void answer() {
			this.key.onUpdate(new ClusterResource("cluster"));
		}

		void leaveOpen() {
			this.leaveOpen.set(true);
		}

		@Override
		public List<PartitionInfo> partitionsFor(String topic) {
			this.looks.incrementAndGet();
			Object known = SendingProducerGuardTests.this.topics.get(topic);
			if (known instanceof RuntimeException ex) {
				throw ex;
			}
			if (known == null) {
				throw new TimeoutException("not known");
			}
			List<PartitionInfo> result = new ArrayList<>();
			for (int partition = 0; partition < (int) known; partition++) {
				result.add(new PartitionInfo(topic, partition, Node.noNode(), new Node[0], new Node[0]));
			}
			return result;
		}

		@Override
		public Future<RecordMetadata> send(ProducerRecord<String, String> record, Callback callback) {
			if (this.full) {
				this.refusals.incrementAndGet();
				callback.onCompletion(null, new BufferExhaustedException("full"));
				return CompletableFuture.failedFuture(new BufferExhaustedException("full"));
			}
			this.leaveOpen.set(false);
			SendingProducerGuardTests.this.onSend.accept(this, record);
			if (this.leaveOpen.get()) {
				this.open.add(callback);
			}
			else {
				SendingProducerGuardTests.this.handedOver.add(record.value() + " to client " + this.number);
				callback.onCompletion(metadata(record.topic()), null);
			}
			return new CompletableFuture<>();
		}

	}

}
