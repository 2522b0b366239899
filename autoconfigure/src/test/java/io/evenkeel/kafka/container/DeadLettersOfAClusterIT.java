package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.evenkeel.kafka.broker.ProcessBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Dead letters of three brokers, one of which is away, and with it a partition of the
 * dead-letter topic that has no replica elsewhere.
 */
@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
class DeadLettersOfAClusterIT {

	private static final String TOPIC = "source";

	private static final int POISON = 6;

	private static final int VALUES = 20;

	private static final Duration LONG = Duration.ofSeconds(90);

	private final List<ProcessBroker> brokers = ProcessBroker.cluster(3, Map.of("min.insync.replicas", "1"));

	private final String servers = this.brokers.stream()
		.map(ProcessBroker::bootstrapServers)
		.collect(Collectors.joining(","));

	@AfterEach
	void stop() {
		this.brokers.forEach(ProcessBroker::close);
	}

	@Test
	void oneBrokerAwayHoldsTheKeysOfItsDeadLettersOnly() throws Exception {
		this.brokers.forEach(ProcessBroker::launch);
		this.brokers.forEach(ProcessBroker::awaitListening);
		Awaitility.await().atMost(LONG).ignoreExceptions().until(() -> {
			this.brokers.get(0).createTopic(TOPIC, 3, 3);
			return true;
		});
		createOnOneBrokerEach(TOPIC + "-dlt");
		Calls calls = new Calls();
		try (App app = App.of(DeadLettersIT.Listener.class)
			.bean(calls)
			.with("spring.kafka.bootstrap-servers=" + this.servers, "evenkeel.kafka.consumer.ordering=key",
					"evenkeel.kafka.consumer.concurrency=2", "evenkeel.kafka.consumer.retry.max-attempts=1",
					"spring.kafka.producer.properties.delivery.timeout.ms=4000",
					"spring.kafka.producer.properties.request.timeout.ms=2000",
					"spring.kafka.producer.properties.max.block.ms=2000")
			.start(TOPIC)) {
			send("warm");
			calls.await("warm-0", "warm-1", "warm-2");
			this.brokers.get(2).kill();
			for (int i = 0; i < POISON; i++) {
				poison(i);
			}
			send("value");
			// More dead letters wait than there are calls at once, and all goes on.
			calls.await(IntStream.range(0, VALUES).mapToObj((i) -> "value-" + i).toArray(String[]::new));
			Awaitility.await().atMost(LONG).until(() -> app.evenkeel("listener").recoveryFailingSince() != 0);
			Awaitility.await().atMost(LONG).until(() -> dead(0).size() >= POISON && dead(1).size() >= POISON);
			awaitEnd(0);
			awaitEnd(1);
			Assertions.assertThat(app.evenkeel("listener").snapshot().used()).isZero();
			this.brokers.get(2).start();
			Awaitility.await().atMost(LONG).until(() -> dead(2).size() >= POISON);
			awaitEnd(2);
			Awaitility.await().atMost(LONG).until(() -> app.evenkeel("listener").recoveryFailingSince() == 0);
		}
		for (int partition = 0; partition < 3; partition++) {
			List<String> found = dead(partition);
			Assertions.assertThat(found).containsOnlyOnceElementsOf(found.stream().distinct().toList());
			Assertions.assertThat(found).hasSize(POISON);
		}
		// Nothing was called twice for the dead letters that waited.
		Assertions.assertThat(calls.all()).doesNotHaveDuplicates();
	}

	private void createOnOneBrokerEach(String topic) throws Exception {
		try (Admin admin = Admin.create(Map.of("bootstrap.servers", this.servers))) {
			admin.createTopics(List.of(new NewTopic(topic, Map.of(0, List.of(1), 1, List.of(2), 2, List.of(3)))))
				.all()
				.get(30, TimeUnit.SECONDS);
		}
	}

	private void poison(int number) {
		for (int partition = 0; partition < 3; partition++) {
			send(partition, "poison" + partition + "-" + number, "fail-always-" + partition + "-" + number);
		}
	}

	private void send(String name) {
		for (int i = 0; i < (name.equals("warm") ? 3 : VALUES); i++) {
			send(i % 3, name + i, name + "-" + i);
		}
	}

	private void send(int partition, String key, String value) {
		try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", this.servers),
				new StringSerializer(), new StringSerializer())) {
			producer.send(new ProducerRecord<>(TOPIC, partition, key, value)).get(60, TimeUnit.SECONDS);
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	private List<String> dead(int partition) {
		List<String> found = new ArrayList<>();
		TopicPartition dead = new TopicPartition(TOPIC + "-dlt", partition);
		try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
				Map.of("bootstrap.servers", this.servers, "auto.offset.reset", "earliest"), new StringDeserializer(),
				new StringDeserializer())) {
			consumer.assign(List.of(dead));
			long end = consumer.endOffsets(List.of(dead)).get(dead);
			while (consumer.position(dead) < end) {
				for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
					found.add(record.value());
				}
			}
		}
		return found;
	}

	private void awaitEnd(int partition) {
		TopicPartition source = new TopicPartition(TOPIC, partition);
		Awaitility.await().atMost(LONG).ignoreExceptions().until(() -> {
			try (Admin admin = Admin.create(Map.of("bootstrap.servers", this.servers))) {
				OffsetAndMetadata committed = admin.listConsumerGroupOffsets(TOPIC)
					.partitionsToOffsetAndMetadata()
					.get(10, TimeUnit.SECONDS)
					.get(source);
				return committed != null && committed.offset() == admin
					.listOffsets(Map.of(source, org.apache.kafka.clients.admin.OffsetSpec.latest()))
					.all()
					.get(10, TimeUnit.SECONDS)
					.get(source)
					.offset();
			}
		});
	}

}
