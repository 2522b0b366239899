package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.UnreleasedInstanceIdException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * The engine with its threads: what the stepped tests cannot show.
 */
@Timeout(60)
class ConsumerEngineTests
		implements RecordHandler<String, String>, EngineLifecycle<String, String>, EngineObserver, PauseRequests {

	private final BlockingQueue<PollingClient> made = new LinkedBlockingQueue<>();

	private final List<String> events = new CopyOnWriteArrayList<>();

	private final BlockingQueue<Attempt<String, String>> calls = new LinkedBlockingQueue<>();

	private final AtomicInteger toRefuse = new AtomicInteger();

	private final AtomicInteger toFailToMake = new AtomicInteger();

	private final AtomicInteger created = new AtomicInteger();

	private volatile @Nullable RuntimeException refusal;

	private boolean prepares;

	private volatile @Nullable Duration authPause;

	private volatile boolean callbacksThrow;

	private volatile Runnable onRestart = () -> {
	};

	private volatile java.util.function.Consumer<Attempt<String, String>> handler = this.calls::add;

	private @Nullable ConsumerEngine<String, String> running;

	private @Nullable Thread owner;

	@AfterEach
	void end() throws InterruptedException {
		if (this.running != null) {
			this.handler = Attempt::succeeded;
			this.running.stop(Duration.ZERO);
			assertThat(this.running.awaitEnd(Duration.ofSeconds(20))).isTrue();
			this.owner.join();
		}
	}

	@Test
	void stopDrainsCommitsAndEnds() throws Exception {
		PollingClient client = start();
		client.bring(0, 1);
		Attempt<String, String> call = this.calls.take();
		this.running.stop(Duration.ofSeconds(30));
		call.succeeded();
		assertThat(this.running.awaitEnd(Duration.ofSeconds(20))).isTrue();
		assertThat(client.committed()).isEqualTo(1);
		assertThat(client.closed()).isTrue();
		assertThat(this.events).contains("stopped REQUESTED");
	}

	/** Applications mock consumers, and such a one has no answer that it was not told. */
	@Test
	void aPollWithoutAnAnswerIsAnEmptyOne() throws Exception {
		PollingClient client = start();
		client.noAnswer.set(3);
		await().until(() -> client.noAnswer.get() <= 0);
		client.bring(0, 1);
		this.calls.take().succeeded();
		await().until(() -> client.committed() == 1);
		assertThat(this.created).hasValue(1);
	}

	/** Red when nobody takes what ends after the owner has. */
	@Test
	void whatEndsAfterTheStopIsStale() throws Exception {
		PollingClient client = start();
		client.bring(0, 1);
		Attempt<String, String> call = this.calls.take();
		this.running.stop(Duration.ZERO);
		assertThat(this.running.awaitEnd(Duration.ofSeconds(20))).isTrue();
		assertThat(this.events).doesNotContain("stale");
		call.succeeded();
		assertThat(this.events).contains("stale");
	}

	@Test
	void consumerThatFailsIsReplaced() throws Exception {
		PollingClient first = start();
		first.bring(0, 1);
		Attempt<String, String> late = this.calls.take();
		first.failure = new KafkaException("simulated");
		PollingClient second = this.made.take();
		assertThat(first.closed()).isTrue();
		await().untilAsserted(() -> assertThat(this.events).contains("reset ERROR 1", "restarting"));
		second.own();
		second.bring(0, 1);
		this.calls.take().succeeded();
		late.succeeded();
		await().untilAsserted(() -> assertThat(second.committed()).isEqualTo(1));
		await().untilAsserted(() -> assertThat(this.events).contains("stale"));
	}

	@Test
	void errorOfTheConsumerIsNoEndEither() throws Exception {
		start().error = new NoClassDefFoundError("simulated");
		assertThat(this.made.take()).isNotNull();
	}

	@Test
	void interruptOfTheOwnerDoesNotHauntTheNextConsumer() throws Exception {
		start();
		this.owner.interrupt();
		PollingClient second = this.made.take();
		second.own();
		second.bring(0, 1);
		assertThat(this.calls.take()).isNotNull();
		assertThat(this.made).isEmpty();
	}

	@Test
	void stopWhileTheConsumerIsReplacedMakesNoOther() throws Exception {
		this.onRestart = () -> this.running.stop(Duration.ofSeconds(30));
		start().failure = new KafkaException("simulated");
		ends("stopped REQUESTED");
		assertThat(this.made).isEmpty();
	}

	@Test
	void consumerThatCannotBeMadeIsTriedAgain() throws Exception {
		this.toFailToMake.set(2);
		assertThat(start()).isNotNull();
		assertThat(this.events.stream().filter("restarting"::equals)).hasSize(2);
	}

	@Test
	void consumerMadeBeforeTheStartIsTheFirst() throws Exception {
		this.prepares = true;
		start();
		assertThat(this.created).hasValue(1);
	}

	@Test
	void configurationThatIsRefusedAfterTheStartStops() throws Exception {
		PollingClient first = start();
		this.refusal = new KafkaException("simulated", new ConfigException("isolation.level", "foo"));
		first.failure = new KafkaException("simulated");
		ends("stopped ERROR");
		assertThat(this.created).hasValue(2);
	}

	@Test
	void lifeCycleCallbacksThatThrowChangeNothing() throws Exception {
		this.callbacksThrow = true;
		PollingClient first = start();
		first.failure = new KafkaException("simulated");
		PollingClient second = this.made.take();
		second.own();
		second.bring(0, 1);
		Attempt<String, String> call = this.calls.take();
		this.running.stop(Duration.ofSeconds(30));
		await().until(call::isStopping);
		call.succeeded();
		assertThat(this.running.awaitEnd(Duration.ofSeconds(20))).isTrue();
		assertThat(second.committed()).isEqualTo(1);
	}

	@Test
	void fencedMemberStops() throws Exception {
		start().failure = new FencedInstanceIdException("simulated");
		ends("stopped FENCED");
	}

	@Test
	void memberWhoseIdIsTakenStops() throws Exception {
		start().failure = new UnreleasedInstanceIdException("simulated");
		ends("stopped FENCED");
	}

	@Test
	void missingResetPolicyStops() throws Exception {
		start().failure = new OffsetOutOfRangeException(Map.of(P0, 5L));
		ends("stopped NO_OFFSET");
	}

	@Test
	void refusedMemberStopsWithoutARetryInterval() throws Exception {
		start().failure = new AuthenticationException("simulated");
		ends("stopped AUTH");
	}

	@Test
	void refusedMemberPollsAgainAfterTheRetryInterval() throws Exception {
		this.authPause = Duration.ofMillis(10);
		PollingClient client = start();
		client.failure = new AuthenticationException("simulated");
		await().untilAsserted(() -> assertThat(this.events).containsSubsequence("refused", "accepted"));
		client.bring(0, 1);
		assertThat(this.calls.take()).isNotNull();
		assertThat(this.made).isEmpty();
	}

	@Test
	void handlerInHandIsAnsweredWhileItsPartitionIsHandedOver() throws Exception {
		CountDownLatch ask = new CountDownLatch(1);
		CompletableFuture<Object> answer = new CompletableFuture<>();
		this.handler = (attempt) -> {
			try {
				ask.await();
				answer.complete(this.running.execute(Consumer::assignment).get(5, TimeUnit.SECONDS));
			}
			catch (Exception ex) {
				answer.completeExceptionally(ex);
			}
			attempt.succeeded();
		};
		PollingClient client = start();
		client.bring(0, 1);
		await().until(() -> this.running.used() == 1);
		client.onPoll.add(() -> {
			ask.countDown();
			client.rebalance(List.of());
		});
		assertThat(answer.get(20, TimeUnit.SECONDS)).isNotNull();
		await().untilAsserted(() -> assertThat(client.committed()).isEqualTo(1));
	}

	@Test
	void whatIsAskedAfterTheEndFails() throws Exception {
		start();
		this.running.stop(Duration.ZERO);
		assertThat(this.running.awaitEnd(Duration.ofSeconds(20))).isTrue();
		CompletableFuture<?> late = this.running.execute(Consumer::assignment);
		assertThatExceptionOfType(java.util.concurrent.ExecutionException.class)
			.isThrownBy(() -> late.get(5, TimeUnit.SECONDS))
			.withCauseInstanceOf(IllegalStateException.class);
	}

	/** Red when a question that came too late for the last turn is never answered. */
	@Test
	void whatIsAskedWhileTheConsumerClosesFails() throws Exception {
		PollingClient client = start();
		CompletableFuture<CompletableFuture<?>> asked = new CompletableFuture<>();
		client.onClose = () -> asked.complete(this.running.execute(Consumer::assignment));
		this.running.stop(Duration.ZERO);
		CompletableFuture<?> pending = asked.get(20, TimeUnit.SECONDS);
		assertThatExceptionOfType(java.util.concurrent.ExecutionException.class)
			.isThrownBy(() -> pending.get(20, TimeUnit.SECONDS))
			.withCauseInstanceOf(IllegalStateException.class);
	}

	/** Red when a second stop moves the end that the first one has set. */
	@Test
	void aSecondStopDoesNotMoveTheDeadline() throws Exception {
		PollingClient client = start();
		client.bring(0, 1);
		this.calls.take();
		this.running.stop(Duration.ofMillis(50));
		this.running.stop(Duration.ofHours(1));
		ends("stopped REQUESTED");
	}

	@Test
	void seekThatFailsIsNotTheConsumersEnd() throws Exception {
		PollingClient client = start();
		this.running.seek(P0, (consumer) -> {
			throw new IllegalArgumentException("seek offset must not be a negative number");
		});
		client.bring(0, 1);
		assertThat(this.calls.take()).isNotNull();
		assertThat(this.made).isEmpty();
	}

	@Test
	void executorWithoutRoomIsAskedAgain() throws Exception {
		this.toRefuse.set(3);
		PollingClient client = start();
		client.bring(0, 1);
		assertThat(this.calls.take()).isNotNull();
		assertThat(this.toRefuse).hasValue(0);
		assertThat(this.made).isEmpty();
	}

	@Test
	void raisedLimitIsUsedAtOnce() throws Exception {
		PollingClient client = start();
		this.running.limit(1);
		client.bring(0, 3);
		this.calls.take();
		assertThat(this.running.used()).isEqualTo(1);
		this.running.limit(3);
		this.calls.take();
		this.calls.take();
		assertThat(this.running.used()).isEqualTo(3);
	}

	@Test
	void recoveryThatAsksForAStopEndsTheListenerAndKeepsTheRecord() throws Exception {
		PollingClient client = start();
		client.bring(0, 1);
		this.calls.take().exhausted(new IllegalStateException("simulated"));
		ends("stopped RECOVERY");
		assertThat(client.committed()).isZero();
	}

	@Test
	void hundredStartsLeaveNoThread() throws Exception {
		this.handler = Attempt::succeeded;
		for (int i = 0; i < 100; i++) {
			PollingClient client = start();
			client.bring(0, 2);
			await().pollInterval(Duration.ofMillis(1)).until(() -> client.committed() == 2);
			end();
		}
		await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet().stream().map(Thread::getName))
			.noneMatch((name) -> name.startsWith("engine-test")));
	}

	private void ends(String event) throws InterruptedException {
		assertThat(this.running.awaitEnd(Duration.ofSeconds(20))).isTrue();
		assertThat(this.events).contains(event);
	}

	private PollingClient start() throws InterruptedException {
		EngineSettings base = SteppedEngine.settings(Ordering.KEY, 8, 100);
		EngineSettings settings = new EngineSettings(base.ordering(), 8, 0, 100, base.maxPendingBytes(),
				Duration.ofMillis(5), Duration.ofSeconds(1), true, Duration.ofSeconds(8), OnDrainTimeout.ABANDON,
				Duration.ofMillis(5), base.retry(), true, false, false, true);
		this.running = new ConsumerEngine<>(new EngineConfig<>("l", settings, this,
				new RetryPlanner(settings.retry(), (failure) -> false, () -> 0.5), this, new EngineCallbacks<>() {
				}, this, this, this::work, Duration.ofMillis(5), Duration.ofMillis(20), System::nanoTime));
		if (this.prepares) {
			this.running.prepare();
		}
		this.owner = new Thread(this.running, "engine-test-owner");
		this.owner.start();
		PollingClient client = this.made.take();
		client.own();
		return client;
	}

	private void work(Runnable task) {
		if (this.toRefuse.getAndUpdate((left) -> Math.max(0, left - 1)) > 0) {
			throw new RejectedExecutionException("simulated");
		}
		Thread thread = new Thread(task, "engine-test-worker");
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public void handle(Attempt<String, String> attempt) {
		this.handler.accept(attempt);
	}

	@Override
	public void recover(RecoveryAttempt<String, String> recovery) {
		recovery.ended(Recovery.STOP);
	}

	@Override
	public ConsumerRecord<String, String> undeserializable(RecordDeserializationException failure) {
		throw new IllegalStateException("unused");
	}

	@Override
	public Consumer<String, String> createConsumer() {
		this.created.incrementAndGet();
		RuntimeException refused = this.refusal;
		if (refused != null) {
			throw refused;
		}
		if (this.toFailToMake.getAndUpdate((left) -> Math.max(0, left - 1)) > 0) {
			throw new KafkaException("No resolvable bootstrap urls");
		}
		return new PollingClient();
	}

	@Override
	public boolean subscribe(Consumer<String, String> consumer, ConsumerRebalanceListener rebalance) {
		consumer.subscribe(List.of("t"), rebalance);
		this.made.add((PollingClient) consumer);
		return false;
	}

	@Override
	public void restarting(Throwable failure, Duration after) {
		this.events.add("restarting");
		this.onRestart.run();
		throwIfAsked();
	}

	@Override
	public @Nullable Duration refused(RuntimeException failure) {
		this.events.add("refused");
		return this.authPause;
	}

	@Override
	public void accepted() {
		this.events.add("accepted");
	}

	@Override
	public void stopping(Consumer<String, String> consumer) {
		throwIfAsked();
	}

	@Override
	public void stopped(StopCause cause, @Nullable Throwable failure) {
		this.events.add("stopped " + cause);
		throwIfAsked();
	}

	private void throwIfAsked() {
		if (this.callbacksThrow) {
			throw new IllegalStateException("simulated");
		}
	}

	@Override
	public void reset(ResetCause cause, int partitions) {
		this.events.add("reset " + cause + " " + partitions);
	}

	@Override
	public void stale(String topic) {
		this.events.add("stale");
	}

	@Override
	public boolean all() {
		return false;
	}

	@Override
	public boolean partition(TopicPartition partition) {
		return false;
	}

	@Override
	public long changes() {
		return 0;
	}

	/** Waits a little in each poll, and does there what the test asks for. */
	static final class PollingClient extends SteppedEngine.Client {

		final BlockingQueue<Runnable> onPoll = new LinkedBlockingQueue<>();

		final AtomicInteger noAnswer = new AtomicInteger();

		volatile @Nullable RuntimeException failure;

		volatile @Nullable Error error;

		volatile Runnable onClose = () -> {
		};

		PollingClient() {
			updateBeginningOffsets(Map.of(P0, 0L));
		}

		long committed() {
			OffsetAndMetadata offset = this.stored.get(P0);
			return (offset != null) ? offset.offset() : -1;
		}

		void own() {
			this.onPoll.add(() -> rebalance(List.of(P0)));
		}

		void bring(long from, int count) {
			this.onPoll.add(() -> {
				for (long offset = from; offset < from + count; offset++) {
					addRecord(new ConsumerRecord<>(P0.topic(), P0.partition(), offset, "k" + offset, "v"));
				}
			});
		}

		@Override
		public void close(CloseOptions options) {
			this.onClose.run();
			super.close(options);
		}

		@Override
		public ConsumerRecords<String, String> poll(Duration timeout) {
			if (Thread.currentThread().isInterrupted()) {
				throw new InterruptException("simulated");
			}
			RuntimeException failure = this.failure;
			Error error = this.error;
			this.failure = null;
			this.error = null;
			if (failure != null) {
				throw failure;
			}
			if (error != null) {
				throw error;
			}
			if (this.noAnswer.getAndDecrement() > 0) {
				return null;
			}
			Runnable task = this.onPoll.poll();
			if (task != null) {
				task.run();
			}
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
			return super.poll(timeout);
		}

	}

}
