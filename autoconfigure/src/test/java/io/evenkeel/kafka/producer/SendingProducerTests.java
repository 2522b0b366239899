package io.evenkeel.kafka.producer;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What a sending producer makes of the odd answers of its client.
 */
class SendingProducerTests {

	private static final ProducerSettings SETTINGS = ProducerSettings.DEFAULTS
		.withMetadataTimeout(Duration.ofSeconds(5));

	private final AtomicReference<RuntimeException> thrown = new AtomicReference<>();

	private final AtomicReference<Error> error = new AtomicReference<>();

	private final AtomicBoolean full = new AtomicBoolean();

	private final AtomicBoolean fullOnce = new AtomicBoolean();

	private final MockClients clients = new MockClients(SETTINGS, (number) -> new MockClients.Manual() {

		@Override
		public synchronized Future<RecordMetadata> send(ProducerRecord<String, String> record, Callback callback) {
			RuntimeException exception = SendingProducerTests.this.thrown.getAndSet(null);
			if (exception != null) {
				if (number == 0 && exception instanceof LostRace) {
					// As if the client had been given up between the look and the call.
					SendingProducerTests.this.clients().producer().replaceStuck();
				}
				throw exception;
			}
			Error error = SendingProducerTests.this.error.getAndSet(null);
			if (error != null) {
				throw error;
			}
			if (SendingProducerTests.this.fullOnce.getAndSet(false)) {
				// The client has serialized by then.
				SendingProducerTests.this.clients().values.serialize(record.topic(), record.headers(), record.value());
				callback.onCompletion(null, new BufferExhaustedException("no memory"));
				return null;
			}
			if (SendingProducerTests.this.full.get()) {
				callback.onCompletion(null, new BufferExhaustedException("no memory"));
				return null;
			}
			return super.send(record, callback);
		}

		@Override
		public List<PartitionInfo> partitionsFor(String topic) {
			if (topic.equals("tls")) {
				throw new SslAuthenticationException("handshake failed");
			}
			return super.partitionsFor(topic);
		}

	});

	private MockClients clients() {
		return this.clients;
	}

	@AfterEach
	void close() {
		this.clients.close();
	}

	/** Red when the client's "closed" counts as the producer's. */
	@Test
	void aSendThatMeetsAClientBeingReplacedGoesToTheNext() throws Exception {
		this.thrown.set(new LostRace());
		Future<RecordMetadata> send = send("orders");
		await().atMost(Duration.ofSeconds(20)).until(() -> this.clients.made.size() == 2);
		await().atMost(Duration.ofSeconds(5)).until(() -> this.clients.made.get(1).completeNext());
		assertThat(send.get(5, TimeUnit.SECONDS)).isNotNull();
	}

