package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * What the user's code sees of a record, without a broker.
 */
class UserCodeTests {

	private final Recording recording = new Recording();

	private final AtomicInteger partitioned = new AtomicInteger();

	private volatile RuntimeException thrown;

	private final UserCode<String, String> userCode = new UserCode<>(List.of(new Throwing(), this.recording),
			new Counting());

	/** Red when some end of a send is not told, or twice. */
	@Test
	void interceptorsHearOfEveryEndOnce() throws Exception {
		ProducerSettings settings = ProducerSettings.DEFAULTS.withMetadataTimeout(Duration.ofMillis(200));
		MockClients clients = new MockClients(settings, (number) -> new MockClients.Manual(), SendObserver.NONE,
				this.userCode);
		MockProducer<String, String> client = clients.made.get(0);
		Future<RecordMetadata> stored = send(clients, "orders");
		assertThat(client.completeNext()).isTrue();
		stored.get(20, TimeUnit.SECONDS);
		Future<RecordMetadata> refused = send(clients, "orders");
		assertThat(client.errorNext(new TimeoutException("expired"))).isTrue();
		MockClients.failure(refused);
		MockClients.failure(send(clients, "no topic"));
		MockClients.failure(send(clients, "missing"));
		MockClients.failure(send(clients, "missing"));
		clients.close();
		MockClients.failure(send(clients, "orders"));
		assertThat(this.recording.seen).isEqualTo(6);
		assertThat(this.recording.ended).containsExactly("orders-0 stored", "orders-0 DELIVERY_TIMEOUT",
				"no topic--1 INVALID_TOPIC", "missing--1 BROKERS_UNREACHABLE", "missing--1 FAIL_FAST",
				"orders--1 CLOSED");
		assertThat(this.recording.closed).isOne();
	}

	@Test
	void anInterceptorThatReturnsNothingCostsItsRecordOnly() throws Exception {
		try (MockClients clients = new MockClients(ProducerSettings.DEFAULTS, (number) -> new MockClients.Manual(),
				SendObserver.NONE, this.userCode)) {
			this.recording.returnsNothing = true;
			SendFailedException failure = MockClients.failure(send(clients, "orders"));
			assertThat(failure.getReason()).isEqualTo(FailureReason.UNKNOWN);
			assertThat(failure.isPossiblySent()).isFalse();
			this.recording.returnsNothing = false;
			Future<RecordMetadata> next = send(clients, "orders");
			assertThat(clients.made.get(0).completeNext()).isTrue();
			assertThat(next.get(20, TimeUnit.SECONDS)).isNotNull();
			assertThat(this.recording.ended).hasSize(2);
		}
	}

	@Test
	void aPartitionerIsAskedOnce() {
		HandOverPartitioner asClient = partitioner();
		ProducerRecord<String, String> record = new ProducerRecord<>("orders", "key", "value");
		Prepared<String, String> prepared = new Prepared<>(record);
		this.userCode.offering(prepared);
		assertThat(ask(asClient, record)).isZero();
		assertThat(ask(asClient, record)).isZero();
		assertThat(this.partitioned).hasValue(1);
		// A wrapper of the client may send something else in the same call.
		assertThat(ask(asClient, new ProducerRecord<>("orders", "key", "copy"))).isZero();
		assertThat(this.partitioned).hasValue(2);
		this.userCode.offering(null);
		assertThat(ask(asClient, record)).isZero();
		assertThat(this.partitioned).hasValue(3);
	}

	@Test
	void whatAPartitionerThrowsIsNotTheClients() {
		HandOverPartitioner asClient = partitioner();
		this.thrown = new IllegalStateException("closed");
		assertThatThrownBy(() -> ask(asClient, new ProducerRecord<>("orders", "value")))
			.isInstanceOf(UserCodeException.class)
			.satisfies((ex) -> {
				assertThat(Diagnoser.isFatal(ex)).isFalse();
				Diagnosis found = Diagnoser.classify(ex);
				assertThat(found.reason()).isEqualTo(FailureReason.UNKNOWN);
				assertThat(found.cause()).isSameAs(this.thrown);
			});
	}

	/** Red when an array, a header or the list of headers stays the caller's. */
	@Test
	void whatWaitsDoesNotDependOnItsCaller() {
		byte[] reused = { 1 };
		ProducerRecord<byte[], byte[]> record = new ProducerRecord<>("orders", 0, reused, reused);
		record.headers().add("header", reused);
		Prepared<byte[], byte[]> prepared = new Prepared<>(record);
		prepared.serialized("orders", reused, true, reused);
		prepared.serialized("orders", reused, false, reused);
		ProducerRecord<byte[], byte[]> copy = prepared.detach(record, 42);
		reused[0] = 2;
		record.headers().add("late", reused);
		assertThat(copy.timestamp()).isEqualTo(42);
		assertThat(copy.key()).containsExactly(1);
		assertThat(copy.value()).containsExactly(1);
		assertThat(copy.headers().toArray()).hasSize(1);
		assertThat(copy.headers().lastHeader("header").value()).containsExactly(1);
		assertThat(prepared.knows("orders", copy.key(), true)).isTrue();
		assertThat(prepared.bytes(true)).containsExactly(1);
		assertThat(prepared.bytes(false)).containsExactly(1);
	}

