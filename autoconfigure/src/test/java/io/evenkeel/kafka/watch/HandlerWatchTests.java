package io.evenkeel.kafka.watch;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.engine.RunningCall;
import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Call;
import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import io.evenkeel.kafka.engine.dispatch.Worker;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A handler that does not return, seen from outside.
 */
class HandlerWatchTests {

	private static final long BEGAN = Duration.ofHours(1).toNanos();

	private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

	private final Logger logger = (Logger) LoggerFactory.getLogger(HandlerWatch.class);

	private final CountDownLatch inside = new CountDownLatch(1);

	private final CountDownLatch gate = new CountDownLatch(1);

	private final CountDownLatch over = new CountDownLatch(1);

	private volatile boolean interrupted;

	private final Dispatcher<String> dispatcher = new Dispatcher<>(new CompletionQueue<>(), () -> BEGAN, 1, 0);

	private final HandlerWatch watch = new HandlerWatch("orders");

	@BeforeEach
	void call() throws InterruptedException {
		this.lines.start();
		this.logger.addAppender(this.lines);
		Worker<String> worker = new Worker<>(this.dispatcher, this::stuckHandler, () -> BEGAN, (assignment, bug) -> {
		});
		this.dispatcher.attach(worker, (task) -> {
			Thread thread = new Thread(task, "orders-worker-1");
			thread.setDaemon(true);
			thread.start();
		}, (refused) -> {
		});
		this.dispatcher.submit(List.of(new Assignment<String>("topic", 3, 1).begin("r", 42, null, 0)));
		assertThat(this.inside.await(10, TimeUnit.SECONDS)).isTrue();
	}

	private void stuckHandler(Call<String> call) {
		call.delivery().beginAttempt();
		this.inside.countDown();
		try {
			this.gate.await();
		}
		catch (InterruptedException ex) {
			this.interrupted = true;
		}
		call.complete(Outcome.SUCCESS);
		this.over.countDown();
	}

	@AfterEach
	void end() {
		this.gate.countDown();
		this.dispatcher.close();
		this.logger.detachAppender(this.lines);
	}

	@Test
	void aLongCallIsToldWithItsRecordItsThreadAndItsStackAtGrowingIntervals() {
		HandlerSettings settings = new HandlerSettings(Duration.ofMinutes(1), Duration.ZERO, true);
		look(settings, 59);
		assertThat(this.lines.list).isEmpty();
		look(settings, 61);
		assertThat(texts().get(0))
			.startsWith("orders: call 1 for topic-3@42 has been running for 61 s on thread orders-worker-1")
			.contains("\tat " + HandlerWatchTests.class.getName() + ".stuckHandler(HandlerWatchTests.java:");
		look(settings, 62);
		look(settings, 121);
		assertThat(this.lines.list).hasSize(1);
		look(settings, 123);
		look(settings, 200);
		look(settings, 245);
		look(settings, 247);
		assertThat(this.lines.list).as("at 61 s, 123 s and 247 s").hasSize(3);
	}

	@Test
	void itIsOffWithZero() {
		look(new HandlerSettings(Duration.ZERO, Duration.ZERO, true), 100_000);
		assertThat(this.lines.list).isEmpty();
		assertThat(this.interrupted).isFalse();
	}

	@Test
	void aCallThatTakesLongerThanItMayIsInterruptedOnce() throws InterruptedException {
		HandlerSettings settings = new HandlerSettings(Duration.ZERO, Duration.ofSeconds(30), true);
		look(settings, 29);
		assertThat(this.lines.list).isEmpty();
		List<RunningCall> calls = calls(30);
		this.watch.look(calls, settings);
		assertThat(this.over.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(this.interrupted).isTrue();
		assertThat(calls.get(0).isTimedOut()).isTrue();
		// It may have ended since it was seen.
		this.watch.look(calls, settings);
		assertThat(texts()).containsExactly("orders: call 1 for topic-3@42 took longer than handler.timeout=30 s and "
				+ "is interrupted: it counts as failed");
	}

	/** Red when a call that is over is interrupted: it would hit the next one. */
	@Test
	void aCallThatIsOverIsLeftAlone() throws InterruptedException {
		List<RunningCall> calls = calls(3600);
		this.gate.countDown();
		assertThat(this.over.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(calls.get(0).timeOut()).isFalse();
		this.watch.look(calls, new HandlerSettings(Duration.ofSeconds(1), Duration.ofSeconds(1), true));
		assertThat(this.lines.list).isEmpty();
		assertThat(this.interrupted).isFalse();
	}

	private void look(HandlerSettings settings, int seconds) {
		this.watch.look(calls(seconds), settings);
	}

	private List<RunningCall> calls(int seconds) {
		List<RunningCall> calls = new ArrayList<>();
		this.dispatcher.running((call, thread) -> calls
			.add(new RunningCall(call, thread, BEGAN + Duration.ofSeconds(seconds).toNanos())));
		return calls;
	}

	private List<String> texts() {
		return this.lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
	}

}
