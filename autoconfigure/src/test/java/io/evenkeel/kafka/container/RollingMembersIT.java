package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.autoconfigure.EvenkeelConsumerAutoConfiguration;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.annotation.KafkaListener;

/**
 * Members come and go under load, in each group protocol: nothing is lost, nothing is
 * handled twice, nothing out of order.
 */
class RollingMembersIT {

	private static final ConcurrentMap<String, Ledger> LEDGERS = new ConcurrentHashMap<>();

	private static final int RECORDS = 3_000;

	@ParameterizedTest
	@CsvSource({ "range,partition", "range,key", "cooperative,key", "cooperative,none", "consumer,partition",
			"consumer,key" })
	void aMemberJoinsAndLeavesUnderLoad(String protocol, String ordering) throws Exception {
		String topic = EmbeddedBroker.topic("rolling", 6);
		Ledger ledger = new Ledger();
		LEDGERS.put(topic, ledger);
		try (ConfigurableApplicationContext first = member(topic, protocol, ordering)) {
			Thread sender = send(topic);
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> ledger.handled.get() > RECORDS / 10);
			try (ConfigurableApplicationContext second = member(topic, protocol, ordering)) {
				EvenkeelContainer<?, ?> container = (EvenkeelContainer<?, ?>) second
					.getBean(org.springframework.kafka.config.KafkaListenerEndpointRegistry.class)
					.getListenerContainer("listener");
				Awaitility.await()
					.atMost(Duration.ofSeconds(30))
					.until(() -> !container.getAssignedPartitions().isEmpty());
			}
			sender.join();
			Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> ledger.offsets.size() == RECORDS);
		}
		Assertions.assertThat(ledger.offsets).as("lost").hasSize(RECORDS);
		Assertions.assertThat(ledger.duplicates).as("duplicates").isEmpty();
		if (!ordering.equals("none")) {
			Assertions.assertThat(ledger.violations).as("order violations").isEmpty();
		}
	}

	private static Thread send(String topic) {
		Thread thread = new Thread(() -> {
			try (KafkaProducer<String, String> producer = new KafkaProducer<>(
					Map.of("bootstrap.servers", EmbeddedBroker.bootstrapServers()), new StringSerializer(),
					new StringSerializer())) {
				for (int i = 0; i < RECORDS; i++) {
					producer.send(new ProducerRecord<>(topic, "key-" + i % 50, String.valueOf(i)));
					if (i % 20 == 0) {
						java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
					}
				}
			}
		});
		thread.start();
		return thread;
	}

	private static ConfigurableApplicationContext member(String topic, String protocol, String ordering) {
		String specific = switch (protocol) {
			case "consumer" -> "spring.kafka.consumer.properties.group.protocol=consumer";
			case "cooperative" -> "spring.kafka.consumer.properties.partition.assignment.strategy="
					+ "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
			default -> "spring.kafka.consumer.properties.partition.assignment.strategy="
					+ "org.apache.kafka.clients.consumer.RangeAssignor";
		};
		return new SpringApplicationBuilder(Member.class).web(org.springframework.boot.WebApplicationType.NONE)
			.properties(Map.of("test.topic", topic))
			.run("--spring.kafka.bootstrap-servers=" + EmbeddedBroker.bootstrapServers(), "--" + specific,
					"--spring.kafka.consumer.auto-offset-reset=earliest", "--spring.kafka.consumer.group-id=" + topic,
					"--evenkeel.kafka.consumer.ordering=" + ordering, "--evenkeel.kafka.consumer.concurrency=8",
					"--spring.main.banner-mode=off");
	}

	/** What happened, over all members. */
	static final class Ledger {

		final AtomicInteger handled = new AtomicInteger();

		final ConcurrentMap<String, Long> offsets = new ConcurrentHashMap<>();

		final Queue<String> duplicates = new ConcurrentLinkedQueue<>();

		final Queue<String> violations = new ConcurrentLinkedQueue<>();

		final ConcurrentMap<String, Long> lastOfKey = new ConcurrentHashMap<>();

		final ConcurrentMap<String, String> running = new ConcurrentHashMap<>();

		void handle(ConsumerRecord<String, String> record) {
			String id = record.partition() + "@" + record.offset();
			if (this.running.put(record.key(), id) != null) {
				this.violations.add("overlap " + id);
			}
			Long last = this.lastOfKey.put(record.key(), record.offset());
			if (last != null && last > record.offset()) {
				this.violations.add("back " + id);
			}
			java.util.concurrent.locks.LockSupport.parkNanos(3_000_000);
			this.running.remove(record.key());
			if (this.offsets.put(id, record.offset()) != null) {
				this.duplicates.add(id);
			}
			this.handled.incrementAndGet();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ EvenkeelConsumerAutoConfiguration.class, KafkaAutoConfiguration.class })
	static class Member {

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(ConsumerRecord<String, String> record) {
			LEDGERS.get(record.topic()).handle(record);
		}

	}

}
