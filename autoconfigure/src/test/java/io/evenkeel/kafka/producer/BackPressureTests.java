package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import io.evenkeel.kafka.producer.ProducerSettings.WhenFull;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.utils.KafkaThread;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.scheduler.Schedulers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Who is held when there is no room, for how long, and who never is.
 */
class BackPressureTests {

	private static final int ROOM = 3;

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private final Set<String> known = ConcurrentHashMap.newKeySet();

	private final AtomicReference<Duration> held = new AtomicReference<>(Duration.ZERO);

	private MockClients clients;

	@AfterEach
	void close() {
		this.clients.close();
	}

	/** Red when a sender without room gets a failed future at once. */
	@Test
	void aSenderWithoutRoomIsHeldUntilThereIsSome() throws Exception {
		fill(WhenFull.WAIT, Duration.ofSeconds(60));
		CompletableFuture<Future<RecordMetadata>> sent = elsewhere(() -> send("late"));
		await().during(Duration.ofMillis(300)).atMost(LIMIT).until(() -> !sent.isDone());
		this.known.add("orders");
		Future<RecordMetadata> send = sent.get(30, TimeUnit.SECONDS);
		await().atMost(LIMIT).until(() -> {
			this.clients.made.get(0).completeNext();
			return send.isDone();
		});
		assertThat(send.get()).isNotNull();
		assertThat(this.held.get()).isGreaterThan(Duration.ofMillis(300));
	}

