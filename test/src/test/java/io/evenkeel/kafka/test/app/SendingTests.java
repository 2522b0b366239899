package io.evenkeel.kafka.test.app;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.producer.FailurePhase;
import io.evenkeel.kafka.producer.FailureReason;
import io.evenkeel.kafka.producer.SendFailedException;
import io.evenkeel.kafka.test.AutoConfigureTestKafka;
import io.evenkeel.kafka.test.TestKafka;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.kafka.core.KafkaTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * What a user tests of sends, in the whole application.
 */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.NONE,
		properties = { "evenkeel.kafka.producer.fail-fast.open-duration=0",
				"evenkeel.kafka.producer.buffer.when-full=fail" })
@AutoConfigureTestKafka
class SendingTests {

	@Autowired
	private TestKafka kafka;

	@Autowired
	private KafkaTemplate<String, Object> template;

	@Test
	void aSendEndsInItsTopic() throws Exception {
		this.kafka.topic("receipts", 3);
		this.template.send("receipts", "customer-1", new Order("book", 2)).get(10, TimeUnit.SECONDS);
		assertThat(this.kafka.records("receipts")).singleElement().satisfies((record) -> {
			assertThat(record.key()).isEqualTo("customer-1");
			assertThat(record.value()).isEqualTo("{\"item\":\"book\",\"count\":2}");
		});
	}

	@Test
	void aMissingTopicFailsTheSendAfterItsTime() {
		this.kafka.topicMissing("receipts");
		CompletableFuture<?> send = this.template.send("receipts", "text");
		assertThat(send).isNotDone();
		this.kafka.advance(Duration.ofSeconds(9));
		assertThat(send).isNotDone();
		SendFailedException failure = failureAfter(send, Duration.ofSeconds(1));
		assertThat(failure.getReason()).isEqualTo(FailureReason.TOPIC_NOT_FOUND);
		assertThat(failure.isPossiblySent()).isFalse();
	}

	@Test
	void aTopicThatIsMadeInTimeGetsWhatWaitsForIt() throws Exception {
		this.kafka.topicMissing("receipts");
		CompletableFuture<?> send = this.template.send("receipts", "text");
		assertThat(this.kafka.records("receipts")).isEmpty();
		this.kafka.topicCreated("receipts");
		send.get(10, TimeUnit.SECONDS);
		assertThat(this.kafka.records("receipts")).hasSize(1);
	}

	@Test
	void brokersThatAreDownAreWaitedFor() throws Exception {
		this.kafka.brokersDown();
		CompletableFuture<?> send = this.template.send("fresh", "text");
		this.kafka.advance(Duration.ofSeconds(50));
		assertThat(send).isNotDone();
		this.kafka.brokersUp();
		send.get(10, TimeUnit.SECONDS);
		this.kafka.brokersDown();
		SendFailedException failure = failureAfter(this.template.send("other", "text"), Duration.ofSeconds(61));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
	}

	@Test
	void slowBrokersLetTheDeliveryTimeoutPass() throws Exception {
		CompletableFuture<?> first = this.template.send("receipts", "text");
		first.get(10, TimeUnit.SECONDS);
		this.kafka.brokersSlow();
		SendFailedException failure = failureAfter(this.template.send("receipts", "slow"), Duration.ofSeconds(121));
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.DELIVERY);
		assertThat(failure.isPossiblySent()).isTrue();
		CompletableFuture<?> third = this.template.send("receipts", "in time");
		this.kafka.brokersFast();
		third.get(10, TimeUnit.SECONDS);
	}

	@Test
	void noRoomInTheClientIsSaidAtOnceWhereTheApplicationWantsThat() throws Exception {
		this.template.send("receipts", "text").get(10, TimeUnit.SECONDS);
		this.kafka.bufferFull();
		SendFailedException failure = failureAfter(this.template.send("receipts", "too much"), Duration.ZERO);
		assertThat(failure.getReason()).isEqualTo(FailureReason.BUFFER_FULL);
		this.kafka.bufferFree();
		this.template.send("receipts", "again").get(10, TimeUnit.SECONDS);
	}

	@Test
	void whatIsSentReachesTheListeners() throws Exception {
		this.template.send("payments", "ten").get(10, TimeUnit.SECONDS);
		this.kafka.awaitRecords("payments", 1);
		org.awaitility.Awaitility.await().until(() -> !this.kafka.calls("payments").isEmpty());
	}

	private SendFailedException failureAfter(CompletableFuture<?> send, Duration time) {
		this.kafka.advance(time);
		CompletionException thrown = catchThrowableOfType(CompletionException.class,
				() -> send.orTimeout(10, TimeUnit.SECONDS).join());
		return (SendFailedException) thrown.getCause().getCause();
	}

}
