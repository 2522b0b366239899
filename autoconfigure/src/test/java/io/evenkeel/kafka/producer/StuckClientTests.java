package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * A client whose I/O thread is stuck answers nothing, flushes and closes for ever. Sends
 * end all the same.
 */
class StuckClientTests {

	private static final Duration DELIVERY = Duration.ofSeconds(1);

	private static final Duration SLACK = Duration.ofMillis(500);

	private final CountDownLatch stuck = new CountDownLatch(1);

	private final AtomicLong ahead = new AtomicLong();

	private final AtomicInteger made = new AtomicInteger();

	private final List<MockProducer<String, String>> clients = new ArrayList<>();

	private boolean flushHangs = true;

	private boolean closeHangs;

	private SendingProducer<String, String> producer = newProducer(ProducerSettings.DEFAULTS);

	@AfterEach
	void release() {
		this.stuck.countDown();
		this.producer.close(Duration.ZERO);
	}

	/** Red without the sweep of what is in flight. */
	@Test
	void aSendThatTheClientNeverEndsEndsAtItsDeadlineOnce() throws Exception {
		awaitClient();
		AtomicInteger callbacks = new AtomicInteger();
		long start = System.nanoTime();
		Future<RecordMetadata> send = this.producer.send(new ProducerRecord<>("orders", "v"),
				(metadata, exception) -> callbacks.incrementAndGet());
		SendFailedException failure = failure(send);
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(DELIVERY, DELIVERY.plus(SLACK));
		assertThat(failure.getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.DELIVERY);
		assertThat(failure.isPossiblySent()).isTrue();
		assertThat(failure).hasMessageContaining("Limit: delivery-timeout=1s.");
		this.clients.get(0).completeNext();
		Future<RecordMetadata> next = this.producer.send(new ProducerRecord<>("orders", "v"));
		this.clients.get(0).completeNext();
		next.get(5, TimeUnit.SECONDS);
		assertThat(callbacks).hasValue(1);
	}