	/** Red when a held sender is told anything but that there was no room. */
	@Test
	void heIsHeldForTheMetadataTimeoutAtMost() throws Exception {
		fill(WhenFull.WAIT, Duration.ofSeconds(60));
		CompletableFuture<Future<RecordMetadata>> sent = elsewhere(() -> send("hurried", "late"));
		SendFailedException failure = MockClients.failure(sent.get(30, TimeUnit.SECONDS));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BUFFER_FULL);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.BUFFER);
		assertThat(failure.isPossiblySent()).isFalse();
		assertThat(failure.getElapsed()).isBetween(Duration.ofMillis(500), Duration.ofSeconds(20));
		assertThat(failure).hasMessageContaining("Limit: metadata.timeout=500ms.");
	}

	/** Red when several that are held pass each other. */
	@Test
	void whatOneThreadSendsStaysInOrder() throws Exception {
		fill(WhenFull.WAIT, Duration.ofSeconds(60));
		List<CompletableFuture<Void>> senders = new ArrayList<>();
		for (int sender = 0; sender < 4; sender++) {
			String name = "s" + sender + "-";
			senders.add(elsewhere(() -> {
				for (int i = 100; i < 150; i++) {
					send(name + i);
				}
				return null;
			}));
		}
		await().atMost(LIMIT).until(() -> this.clients.producer().pendingRecords() == ROOM);
		this.known.add("orders");
		CompletableFuture.allOf(senders.toArray(CompletableFuture[]::new)).get(30, TimeUnit.SECONDS);
		await().atMost(LIMIT).until(() -> this.clients.made.get(0).history().size() == ROOM + 200);
		List<String> stored = this.clients.made.get(0).history().stream().map(ProducerRecord::value).toList();
		for (int sender = 0; sender < 4; sender++) {
			String name = "s" + sender + "-";
			assertThat(stored.stream().filter((value) -> value.startsWith(name))).hasSize(50).isSorted();
		}
	}

	/** Red when an interrupt is thrown, lost, or waited out. */
	@Test
	void anInterruptedSenderGetsAFailedFutureAndKeepsTheFlag() throws Exception {
		fill(WhenFull.WAIT, Duration.ofSeconds(60));
		AtomicReference<Thread> sender = new AtomicReference<>();
		AtomicBoolean flag = new AtomicBoolean();
		CompletableFuture<Future<RecordMetadata>> sent = elsewhere(() -> {
			sender.set(Thread.currentThread());
			Future<RecordMetadata> send = send("late");
			flag.set(Thread.currentThread().isInterrupted());
			return send;
		});
		await().atMost(LIMIT)
			.until(() -> sender.get() != null && sender.get().getState() == Thread.State.TIMED_WAITING);
		sender.get().interrupt();
		SendFailedException failure = MockClients.failure(sent.get(30, TimeUnit.SECONDS));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BUFFER_FULL);
		assertThat(failure).hasCauseInstanceOf(InterruptException.class);
		assertThat(flag).isTrue();
	}

	/** Red when a thread that must not block is held. */
	@ParameterizedTest
	@EnumSource(MustNotBlock.class)
	void aThreadThatMustNotBlockIsNeverHeld(MustNotBlock which) throws Exception {
		fill(WhenFull.WAIT, Duration.ofSeconds(60));
		CompletableFuture<Future<RecordMetadata>> sent = new CompletableFuture<>();
		which.executor().execute(() -> sent.complete(send("late")));
		SendFailedException failure = MockClients.failure(sent.get(30, TimeUnit.SECONDS));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BUFFER_FULL);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.BUFFER);
		assertThat(failure.getElapsed()).isLessThan(Duration.ofSeconds(20));
	}

	/** Red when a callback is held: those behind it could not make room. */
	@Test
	void aCallbackIsNeverHeld() throws Exception {
		fill(WhenFull.WAIT, Duration.ofSeconds(60));
		CompletableFuture<Future<RecordMetadata>> sent = new CompletableFuture<>();
		this.clients.producer()
			.send(new ProducerRecord<>("not a topic", "v"), (metadata, exception) -> sent.complete(send("late")));
		assertThat(MockClients.failure(sent.get(30, TimeUnit.SECONDS)).getReason())
			.isEqualTo(FailureReason.BUFFER_FULL);
	}

	@Test
	void nobodyIsHeldWhereFailingIsWanted() {
		fill(WhenFull.FAIL, Duration.ofSeconds(60));
		SendFailedException failure = MockClients.failure(send("late"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BUFFER_FULL);
		assertThat(failure).hasMessageContaining("Limit: buffer.max-records=3, buffer.max-bytes=");
	}

	/** Red when whoever is held waits for the end of the topic that fills the room. */
	@Test
	void aTopicThatIsReadyIsNotHeldByAnother() throws Exception {
		fill(WhenFull.WAIT, Duration.ofSeconds(60));
		CompletableFuture<Future<RecordMetadata>> first = elsewhere(() -> send("late"));
		await().during(Duration.ofMillis(100)).atMost(LIMIT).until(() -> !first.isDone());
		CompletableFuture<Future<RecordMetadata>> other = elsewhere(() -> send("payments", "v"));
		await().during(Duration.ofMillis(100)).atMost(LIMIT).until(() -> !other.isDone());
		this.known.add("payments");
		Future<RecordMetadata> send = other.get(30, TimeUnit.SECONDS);
		await().atMost(LIMIT).until(() -> {
			this.clients.made.get(0).completeNext();
			return send.isDone();
		});
		assertThat(first).isNotDone();
	}

	@Test
	void closingLetsTheHeldGo() throws Exception {
		fill(WhenFull.WAIT, Duration.ofSeconds(60));
		CompletableFuture<Future<RecordMetadata>> sent = elsewhere(() -> send("late"));
		await().during(Duration.ofMillis(100)).atMost(LIMIT).until(() -> !sent.isDone());
		this.clients.producer().close(Duration.ZERO);
		assertThat(MockClients.failure(sent.get(30, TimeUnit.SECONDS)).getReason()).isEqualTo(FailureReason.CLOSED);
	}

	private void fill(WhenFull whenFull, Duration timeout) {
		TopicSettings defaults = TopicSettings.DEFAULTS.withMetadataTimeout(timeout);
		Map<String, TopicSettings> topics = Map.of("hurried", defaults.withMetadataTimeout(Duration.ofMillis(500)));
		ProducerSettings settings = new ProducerSettings(defaults, topics, ROOM, 1_000_000, whenFull,
				Duration.ofSeconds(60), Duration.ofSeconds(1));
		this.clients = new MockClients(settings, (number) -> new MockClients.Manual() {

			@Override
			public List<PartitionInfo> partitionsFor(String topic) {
				return BackPressureTests.this.known.contains(topic) ? super.partitionsFor("orders") : List.of();
			}

		}, new SendObserver() {

			@Override
			public void returned(long nanos) {
				BackPressureTests.this.held.accumulateAndGet(Duration.ofNanos(nanos),
						(one, two) -> (one.compareTo(two) > 0) ? one : two);
			}

		});
		for (int i = 0; i < ROOM; i++) {
			send("early" + i);
		}
	}

	private Future<RecordMetadata> send(String value) {
		return send("orders", value);
	}

	private Future<RecordMetadata> send(String topic, String value) {
		return this.clients.producer().send(new ProducerRecord<>(topic, "k", value));
	}

	private static <T> CompletableFuture<T> elsewhere(Supplier<T> action) {
		return CompletableFuture.supplyAsync(action, (task) -> new Thread(task).start());
	}

	enum MustNotBlock {

		REACTOR {

			@Override
			Executor executor() {
				return (task) -> Schedulers.parallel().schedule(task);
			}

		},

		KAFKA {

			@Override
			Executor executor() {
				return (task) -> new KafkaThread("kafka-producer-network-thread | other", task, true).start();
			}

		},

		OURS {

			@Override
			Executor executor() {
				return (task) -> ProducerRuntime.SYSTEM.threads().newThread(task).start();
			}

		};

		abstract Executor executor();

	}

}
