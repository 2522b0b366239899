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

import static io.evenkeel.kafka.producer.ProducerFixture.offset;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * A user's interceptor does not come back, on a real broker. On the client's I/O thread
 * it would hold all sends.
 */
@EmbeddedKafka(topics = "orders", partitions = 1)
class StuckInterceptorIT {

	private static volatile CountDownLatch hold = new CountDownLatch(0);

	/** Red when futures end behind an interceptor, or on the client's I/O thread. */
	@Test
	void sendsEndWhileInterceptorsDoNot(EmbeddedKafkaBroker broker) throws Exception {
		try (ProducerFixture fixture = new ProducerFixture()) {
			EvenkeelKafkaTemplate<String, String> template = fixture.template(broker.getBrokersAsString(),
					Duration.ofSeconds(20), Map.of(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG, Holding.class.getName()));
			offset(template.send("orders", "k", "warm"));
			hold = new CountDownLatch(1);
			List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
			for (int i = 0; i < 100; i++) {
				sends.add(template.send("orders", "k", "v" + i));
			}
			for (CompletableFuture<SendResult<String, String>> send : sends) {
				assertThat(offset(send)).isPositive();
			}
			hold.countDown();
			assertThat(offset(template.send("orders", "k", "again"))).isGreaterThan(100);
		}
		finally {
			hold.countDown();
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
