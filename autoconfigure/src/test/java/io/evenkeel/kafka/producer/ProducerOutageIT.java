package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.broker.ProcessBroker;
import io.evenkeel.kafka.producer.ProducerSettings.WhenFull;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

import org.springframework.kafka.support.SendResult;

import static io.evenkeel.kafka.producer.ProducerFixture.failure;
import static io.evenkeel.kafka.producer.ProducerFixture.offset;
import static io.evenkeel.kafka.producer.ProducerFixture.since;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A broker that is killed, frozen and thawed.
 */
@Tag("timing")
class ProducerOutageIT {

	private static final Duration SLACK = Duration.ofMillis(500);

	private final ProcessBroker broker = ProcessBroker.single(Map.of());

	private final ProducerFixture fixture = new ProducerFixture();

	@BeforeEach
	void start() {
		this.broker.start();
		this.broker.createTopic("orders", 2, 1);
	}

	@AfterEach
	void stop() {
		this.fixture.close();
		this.broker.close();
	}

	@Test
	void killedBrokerFailsEverySendInTimeAndRecoversInOrder() throws Exception {
		Duration metadata = Duration.ofSeconds(2);
		Duration delivery = Duration.ofSeconds(3);
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(this.broker.bootstrapServers(), metadata,
				Map.of("delivery.timeout.ms", 3000, "request.timeout.ms", 1000));
		offset(template.send("orders", "k", "warm"));
		this.broker.kill();
		List<Timed> sends = sendFor(template, Duration.ofSeconds(5));
		for (Timed send : sends) {
			SendFailedException failure = failure(send.future());
			assertThat(failure.getReason()).isIn(FailureReason.BROKERS_UNREACHABLE, FailureReason.FAIL_FAST,
					FailureReason.DELIVERY_TIMEOUT);
			assertThat(failure.isPossiblySent()).isEqualTo(failure.getPhase() == FailurePhase.DELIVERY);
			assertThat(failure.getElapsed()).isLessThan(metadata.plus(delivery).plus(SLACK));
		}
		assertThat(sends).anySatisfy(
				(send) -> assertThat(failure(send.future()).getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE));
		assertThatCallersWereNotHeld(sends);
		this.broker.start();
		await().atMost(Duration.ofSeconds(30))
			.ignoreExceptions()
			.until(() -> template.send("orders", "k", "again").get(5, TimeUnit.SECONDS) != null);
		List<CompletableFuture<SendResult<String, String>>> after = new ArrayList<>();
		for (int i = 0; i < 200; i++) {
			after.add(template.send("orders", "k", "v" + i));
		}
		long last = -1;
		for (CompletableFuture<SendResult<String, String>> send : after) {
			assertThat(offset(send)).isGreaterThan(last);
			last = offset(send);
		}
	}

	@Test
	void frozenBrokerFailsEverySendInTimeAndRecovers() throws Exception {
		Duration metadata = Duration.ofSeconds(2);
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(this.broker.bootstrapServers(), metadata,
				Map.of("delivery.timeout.ms", 3000, "request.timeout.ms", 1000));
		offset(template.send("orders", "k", "warm"));
		this.broker.freeze();
		List<Timed> sends = sendFor(template, Duration.ofSeconds(6));
		for (Timed send : sends) {
			SendFailedException failure = failure(send.future());
			assertThat(failure.getReason()).isIn(FailureReason.BROKERS_UNREACHABLE, FailureReason.FAIL_FAST,
					FailureReason.DELIVERY_TIMEOUT);
			assertThat(failure.getElapsed()).isLessThan(Duration.ofSeconds(5).plus(SLACK));
		}
		assertThatCallersWereNotHeld(sends);
		this.broker.thaw();
		await().atMost(Duration.ofSeconds(30))
			.ignoreExceptions()
			.until(() -> template.send("orders", "k", "again").get(5, TimeUnit.SECONDS) != null);
	}