	/** Red when an Error hits the caller in one state and the future in another. */
	@Test
	void anErrorOfASerializerHasOneWay() {
		NoClassDefFoundError error = new NoClassDefFoundError("gone");
		Serializer<String> failing = (topic, data) -> {
			throw error;
		};
		MockClients[] clients = new MockClients[1];
		clients[0] = new MockClients(ProducerSettings.DEFAULTS, (number) -> new MockClients.Manual() {

			@Override
			public synchronized Future<RecordMetadata> send(ProducerRecord<String, String> record, Callback callback) {
				clients[0].values.serialize(record.topic(), record.headers(), record.value());
				return super.send(record, callback);
			}

		}, failing);
		try (MockClients used = clients[0]) {
			for (String topic : List.of("orders", "missing")) {
				SendFailedException failure = MockClients.failure(send(used, topic));
				assertThat(failure.getReason()).isEqualTo(FailureReason.SERIALIZATION);
				assertThat(failure.isPossiblySent()).isFalse();
				assertThat(failure).hasRootCause(error)
					.hasMessageContaining("value serializer " + failing.getClass().getName()
							+ " was given java.lang.String and threw java.lang.NoClassDefFoundError")
					.hasMessageContaining("Not sent: it would fail again.");
			}
			assertThat(used.made).hasSize(1);
		}
	}

	/** Red when what a wrapper throws is taken for the client's state. */
	@Test
	void whatAWrapperOfTheClientThrowsCostsItsRecordOnly() throws Exception {
		MockProducer<String, String> inner = new MockClients.Manual();
		Producer<String, String> marked = this.userCode.mark(inner);
		MockClients clients = new MockClients(ProducerSettings.DEFAULTS, (number) -> new MockClients.Manual() {

			@Override
			public synchronized Future<RecordMetadata> send(ProducerRecord<String, String> record, Callback callback) {
				if (record.value().equals("before")) {
					throw new IllegalStateException("no tenant");
				}
				Future<RecordMetadata> result = marked.send(record, callback);
				if (record.value().equals("after")) {
					throw new IllegalStateException("no span");
				}
				return result;
			}

		}, SendObserver.NONE, this.userCode);
		try (clients) {
			SendFailedException before = MockClients
				.failure(clients.producer().send(new ProducerRecord<>("orders", "before")));
			assertThat(before.getReason()).isEqualTo(FailureReason.UNKNOWN);
			assertThat(before.isPossiblySent()).isFalse();
			SendFailedException after = MockClients
				.failure(clients.producer().send(new ProducerRecord<>("orders", "after")));
			assertThat(after.getReason()).isEqualTo(FailureReason.UNKNOWN);
			assertThat(after.isPossiblySent()).isTrue();
			assertThat(clients.producer().hasClient()).as("not given up").isTrue();
			inner.sendException = new KafkaException("in an error state", new TimeoutException("gone"));
			SendFailedException fatal = MockClients.failure(send(clients, "orders"));
			assertThat(fatal.getReason()).isEqualTo(FailureReason.PRODUCER_FATAL);
		}
	}

	@Test
	void aCallOfUserCodeThatSendsKeepsApartWhatItSends() {
		Prepared<String, String> outer = new Prepared<>(new ProducerRecord<>("orders", "outer"));
		Prepared<String, String> inner = new Prepared<>(new ProducerRecord<>("orders", "inner"));
		assertThat(this.userCode.offering(outer)).isNull();
		assertThat(this.userCode.offering(inner)).isSameAs(outer);
		this.userCode.offering(outer);
		assertThat(this.userCode.offering()).isSameAs(outer);
		this.userCode.offering(null);
		assertThat(this.userCode.offering()).isNull();
	}

	private HandOverPartitioner partitioner() {
		HandOverPartitioner result = new HandOverPartitioner();
		result.configure(Map.of(HandOverPartitioner.TARGET, this.userCode));
		return result;
	}

	private static int ask(HandOverPartitioner partitioner, ProducerRecord<String, String> record) {
		return partitioner.partition(record.topic(), record.key(), null, record.value(), new byte[0],
				MockClients.cluster());
	}

	private static Future<RecordMetadata> send(MockClients clients, String topic) {
		return clients.producer().send(new ProducerRecord<>(topic, "value"));
	}

	private final class Counting implements Partitioner {

		@Override
		public int partition(String topic, Object key, byte[] keyBytes, Object value, byte[] valueBytes,
				Cluster cluster) {
			UserCodeTests.this.partitioned.incrementAndGet();
			RuntimeException exception = UserCodeTests.this.thrown;
			if (exception != null) {
				throw exception;
			}
			return 0;
		}

		@Override
		public void close() {
			throw new IllegalStateException("cannot be closed");
		}

		@Override
		public void configure(Map<String, ?> configs) {
		}

	}

	private static final class Throwing implements ProducerInterceptor<String, String> {

		@Override
		public ProducerRecord<String, String> onSend(ProducerRecord<String, String> record) {
			throw new IllegalStateException("in onSend");
		}

		@Override
		public void onAcknowledgement(RecordMetadata metadata, Exception exception) {
			throw new AssertionError("in onAcknowledgement");
		}

		@Override
		public void close() {
			throw new IllegalStateException("in close");
		}

		@Override
		public void configure(Map<String, ?> configs) {
		}

	}

	private static final class Recording implements ProducerInterceptor<String, String> {

		private final List<String> ended = new CopyOnWriteArrayList<>();

		private int seen;

		private int closed;

		private volatile boolean returnsNothing;

		@Override
		public ProducerRecord<String, String> onSend(ProducerRecord<String, String> record) {
			this.seen++;
			return this.returnsNothing ? null : record;
		}

		@Override
		public void onAcknowledgement(RecordMetadata metadata, Exception exception) {
			assertThat(metadata.hasOffset()).isEqualTo(exception == null);
			this.ended.add(metadata.topic() + "-" + metadata.partition() + " "
					+ ((exception instanceof SendFailedException failure) ? failure.getReason() : "stored"));
		}

		@Override
		public void close() {
			this.closed++;
		}

		@Override
		public void configure(Map<String, ?> configs) {
		}

	}

}
