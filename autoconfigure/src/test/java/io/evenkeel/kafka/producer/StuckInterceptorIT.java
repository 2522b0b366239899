package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.support.SendResult;
import org.springframework.kafka.test.EmbeddedKafkaBroker;
import org.springframework.kafka.test.context.EmbeddedKafka;

import static io.evenkeel.kafka.producer.ProducerFixture.failure;
import static io.evenkeel.kafka.producer.ProducerFixture.offset;
import static io.evenkeel.kafka.producer.ProducerFixture.since;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A user's interceptor holds the client's I/O thread, on a real broker: the client itself
 * ends nothing any more.
 */
@EmbeddedKafka(topics = "orders", partitions = 1)
class StuckInterceptorIT {

	private static final Duration DELIVERY = Duration.ofSeconds(2);

	private static volatile CountDownLatch hold = new CountDownLatch(0);

	/** Red without our own deadline after the hand-over. */
	@Test
	void sendsEndInTimeAndLaterOnesArrive(EmbeddedKafkaBroker broker) throws Exception {
		try (ProducerFixture fixture = new ProducerFixture()) {
			EvenkeelKafkaTemplate<String, String> template = fixture.template(broker.getBrokersAsString(),
					Duration.ofSeconds(2),
					Map.of(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG, Holding.class.getName(),
							ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 2000, ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
							1000));
			offset(template.send("orders", "k", "warm"));
			hold = new CountDownLatch(1);
			long start = System.nanoTime();
			List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
			for (int i = 0; i < 100; i++) {
				sends.add(template.send("orders", "k", "v" + i));
			}
			for (CompletableFuture<SendResult<String, String>> send : sends) {
				SendFailedException failure = failure(send);
				assertThat(failure.getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
				assertThat(failure.isPossiblySent()).isTrue();
			}
			assertThat(since(start)).isLessThan(DELIVERY.plusMillis(500));
			hold.countDown();
			await().atMost(Duration.ofSeconds(30))
				.ignoreExceptions()
				.until(() -> offset(template.send("orders", "k", "again")) > 0);
		}
	}

	public static final class Holding implements ProducerInterceptor<String, String> {

		@Override
		public ProducerRecord<String, String> onSend(ProducerRecord<String, String> record) {
			return record;
		}

		@Override
		public void onAcknowledgement(RecordMetadata metadata, Exception exception) {
			try {
				hold.await();
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}

		@Override
		public void close() {
		}

		@Override
		public void configure(Map<String, ?> configs) {
		}

	}

}