	@Test
	void aBrokerThatComesBackInTimeLosesNothing() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(this.broker.bootstrapServers(),
				Duration.ofSeconds(60));
		offset(template.send("orders", "k", "warm"));
		this.broker.kill();
		List<Timed> sends = sendFor(template, Duration.ofSeconds(3));
		this.broker.start();
		long last = -1;
		for (Timed send : sends) {
			assertThat(offset(send.future())).isGreaterThan(last);
			last = offset(send.future());
		}
		assertThatCallersWereNotHeld(sends);
	}

	/** Red when what finds no memory waits, or is held, although failing is wanted. */
	@Test
	void aFullClientBufferHoldsNobodyWhereFailingIsWanted() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = smallBuffer(WhenFull.FAIL, Duration.ofSeconds(1));
		offset(template.send("orders", "k", "warm"));
		this.broker.freeze();
		List<Timed> sends = new ArrayList<>();
		String value = "x".repeat(1000);
		for (int i = 0; i < 300; i++) {
			sends.add(timed(template, value));
		}
		assertThatCallersWereNotHeld(sends);
		SendFailedException failure = failure(sends.get(299).future());
		assertThat(failure.getReason()).isEqualTo(FailureReason.BUFFER_FULL);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.BUFFER);
		assertThat(failure.isPossiblySent()).isFalse();
		assertThat(failure.getElapsed()).isLessThan(SLACK);
		this.broker.thaw();
		assertThat(offset(sends.get(0).future())).isPositive();
		await().atMost(Duration.ofSeconds(30))
			.ignoreExceptions()
			.until(() -> offset(template.send("orders", "k", "after")) > 0);
	}

	/** Red when a sender for whose record the client has no memory is not held. */
	@Test
	void aFullClientBufferHoldsItsSenderUntilThereIsRoom() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = smallBuffer(WhenFull.WAIT, Duration.ofSeconds(60));
		offset(template.send("orders", "k", "warm"));
		this.broker.freeze();
		String value = "x".repeat(1000);
		List<CompletableFuture<SendResult<String, String>>> sends = new CopyOnWriteArrayList<>();
		CompletableFuture<Void> sender = CompletableFuture.runAsync(() -> {
			for (int i = 0; i < 300; i++) {
				sends.add(template.send("orders", "k", value));
			}
		}, (task) -> new Thread(task).start());
		await().during(Duration.ofSeconds(1)).atMost(Duration.ofSeconds(10)).until(() -> !sender.isDone());
		assertThat(sends).hasSizeLessThan(100);
		this.broker.thaw();
		sender.get(60, TimeUnit.SECONDS);
		long last = -1;
		for (CompletableFuture<SendResult<String, String>> send : sends) {
			assertThat(offset(send)).isGreaterThan(last);
			last = offset(send);
		}
	}

	private EvenkeelKafkaTemplate<String, String> smallBuffer(WhenFull whenFull, Duration metadataTimeout) {
		ProducerSettings settings = ProducerSettings.DEFAULTS;
		this.fixture.settings(new ProducerSettings(settings.defaults(), settings.topics(), settings.bufferMaxRecords(),
				settings.bufferMaxBytes(), whenFull, settings.deliveryTimeout(), settings.shutdownTimeout()));
		return this.fixture.template(this.broker.bootstrapServers(), metadataTimeout, Map.of("buffer.memory", 65536L,
				"batch.size", 1024, "delivery.timeout.ms", 20000, "request.timeout.ms", 15000));
	}

	@RepeatedTest(25)
	@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
	void frozenBrokerEachTime() throws Exception {
		frozenBrokerFailsEverySendInTimeAndRecovers();
	}

	@RepeatedTest(25)
	@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
	void fullClientBufferEachTime() throws Exception {
		aFullClientBufferHoldsNobodyWhereFailingIsWanted();
		aFullClientBufferHoldsItsSenderUntilThereIsRoom();
	}

	private List<Timed> sendFor(EvenkeelKafkaTemplate<String, String> template, Duration duration) {
		List<Timed> result = new ArrayList<>();
		long start = System.nanoTime();
		await().pollDelay(Duration.ZERO)
			.pollInterval(Duration.ofMillis(10))
			.atMost(duration.multipliedBy(3))
			.until(() -> {
				result.add(timed(template, "v" + result.size()));
				return since(start).compareTo(duration) > 0;
			});
		return result;
	}

	private static Timed timed(EvenkeelKafkaTemplate<String, String> template, String value) {
		HeldTime time = new HeldTime();
		CompletableFuture<SendResult<String, String>> future = template.send("orders", "k", value);
		return new Timed(future, time.nanos());
	}

	private static void assertThatCallersWereNotHeld(List<Timed> sends) {
		assertThat(Duration.ofNanos(HeldTime.p99(sends.stream().map(Timed::heldNanos).toList())))
			.isLessThan(Duration.ofMillis(5));
	}

	private record Timed(CompletableFuture<SendResult<String, String>> future, long heldNanos) {

	}

}
