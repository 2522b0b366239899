package io.evenkeel.kafka.guarantee;

import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.kafka.KafkaContainer;

/**
 * The short form of the rolling change on the brokers that users run: the official image.
 * Skipped where there is no Docker.
 */
@Testcontainers(disabledWithoutDocker = true)
class ContainerImageIT {

	@Container
	private static final KafkaContainer KAFKA = new KafkaContainer("apache/kafka:4.1.1")
		.withEnv("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
		.withEnv("KAFKA_GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS", "200")
		.withEnv("KAFKA_GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS", "200");

	@ParameterizedTest
	@CsvSource({ "RANGE, partition", "COOPERATIVE, key", "CONSUMER, key" })
	void membersJoinAndLeave(GroupProtocol protocol, String ordering) throws Exception {
		String topic = EmbeddedBroker.unique("image");
		try (Admin admin = Admin.create(Map.of("bootstrap.servers", KAFKA.getBootstrapServers()))) {
			admin.createTopics(List.of(new NewTopic(topic, 6, (short) 1))).all().get();
		}
		RollingChangeIT.roll(KAFKA.getBootstrapServers(), topic, protocol, ordering);
	}

}
