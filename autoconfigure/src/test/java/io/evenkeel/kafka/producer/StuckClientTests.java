package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.InterruptException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * A client whose I/O thread is stuck answers nothing, flushes and closes for ever. Sends
 * end all the same.
 */
class StuckClientTests {

	private static final Duration DELIVERY = MockClients.DELIVERY;

	private static final Duration SLACK = Duration.ofMillis(500);

	private final CountDownLatch stuck = new CountDownLatch(1);

	private final AtomicInteger looks = new AtomicInteger();

	private volatile boolean forgetful;

	private volatile boolean closeHangs;

	private MockClients clients = newProducer(ProducerSettings.DEFAULTS);

	@AfterEach
	void release() {
		this.stuck.countDown();
		this.clients.close();
	}

	/** Red without the sweep of what is in flight. */
	@Test
	void aSendThatTheClientNeverEndsEndsAtItsDeadlineOnce() throws Exception {
		AtomicInteger callbacks = new AtomicInteger();
		long start = System.nanoTime();
		Future<RecordMetadata> send = this.clients.producer()
			.send(new ProducerRecord<>("orders", "v"), (metadata, exception) -> callbacks.incrementAndGet());
		SendFailedException failure = MockClients.failure(send);
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(DELIVERY, DELIVERY.plus(SLACK));
		assertThat(failure.getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.DELIVERY);
		assertThat(failure.isPossiblySent()).isTrue();
		assertThat(failure).hasMessageContaining("Limit: delivery-timeout=1s.");
		this.clients.made.get(0).completeNext();
		Future<RecordMetadata> next = this.clients.producer().send(new ProducerRecord<>("orders", "v"));
		this.clients.made.get(0).completeNext();
		next.get(5, TimeUnit.SECONDS);
		assertThat(callbacks).hasValue(1);
	}

	/** Red when the client's answer does not clear its place. */
	@Test
	void whatTheClientEndedIsNotEndedAgain() throws Exception {
		List<Future<RecordMetadata>> sends = new ArrayList<>();
		for (int i = 0; i < 2000; i++) {
			sends.add(this.clients.producer().send(new ProducerRecord<>("orders", "v")));
		}
		while (this.clients.made.get(0).completeNext()) {
			// each of them
		}
		for (Future<RecordMetadata> send : sends) {
			assertThat(send.get(5, TimeUnit.SECONDS)).isNotNull();
		}
		this.clients.advance(Duration.ofMinutes(1));
		Future<RecordMetadata> late = this.clients.producer().send(new ProducerRecord<>("orders", "v"));
		assertThat(MockClients.failure(late).getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
		assertThat(this.clients.made).hasSize(1);
	}

	/** Red when the attempts of the wait are forgotten with the hand-over. */
	@Test
	void theAttemptsOfTheWaitCountAfterTheHandOver() {
		this.clients.close();
		this.clients = newProducer(ProducerSettings.DEFAULTS);
		this.forgetful = true;
		Future<RecordMetadata> send = this.clients.producer().send(new ProducerRecord<>("orders", "v"));
		await().atMost(Duration.ofSeconds(10)).until(() -> this.looks.get() > 3);
		this.forgetful = false;
		SendFailedException failure = MockClients.failure(send);
		assertThat(failure.getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
		assertThat(failure.getAttempts()).isGreaterThan(2);
	}

	@Test
	void flushReturnsWhenEverySendHasEnded() {
		Future<RecordMetadata> send = this.clients.producer().send(new ProducerRecord<>("orders", "v"));
		long start = System.nanoTime();
		this.clients.producer().flush();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(DELIVERY.plus(SLACK.multipliedBy(3)));
		assertThat(send).isDone();
	}

	@Test
	void anInterruptedFlushSaysSoAndKeepsTheFlag() {
		this.clients.producer().send(new ProducerRecord<>("orders", "v"));
		Thread.currentThread().interrupt();
		Throwable thrown = catchThrowable(this.clients.producer()::flush);
		assertThat(Thread.interrupted()).isTrue();
		assertThat(thrown).isInstanceOf(InterruptException.class);
	}

	/** Red when the client is closed on the closing thread. */
	@Test
	void closeReturnsAndEndsWhatTheClientDoesNot() throws Exception {
		this.closeHangs = true;
		Future<RecordMetadata> send = this.clients.producer().send(new ProducerRecord<>("orders", "v"));
		long start = System.nanoTime();
		this.clients.producer().close(Duration.ofMillis(200));
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
		SendFailedException failure = MockClients.failure(send);
		assertThat(failure.getReason()).isEqualTo(FailureReason.CLOSED);
		assertThat(failure.isPossiblySent()).isTrue();
	}

	/** Red without the replacement of a client that does not answer. */
	@Test
	void aClientThatDoesNotAnswerIsReplaced() throws Exception {
		this.closeHangs = true;
		Future<RecordMetadata> first = this.clients.producer().send(new ProducerRecord<>("orders", "v"));
		MockClients.failure(first);
		this.clients.advance(Duration.ofSeconds(20));
		await().atMost(Duration.ofSeconds(20)).until(() -> this.clients.made.size() == 2);
		this.clients.awaitClient();
		Future<RecordMetadata> second = this.clients.producer().send(new ProducerRecord<>("orders", "v"));
		await().atMost(Duration.ofSeconds(5)).until(() -> this.clients.made.get(1).completeNext());
		assertThat(second.get(5, TimeUnit.SECONDS)).isNotNull();
	}

	/** Red when a record's share is forgotten together with its bytes. */
	@Test
	void recordsThatFailedOrWentGiveTheirShareOfTheBufferBack() throws Exception {
		this.clients.close();
		this.clients = newProducer(ProducerSettings.DEFAULTS.withMetadataTimeout(Duration.ofMillis(300)));
		List<Future<RecordMetadata>> sends = new ArrayList<>();
		for (int i = 0; i < 100; i++) {
			sends.add(this.clients.producer().send(new ProducerRecord<>("missing", "x".repeat(1000))));
		}
		assertThat(this.clients.producer().pendingBytes()).isGreaterThan(100_000);
		for (Future<RecordMetadata> send : sends) {
			MockClients.failure(send);
		}
		assertThat(this.clients.producer().pendingRecords()).isZero();
		assertThat(this.clients.producer().pendingBytes()).isZero();
	}

	private MockClients newProducer(ProducerSettings settings) {
		return new MockClients(settings, (number) -> new MockClients.Manual() {

			@Override
			public List<PartitionInfo> partitionsFor(String topic) {
				StuckClientTests.this.looks.incrementAndGet();
				return StuckClientTests.this.forgetful ? List.of() : super.partitionsFor(topic);
			}

			@Override
			public synchronized void flush() {
				hang();
			}

			@Override
			public void close(Duration timeout) {
				if (StuckClientTests.this.closeHangs && number == 0) {
					hang();
				}
				super.close(timeout);
			}

		});
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
