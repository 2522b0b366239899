package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Sending producers over clients that the test plays: they know the topic {@code orders}
 * with one partition, and answer when they are told to.
 */
final class MockClients implements AutoCloseable {

	static final Duration DELIVERY = Duration.ofSeconds(1);

	/** Says in a header what it has written, as those for objects do. */
	static final Serializer<String> VALUES = new StringSerializer() {

		@Override
		public byte[] serialize(String topic, Headers headers, String data) {
			headers.add("type", new byte[] { 's' });
			return super.serialize(topic, headers, data);
		}

	};

	final List<MockProducer<String, String>> made = new CopyOnWriteArrayList<>();

	/** The serializer that the client of this moment was made with. */
	volatile Serializer<String> values;

	private final AtomicLong ahead = new AtomicLong();

	private final Function<Integer, MockProducer<String, String>> clients;

	private final SendingProducer<String, String> producer;

	/**
	 * Make a producer.
	 * @param settings its limits
	 * @param clients makes its clients, which are counted from zero
	 */
	MockClients(ProducerSettings settings, Function<Integer, MockProducer<String, String>> clients) {
		this(settings, clients, SendObserver.NONE);
	}

	MockClients(ProducerSettings settings, Function<Integer, MockProducer<String, String>> clients,
			SendObserver observer) {
		this(settings, clients, observer, UserCode.none());
	}

	MockClients(ProducerSettings settings, Function<Integer, MockProducer<String, String>> clients,
			Serializer<String> values) {
		this(settings, clients, SendObserver.NONE, UserCode.none(), values);
	}

	MockClients(ProducerSettings settings, Function<Integer, MockProducer<String, String>> clients,
			SendObserver observer, UserCode<String, String> userCode) {
		this(settings, clients, observer, userCode, VALUES);
	}

	private MockClients(ProducerSettings settings, Function<Integer, MockProducer<String, String>> clients,
			SendObserver observer, UserCode<String, String> userCode, Serializer<String> valueSerializer) {
		this.clients = clients;
		ProducerRuntime system = ProducerRuntime.SYSTEM;
		ProducerRuntime runtime = new ProducerRuntime(() -> System.nanoTime() + this.ahead.get(), system.random(),
				system.threads(), system.later());
		ClientSpec<String, String> spec = new ClientSpec<>("mock", List.of("localhost:1"), new StringSerializer(),
				valueSerializer, 1_000_000, DELIVERY, (key, value) -> {
					this.values = value;
					return newClient();
				}, userCode);
		this.producer = new SendingProducer<>(spec, settings.withDeliveryTimeout(DELIVERY), runtime,
				new ProducerRegistry((producer) -> observer), ClientLife.Events.none())
			.start();
		awaitClient();
	}

	private MockProducer<String, String> newClient() {
		MockProducer<String, String> client = this.clients.apply(this.made.size());
		this.made.add(client);
		return client;
	}

	SendingProducer<String, String> producer() {
		return this.producer;
	}

	void awaitClient() {
		await().atMost(Duration.ofSeconds(20)).until(() -> this.producer.hasClient());
	}

	/** Let the producer's clock jump. */
	void advance(Duration duration) {
		this.ahead.addAndGet(duration.toNanos());
	}

	static Cluster cluster() {
		Node node = new Node(0, "localhost", 1);
		PartitionInfo partition = new PartitionInfo("orders", 0, node, new Node[] { node }, new Node[] { node });
		return new Cluster("cluster", List.of(node), List.of(partition), Set.of(), Set.of());
	}

	static SendFailedException failure(Future<RecordMetadata> send) {
		Throwable thrown = catchThrowable(() -> send.get(20, TimeUnit.SECONDS));
		assertThat(thrown).isInstanceOf(ExecutionException.class);
		assertThat(thrown.getCause()).isInstanceOf(SendFailedException.class);
		return (SendFailedException) thrown.getCause();
	}

	@Override
	public void close() {
		this.producer.close(Duration.ZERO);
	}

	/**
	 * A client that answers only when told to.
	 */
	static class Manual extends MockProducer<String, String> {

		Manual() {
			super(cluster(), false, null, new StringSerializer(), new StringSerializer());
		}

	}

}