	/** Red when the client's answer does not clear its place. */
	@Test
	void whatTheClientEndedIsNotEndedAgain() throws Exception {
		awaitClient();
		List<Future<RecordMetadata>> sends = new ArrayList<>();
		for (int i = 0; i < 2000; i++) {
			sends.add(this.producer.send(new ProducerRecord<>("orders", "v")));
		}
		while (this.clients.get(0).completeNext()) {
			// each of them
		}
		for (Future<RecordMetadata> send : sends) {
			assertThat(send.get(5, TimeUnit.SECONDS)).isNotNull();
		}
		this.ahead.addAndGet(Duration.ofMinutes(1).toNanos());
		Future<RecordMetadata> late = this.producer.send(new ProducerRecord<>("orders", "v"));
		assertThat(failure(late).getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
		assertThat(this.made).hasValue(1);
	}

	@Test
	void flushReturnsWhenEverySendHasEnded() {
		awaitClient();
		Future<RecordMetadata> send = this.producer.send(new ProducerRecord<>("orders", "v"));
		long start = System.nanoTime();
		this.producer.flush();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(DELIVERY.plus(SLACK.multipliedBy(3)));
		assertThat(send).isDone();
	}

	@Test
	void anInterruptedFlushSaysSoAndKeepsTheFlag() {
		awaitClient();
		this.producer.send(new ProducerRecord<>("orders", "v"));
		Thread.currentThread().interrupt();
		Throwable thrown = catchThrowable(this.producer::flush);
		assertThat(Thread.interrupted()).isTrue();
		assertThat(thrown).isInstanceOf(InterruptException.class);
	}

	/** Red when the client is closed on the closing thread. */
	@Test
	void closeReturnsAndEndsWhatTheClientDoesNot() throws Exception {
		awaitClient();
		this.closeHangs = true;
		Future<RecordMetadata> send = this.producer.send(new ProducerRecord<>("orders", "v"));
		long start = System.nanoTime();
		this.producer.close(Duration.ofMillis(200));
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
		SendFailedException failure = failure(send);
		assertThat(failure.getReason()).isEqualTo(FailureReason.CLOSED);
		assertThat(failure.isPossiblySent()).isTrue();
	}

	/** Red without the replacement of a client that does not answer. */
	@Test
	void aClientThatDoesNotAnswerIsReplaced() throws Exception {
		awaitClient();
		this.closeHangs = true;
		Future<RecordMetadata> first = this.producer.send(new ProducerRecord<>("orders", "v"));
		failure(first);
		this.ahead.addAndGet(Duration.ofSeconds(20).toNanos());
		await().atMost(Duration.ofSeconds(20)).until(() -> this.made.get() == 2);
		awaitClient();
		Future<RecordMetadata> second = this.producer.send(new ProducerRecord<>("orders", "v"));
		await().atMost(Duration.ofSeconds(5)).until(() -> this.clients.get(1).completeNext());
		assertThat(second.get(5, TimeUnit.SECONDS)).isNotNull();
	}

	/** Red when a record's share is forgotten together with its bytes. */
	@Test
	void recordsThatFailedOrWentGiveTheirShareOfTheBufferBack() throws Exception {
		this.producer.close(Duration.ZERO);
		this.producer = newProducer(ProducerSettings.DEFAULTS.withMetadataTimeout(Duration.ofMillis(300)));
		awaitClient();
		List<Future<RecordMetadata>> sends = new ArrayList<>();
		for (int i = 0; i < 100; i++) {
			sends.add(this.producer.send(new ProducerRecord<>("missing", "x".repeat(1000))));
		}
		assertThat(this.producer.pendingBytes()).isGreaterThan(100_000);
		for (Future<RecordMetadata> send : sends) {
			failure(send);
		}
		assertThat(this.producer.pendingRecords()).isZero();
		assertThat(this.producer.pendingBytes()).isZero();
	}

	private static SendFailedException failure(Future<RecordMetadata> send) {
		Throwable cause = catchThrowable(() -> send.get(20, TimeUnit.SECONDS));
		assertThat(cause).isInstanceOf(ExecutionException.class);
		assertThat(cause.getCause()).isInstanceOf(SendFailedException.class);
		return (SendFailedException) cause.getCause();
	}

	private void awaitClient() {
		await().atMost(Duration.ofSeconds(10)).until(() -> this.producer.hasClient());
	}

	private SendingProducer<String, String> newProducer(ProducerSettings settings) {
		ProducerRuntime system = ProducerRuntime.SYSTEM;
		ProducerRuntime runtime = new ProducerRuntime(() -> System.nanoTime() + this.ahead.get(), system.random(),
				system.threads(), system.later());
		ClientSpec<String, String> spec = new ClientSpec<>("stuck", List.of("localhost:1"), new StringSerializer(),
				new StringSerializer(), 1_000_000, DELIVERY, (key, value) -> newClient());
		return new SendingProducer<>(spec, settings.withDeliveryTimeout(DELIVERY), runtime,
				new ProducerRegistry((producer) -> SendObserver.NONE), ClientLife.Events.none())
			.start();
	}

	private MockProducer<String, String> newClient() {
		Node node = new Node(0, "localhost", 1);
		PartitionInfo partition = new PartitionInfo("orders", 0, node, new Node[] { node }, new Node[] { node });
		Cluster cluster = new Cluster("cluster", List.of(node), List.of(partition), Set.of(), Set.of());
		MockProducer<String, String> client = new MockProducer<>(cluster, false, null, new StringSerializer(),
				new StringSerializer()) {

			@Override
			public synchronized void flush() {
				if (StuckClientTests.this.flushHangs) {
					hang();
				}
			}

			@Override
			public void close(Duration timeout) {
				if (StuckClientTests.this.closeHangs && StuckClientTests.this.clients.get(0) == this) {
					hang();
				}
				super.close(timeout);
			}

		};
		this.clients.add(client);
		this.made.incrementAndGet();
		return client;
	}

	private void hang() {
		try {
			this.stuck.await();
		}
		catch (InterruptedException ex) {
			throw new InterruptException(ex);
		}
	}

}
