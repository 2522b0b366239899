package io.evenkeel.kafka.container;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;

/**
 * What tests put into topics and find in them, from outside of any application.
 */
final class Topics {

	private static KafkaProducer<byte[], byte[]> producer;

	private Topics() {
	}

	private static synchronized KafkaProducer<byte[], byte[]> producer() {
		if (producer == null) {
			producer = new KafkaProducer<>(Map.of("bootstrap.servers", EmbeddedBroker.bootstrapServers()),
					new ByteArraySerializer(), new ByteArraySerializer());
		}
		return producer;
	}

	/** Send text values to partition 0 without keys. */
	static void send(String topic, String... values) {
		for (String value : values) {
			send(topic, 0, null, value);
		}
	}

	static void send(String topic, int partition, String key, String value) {
		try {
			producer().send(new ProducerRecord<>(topic, partition, bytes(key), bytes(value))).get();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	/** Send many text values to partition 0 with their keys, in the order given. */
	static void sendAll(String topic, List<Map.Entry<String, String>> records) {
		records.forEach((record) -> producer()
			.send(new ProducerRecord<>(topic, 0, bytes(record.getKey()), bytes(record.getValue()))));
		producer().flush();
	}

	private static byte[] bytes(String text) {
		return (text != null) ? text.getBytes(StandardCharsets.UTF_8) : null;
	}

	static String text(byte[] bytes) {
		return (bytes != null) ? new String(bytes, StandardCharsets.UTF_8) : null;
	}

	/** Read from the beginning until there are so many records. */
	static List<ConsumerRecord<byte[], byte[]>> read(String topic, int count) {
		return read(topic, count, "read_uncommitted");
	}

	static List<ConsumerRecord<byte[], byte[]>> read(String topic, int count, String isolation) {
		List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
		try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers",
				EmbeddedBroker.bootstrapServers(), "auto.offset.reset", "earliest", "isolation.level", isolation),
				new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
			Awaitility.await().pollInterval(Duration.ofMillis(50)).atMost(Duration.ofSeconds(30)).until(() -> {
				if (consumer.assignment().isEmpty()) {
					List<PartitionInfo> infos = consumer.partitionsFor(topic);
					if (infos.isEmpty()) {
						return false;
					}
					consumer.assign(
							infos.stream().map((info) -> new TopicPartition(info.topic(), info.partition())).toList());
					consumer.seekToBeginning(consumer.assignment());
				}
				consumer.poll(Duration.ofMillis(100)).forEach(found::add);
				return !consumer.assignment().isEmpty() && found.size() >= count;
			});
			// Once more: there must not be others.
			consumer.poll(Duration.ofMillis(200)).forEach(found::add);
		}
		return found;
	}

	static String header(ConsumerRecord<?, ?> record, String name) {
		Header header = record.headers().lastHeader(name);
		return (header != null) ? text(header.value()) : null;
	}

	/** The committed offset, -1 when there is none. */
	static long committed(String group, String topic, int partition) {
		try (Admin admin = EmbeddedBroker.admin()) {
			OffsetAndMetadata offset = admin.listConsumerGroupOffsets(group)
				.partitionsToOffsetAndMetadata()
				.get()
				.get(new TopicPartition(topic, partition));
			return (offset != null) ? offset.offset() : -1;
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	static int partitions(String topic) {
		try (Admin admin = EmbeddedBroker.admin()) {
			return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	static void awaitCommitted(String group, String topic, int partition, long offset) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(30))
			.untilAsserted(() -> org.assertj.core.api.Assertions.assertThat(committed(group, topic, partition))
				.isEqualTo(offset));
	}

}
