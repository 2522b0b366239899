package io.evenkeel.samples.adopted;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;

import io.micrometer.core.instrument.MeterRegistry;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.SendResult;
import org.springframework.kafka.support.serializer.JacksonJsonDeserializer;
import org.springframework.kafka.test.EmbeddedKafkaBroker;
import org.springframework.kafka.test.context.EmbeddedKafka;
import org.springframework.kafka.test.utils.KafkaTestUtils;
import org.springframework.test.annotation.DirtiesContext;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs an application that nobody adapted, with actuator and Micrometer present.
 */
@SpringBootTest
@EmbeddedKafka(topics = "notices", partitions = 3)
@DirtiesContext
class AdoptedApplicationIT {

	private static final Duration PATIENCE = Duration.ofSeconds(30);

	@Autowired
	private KafkaTemplate<String, Object> template;

	@Autowired
	private EmbeddedKafkaBroker broker;

	@Autowired
	private MeterRegistry meters;

	private final Queue<Notice> received = new ArrayDeque<>();

	private Consumer<String, Notice> notices;

	@BeforeEach
	void subscribe() {
		Map<String, Object> properties = KafkaTestUtils.consumerProps(this.broker, "test", true);
		this.notices = new DefaultKafkaConsumerFactory<>(properties, new StringDeserializer(),
				new JacksonJsonDeserializer<>(Notice.class))
			.createConsumer();
		this.broker.consumeFromAnEmbeddedTopic(this.notices, true, "notices");
	}

	@AfterEach
	void unsubscribe() {
		this.notices.close();
	}

	@Test
	void payloadAndHeadersReachListenerThatAcknowledgesByHand() {
		SendResult<String, Object> sent = this.template.send("parcels", "p-1", new Parcel("p-1", "Ada")).join();
		assertThat(nextNotice()).isEqualTo(new Notice("p-1", "Ada, a parcel is on its way to you"));
		awaitCommit("parcel-service", sent);
	}

	@Test
	void typeOfRecordSelectsHandlerMethod() {
		this.template.send("scans", "p-2", new Scan("p-2", "Kiel")).join();
		this.template.send("scans", "p-2", new Parcel("p-2", "nobody asks")).join();
		SendResult<String, Object> last = this.template.send("scans", "p-2", new Delivery("p-2")).join();
		assertThat(nextNotice()).isEqualTo(new Notice("p-2", "Your parcel is in Kiel"));
		assertThat(nextNotice()).isEqualTo(new Notice("p-2", "Your parcel has arrived"));
		awaitCommit("scan-service", last);
	}

	@Test
	void metersOfSpringKafkaKeepTheirNames() {
		this.template.send("parcels", "p-3", new Parcel("p-3", "Grace")).join();
		assertThat(nextNotice().parcel()).isEqualTo("p-3");
		Awaitility.await()
			.atMost(PATIENCE)
			.untilAsserted(() -> assertThat(this.meters.find("spring.kafka.listener").timers()).isNotEmpty());
		assertThat(this.meters.find("spring.kafka.template").timers()).isNotEmpty();
	}

	private Notice nextNotice() {
		long deadline = System.nanoTime() + PATIENCE.toNanos();
		while (this.received.isEmpty() && System.nanoTime() < deadline) {
			this.notices.poll(Duration.ofMillis(100)).forEach((record) -> this.received.add(record.value()));
		}
		return this.received.remove();
	}

	private void awaitCommit(String group, SendResult<String, Object> sent) {
		TopicPartition partition = new TopicPartition(sent.getRecordMetadata().topic(),
				sent.getRecordMetadata().partition());
		try (AdminClient admin = AdminClient.create(Map.of("bootstrap.servers", this.broker.getBrokersAsString()))) {
			Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
				OffsetAndMetadata committed = admin.listConsumerGroupOffsets(group)
					.partitionsToOffsetAndMetadata()
					.get()
					.get(partition);
				assertThat(committed).isNotNull();
				assertThat(committed.offset()).isEqualTo(sent.getRecordMetadata().offset() + 1);
			});
		}
	}

}