	/** Red when a client that refuses everything is kept. */
	@Test
	void aClientInAnIllegalStateIsReplaced() throws Exception {
		this.thrown.set(new IllegalStateException("in an error state"));
		SendFailedException failure = MockClients.failure(send("orders"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.PRODUCER_FATAL);
		assertThat(failure.isPossiblySent()).isTrue();
		await().atMost(Duration.ofSeconds(20)).until(() -> this.clients.made.size() == 2);
		Future<RecordMetadata> next = send("orders");
		await().atMost(Duration.ofSeconds(5)).until(() -> this.clients.made.get(1).completeNext());
		assertThat(next.get(5, TimeUnit.SECONDS)).isNotNull();
	}

	/** Red when only exceptions are caught: the record would be lost, the caller hit. */
	@Test
	void anErrorOfTheClientFailsItsRecordOnly() throws Exception {
		this.error.set(new NoClassDefFoundError("gone"));
		SendFailedException failure = MockClients.failure(send("orders"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.UNKNOWN);
		assertThat(failure.getCause()).isInstanceOf(NoClassDefFoundError.class);
		Future<RecordMetadata> next = send("orders");
		assertThat(this.clients.made.get(0).completeNext()).isTrue();
		assertThat(next.get(5, TimeUnit.SECONDS)).isNotNull();
	}

	/** Red when a snapshot takes any wait for one for metadata, or remembers it. */
	@Test
	void aFullClientIsNoTroubleWithTheCluster() throws Exception {
		this.full.set(true);
		Future<RecordMetadata> send = send("orders");
		await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> {
			ProducerSnapshot snapshot = this.clients.producer().snapshot();
			assertThat(snapshot.topics()).singleElement()
				.satisfies((topic) -> assertThat(topic.reason()).isEqualTo(FailureReason.BUFFER_FULL));
			assertThat(snapshot.trouble()).isNull();
		});
		this.full.set(false);
		MockProducer<String, String> client = this.clients.made.get(0);
		await().atMost(Duration.ofSeconds(5)).until(client::completeNext);
		assertThat(send.get(5, TimeUnit.SECONDS)).isNotNull();
	}

	/** Red when a record that is serialized twice gets what a serializer adds twice. */
	@Test
	void aRecordThatFindsNoMemoryKeepsItsHeaders() throws Exception {
		this.fullOnce.set(true);
		Future<RecordMetadata> send = send("orders");
		MockProducer<String, String> client = this.clients.made.get(0);
		await().atMost(Duration.ofSeconds(5)).until(client::completeNext);
		assertThat(send.get(5, TimeUnit.SECONDS)).isNotNull();
		assertThat(client.history().get(0).headers().headers("type")).hasSize(1);
	}

	/** Red when trouble lasts until the next answer about metadata, minutes later. */
	@Test
	void aDeliveryEndsTheTrouble() throws Exception {
		SendFailedException failure = MockClients.failure(send("missing"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		assertThat(this.clients.producer().snapshot().trouble()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		Future<RecordMetadata> send = send("orders");
		assertThat(this.clients.made.get(0).completeNext()).isTrue();
		send.get(5, TimeUnit.SECONDS);
		assertThat(this.clients.producer().snapshot().trouble()).isNull();
	}

	/**
	 * Red when an outage is noticed when the first wait ends, however long that may be.
	 */
	@Test
	void anOutageIsTroubleFromTheBeginningOfTheWait() {
		send("missing");
		await().atMost(Duration.ofSeconds(5)).until(() -> this.clients.producer().snapshot().pendingRecords() == 1);
		this.clients.advance(Duration.ofSeconds(2));
		ProducerSnapshot snapshot = this.clients.producer().snapshot();
		assertThat(snapshot.trouble()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		assertThat(snapshot.troubledMillis()).isBetween(2_000L, 5_000L);
	}

	/** Red when a record that the client gave up says nothing of the cluster. */
	@Test
	void aDeliveryThatTimesOutInSilenceIsTrouble() {
		Future<RecordMetadata> send = send("orders");
		assertThat(this.clients.made.get(0).errorNext(new TimeoutException("expired"))).isTrue();
		assertThat(MockClients.failure(send).getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
		assertThat(this.clients.producer().snapshot().trouble()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
	}

	/** Red when a refusal fails its line without being remembered. */
	@Test
	void aTlsFailureIsTrouble() {
		SendFailedException failure = MockClients.failure(send("tls"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.TLS);
		assertThat(this.clients.producer().snapshot().trouble()).isEqualTo(FailureReason.TLS);
	}

	/**
	 * Red when what an observer throws is not caught: no callback, no template's future.
	 */
	@Test
	void metersThatFailKeepNobodyFromTheEnd() throws Exception {
		SendObserver failing = (SendObserver) Proxy.newProxyInstance(getClass().getClassLoader(),
				new Class<?>[] { SendObserver.class }, (proxy, method, args) -> {
					if (method.getName().equals("isActive")) {
						return true;
					}
					throw new IllegalArgumentException("no such meter");
				});
		try (MockClients observed = new MockClients(SETTINGS, (number) -> new MockClients.Manual(), failing)) {
			CompletableFuture<RecordMetadata> told = new CompletableFuture<>();
			Future<RecordMetadata> send = observed.producer()
				.send(new ProducerRecord<>("orders", "key", "value"), (metadata, failure) -> told.complete(metadata));
			assertThat(observed.made.get(0).completeNext()).isTrue();
			assertThat(send.get(5, TimeUnit.SECONDS)).isNotNull();
			assertThat(told.get(5, TimeUnit.SECONDS)).isNotNull();
			assertThat(MockClients.failure(observed.producer().send(new ProducerRecord<>("no topic", "value"), null)))
				.isNotNull();
		}
	}

	/** The stock template throws what it finds finished right after its call. */
	@Test
	void aFailureIsFoundWithTheSecondLookOnly() {
		Future<RecordMetadata> send = send("no topic");
		await().pollInSameThread().atMost(Duration.ofSeconds(5)).until(() -> isDoneElsewhere(send));
		assertThat(send.isDone()).isFalse();
		assertThat(send.isDone()).isTrue();
		assertThat(MockClients.failure(send).getReason()).isEqualTo(FailureReason.INVALID_TOPIC);
	}

	private static boolean isDoneElsewhere(Future<RecordMetadata> send) throws Exception {
		AtomicBoolean done = new AtomicBoolean();
		Thread other = new Thread(() -> done.set(send.isDone()));
		other.start();
		other.join();
		return done.get();
	}

	private Future<RecordMetadata> send(String topic) {
		return this.clients.producer().send(new ProducerRecord<>(topic, "v"));
	}

	private static final class LostRace extends IllegalStateException {

		private static final long serialVersionUID = 1L;

	}

}
