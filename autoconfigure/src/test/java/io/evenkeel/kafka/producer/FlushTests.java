package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * When {@code flush()} and {@code close()} return, and that nobody waits for himself.
 */
class FlushTests {

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private final AtomicBoolean known = new AtomicBoolean(true);

	private final AtomicInteger flushes = new AtomicInteger();

	private final MockClients clients = new MockClients(
			ProducerSettings.DEFAULTS.withMetadataTimeout(Duration.ofMinutes(10)),
			(number) -> new MockClients.Manual() {

				@Override
				public List<PartitionInfo> partitionsFor(String topic) {
					return FlushTests.this.known.get() ? super.partitionsFor(topic) : List.of();
				}

				/** As the client: whoever flushes waits for what is in hand. */
				@Override
				public synchronized void flush() {
					FlushTests.this.flushes.incrementAndGet();
					while (completeNext()) {
						// each of them
					}
				}

			});

	private final CountDownLatch release = new CountDownLatch(1);

	@AfterEach
	void close() {
		this.release.countDown();
		this.clients.close();
	}

	/** Red when callbacks get a fixed time. */
	@Test
	void flushReturnsAfterTheCallbacksOfAllSendsBeforeIt() throws Exception {
		AtomicInteger callbacks = new AtomicInteger();
		for (int i = 0; i < 200; i++) {
			send(() -> {
				waitFor(this.release);
				callbacks.incrementAndGet();
			});
		}
		CompletableFuture<Integer> atReturn = flushElsewhere(callbacks);
		// Three times what the callbacks were given before.
		await().during(Duration.ofMillis(1500)).atMost(LIMIT).until(() -> !atReturn.isDone());
		this.release.countDown();
		assertThat(atReturn.get(30, TimeUnit.SECONDS)).isEqualTo(200);
	}

	/** Red when a flush waits until nothing at all is open. */
	@Test
	void sendsThatComeLaterDoNotProlongIt() throws Exception {
		this.known.set(false);
		AtomicInteger callbacks = new AtomicInteger();
		send(callbacks::incrementAndGet);
		CompletableFuture<Integer> atReturn = flushElsewhere(callbacks);
		await().atMost(LIMIT).until(() -> this.flushes.get() > 0);
		send("missing", callbacks::incrementAndGet);
		this.known.set(true);
		assertThat(atReturn.get(30, TimeUnit.SECONDS)).isOne();
		assertThat(this.clients.producer().pendingRecords()).isOne();
	}

	/** Red when a record that was still waiting lingers in the client afterwards. */
	@Test
	void whatStillWaitedIsFlushedOnceTheClientHasIt() throws Exception {
		this.known.set(false);
		AtomicInteger callbacks = new AtomicInteger();
		send(callbacks::incrementAndGet);
		CompletableFuture<Integer> atReturn = flushElsewhere(callbacks);
		await().during(Duration.ofMillis(100)).atMost(LIMIT).until(() -> !atReturn.isDone());
		this.known.set(true);
		assertThat(atReturn.get(30, TimeUnit.SECONDS)).isOne();
	}

	/** Red when a callback waits for itself, or two of them wait for each other. */
	@ParameterizedTest
	@ValueSource(ints = { 1, 2, 70 })
	void callbacksThatFlushWaitForTheOthersOnly(int count) throws Exception {
		List<CompletableFuture<Void>> flushed = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			CompletableFuture<Void> done = new CompletableFuture<>();
			flushed.add(done);
			send(() -> {
				this.clients.producer().flush();
				done.complete(null);
			});
		}
		this.clients.producer().flush();
		assertThat(flushed).allMatch(CompletableFuture::isDone);
	}

	@Test
	void severalThreadsFlushAtOnce() throws Exception {
		List<CompletableFuture<Boolean>> flushes = new ArrayList<>();
		for (int i = 0; i < 8; i++) {
			AtomicInteger mine = new AtomicInteger();
			flushes.add(CompletableFuture.supplyAsync(() -> {
				for (int n = 1; n <= 50; n++) {
					send(mine::incrementAndGet);
					this.clients.producer().flush();
					if (mine.get() != n) {
						return false;
					}
				}
				return true;
			}, (task) -> new Thread(task).start()));
		}
		for (CompletableFuture<Boolean> flush : flushes) {
			assertThat(flush.get(60, TimeUnit.SECONDS)).isTrue();
		}
	}

	/** Red when what closes late is told late. */
	@Test
	void closeReturnsAfterTheCallbacks() {
		AtomicInteger callbacks = new AtomicInteger();
		for (int i = 0; i < 100; i++) {
			send(() -> {
				pause();
				callbacks.incrementAndGet();
			});
		}
		this.clients.made.get(0).flush();
		this.clients.producer().close(Duration.ofSeconds(30));
		assertThat(callbacks).hasValue(100);
	}

	@Test
	void closeInACallbackReturns() throws Exception {
		CompletableFuture<Void> closed = new CompletableFuture<>();
		send(() -> {
			this.clients.producer().close(Duration.ofSeconds(30));
			closed.complete(null);
		});
		this.clients.made.get(0).flush();
		long start = System.nanoTime();
		closed.get(30, TimeUnit.SECONDS);
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
	}

	/** Red when so many continuations as there are spare threads stop the producer. */
	@ParameterizedTest
	@CsvSource({ "65,true", "1000,false" })
	void continuationsThatSendAndWaitAllEnd(int count, boolean nested) throws Exception {
		AtomicBoolean stop = new AtomicBoolean();
		MockProducer<String, String> client = this.clients.made.get(0);
		Thread io = new Thread(() -> {
			while (!stop.get()) {
				client.flush();
				pause();
			}
		});
		io.start();
		List<CompletableFuture<Void>> ends = new CopyOnWriteArrayList<>();
		for (int i = 0; i < count; i++) {
			CompletableFuture<RecordMetadata> outer = future("outer");
			ends.add(nested ? outer.thenAccept((r) -> future("inner").thenAccept((s) -> future("last").join()).join())
					: outer.thenAccept((r) -> future("inner").join()));
		}
		for (CompletableFuture<Void> end : ends) {
			end.get(60, TimeUnit.SECONDS);
		}
		stop.set(true);
		io.join();
	}

	@SuppressWarnings("unchecked")
	private CompletableFuture<RecordMetadata> future(String value) {
		return (CompletableFuture<RecordMetadata>) this.clients.producer().send(new ProducerRecord<>("orders", value));
	}

	private CompletableFuture<Integer> flushElsewhere(AtomicInteger callbacks) {
		return CompletableFuture.supplyAsync(() -> {
			this.clients.producer().flush();
			return callbacks.get();
		}, (task) -> new Thread(task).start());
	}

	private void send(Runnable callback) {
		send("orders", callback);
	}

	private void send(String topic, Runnable callback) {
		this.clients.producer().send(new ProducerRecord<>(topic, "v"), (metadata, exception) -> callback.run());
	}

	private static void pause() {
		LockSupport.parkNanos(1_000_000);
	}

	private static void waitFor(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
