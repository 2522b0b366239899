package io.evenkeel.kafka.guarantee;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

import io.evenkeel.kafka.autoconfigure.EvenkeelContainerFactoryCustomizer;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import jakarta.annotation.PreDestroy;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.SoftAssertions.assertSoftly;
import static org.awaitility.Awaitility.await;

/**
 * Members join and leave under load, in each group protocol and with each ordering:
 * nothing is lost, nothing is handled twice, nothing overlaps or goes back (G1, G3, G4),
 * and partitions that stay are served meanwhile (G5).
 */
class RollingChangeIT {

	@ParameterizedTest
	@CsvSource({ "RANGE, partition", "RANGE, key", "RANGE, none", "COOPERATIVE, partition", "COOPERATIVE, key",
			"COOPERATIVE, none", "CONSUMER, partition", "CONSUMER, key", "CONSUMER, none" })
	void membersJoinAndLeave(GroupProtocol protocol, String ordering) {
		roll(EmbeddedBroker.bootstrapServers(), EmbeddedBroker.topic("rolling", 6), protocol, ordering);
	}

	/** Handlers that return a future, and of which some fail at first. */
	@ParameterizedTest
	@CsvSource({ "RANGE, key", "COOPERATIVE, partition", "CONSUMER, key" })
	void membersWithAsynchronousHandlersJoinAndLeave(GroupProtocol protocol, String ordering) {
		roll(EmbeddedBroker.bootstrapServers(), EmbeddedBroker.topic("async", 6), protocol, ordering,
				AsynchronousApplication.class);
	}

	@ParameterizedTest
	@EnumSource
	void membersWithBatchHandlersJoinAndLeave(GroupProtocol protocol) {
		roll(EmbeddedBroker.bootstrapServers(), EmbeddedBroker.topic("batch", 6), protocol, "partition",
				BatchApplication.class);
	}

	@ParameterizedTest
	@CsvSource({ "RANGE, partition", "COOPERATIVE, key", "CONSUMER, none" })
	void membersThatAcknowledgeByHandJoinAndLeave(GroupProtocol protocol, String ordering) {
		roll(EmbeddedBroker.bootstrapServers(), EmbeddedBroker.topic("manual", 6), protocol, ordering,
				ManualApplication.class);
	}

	/** The short form, on any brokers; the topic has six partitions. */
	static void roll(String bootstrapServers, String topic, GroupProtocol protocol, String ordering) {
		roll(bootstrapServers, topic, protocol, ordering, Member.SingleTopic.class);
	}

	private static void roll(String bootstrapServers, String topic, GroupProtocol protocol, String ordering,
			Class<?> application) {
		Ledger ledger = new Ledger(ordering, 3);
		Member.Builder member = Member.of(protocol, topic)
			.application(application)
			.handler(ledger)
			.with("evenkeel.kafka.consumer.retry.initial-interval=50ms",
					"spring.kafka.bootstrap-servers=" + bootstrapServers,
					"evenkeel.kafka.consumer.ordering=" + ordering, "evenkeel.kafka.consumer.concurrency=4");
		try (Member first = member.start().awaitAssigned(6)) {
			Load load = Load.start(bootstrapServers, topic, 400, 50);
			// Some records are in hand when the second one comes: they end in the revoke.
			await().until(() -> ledger.callsBy(first) > 20);
			ledger.holdUntil(first::isRevoking);
			try (load; Member second = member.start().awaitAnyAssigned()) {
				assertThat(ledger.release()).as("records that waited for the revoke").isPositive();
				assertThat(first.drained()).as("records in hand that a revoke waited for").isPositive();
				try (Member third = member.start().awaitAnyAssigned()) {
					second.close();
					await().until(() -> ledger.callsBy(third) > 20);
				}
				first.awaitAssigned(6);
			}
			await().atMost(Duration.ofSeconds(30)).until(() -> ledger.lost(load.sent()).isEmpty());
			// Whatever comes twice comes before everything is committed.
			await().atMost(Duration.ofSeconds(30)).until(() -> isCommitted(bootstrapServers, topic));
			assertKept(ledger, load);
		}
	}

	private static boolean isCommitted(String bootstrapServers, String topic) throws Exception {
		try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
			Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(topic)
				.partitionsToOffsetAndMetadata()
				.get();
			Map<TopicPartition, OffsetSpec> all = new HashMap<>();
			IntStream.range(0, 6).forEach((i) -> all.put(new TopicPartition(topic, i), OffsetSpec.latest()));
			return admin.listOffsets(all).all().get().entrySet().stream().allMatch((end) -> {
				OffsetAndMetadata known = committed.get(end.getKey());
				return end.getValue().offset() == ((known != null) ? known.offset() : 0);
			});
		}
	}

	/**
	 * Every three seconds a member comes or goes, for a minute, and beside it the same
	 * with spring-kafka's own container, which is only measured.
	 */
	@ParameterizedTest
	@CsvSource({ "RANGE, partition", "COOPERATIVE, partition", "COOPERATIVE, key", "CONSUMER, partition",
			"CONSUMER, key" })
	@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
	void membersJoinAndLeaveForAMinute(GroupProtocol protocol, String ordering) {
		Outcome ours = minute(protocol, ordering, true);
		Outcome plain = minute(protocol, "partition", false);
		System.out.printf("| %s, %s | handled | duplicates | order | longest stand-still of a retained partition "
				+ "| longest stand-still |%n", protocol, ordering);
		System.out.printf("| Evenkeel | %d | %d | %d | %d ms | %d ms |%n", ours.handled, ours.duplicates,
				ours.violations, ours.retained, ours.total);
		System.out.printf("| spring-kafka | %d | %d | %d | %d ms | %d ms |%n", plain.handled, plain.duplicates,
				plain.violations, plain.retained, plain.total);
		assertThat(ours.duplicates).as("duplicates").isZero();
		assertThat(ours.violations).as("order").isZero();
		if (protocol.retains()) {
			assertThat(ours.retained).as("stand-still of a retained partition").isLessThan(500);
		}
		assertThat(ours.total).as("stand-still").isLessThan(10_000);
	}

	private Outcome minute(GroupProtocol protocol, String ordering, boolean enabled) {
		String topic = EmbeddedBroker.topic("minute", 12);
		Ledger ledger = new Ledger(ordering, 5);
		Member.Builder member = Member.of(protocol, topic)
			.handler(ledger)
			.with("evenkeel.kafka.consumer.ordering=" + ordering, "evenkeel.kafka.consumer.enabled=" + enabled,
					"spring.kafka.listener.concurrency=4");
		Deque<Member> others = new ArrayDeque<>();
		try (Member first = member.start().awaitAssigned(12)) {
			Load load = Load.start(topic, 240, 100);
			try (load) {
				long start = System.nanoTime();
				for (int change = 1; change <= 20; change++) {
					long at = start + Duration.ofSeconds(3).toNanos() * change;
					await().atMost(Duration.ofSeconds(30))
						.pollInterval(Duration.ofMillis(10))
						.until(() -> System.nanoTime() >= at);
					if (others.size() < 2 && change % 2 == 1) {
						others.add(member.start());
					}
					else if (!others.isEmpty()) {
						others.remove().close();
					}
				}
			}
			others.forEach(Member::close);
			await().atMost(Duration.ofSeconds(60)).until(() -> ledger.lost(load.sent()).isEmpty());
		}
		return new Outcome(ledger.handled(), ledger.duplicates().size(), ledger.violations().size(),
				ledger.standStillMillis(true), ledger.standStillMillis(false));
	}

	static void assertKept(Ledger ledger, Load load) {
		assertSoftly((softly) -> {
			softly.assertThat(load.count()).as("sent").isGreaterThan(100);
			softly.assertThat(ledger.lost(load.sent())).as("lost").isEmpty();
			softly.assertThat(ledger.duplicates()).as("duplicates").isEmpty();
			softly.assertThat(ledger.violations()).as("order and overlap").isEmpty();
		});
	}

	/** Handles on threads of its own; each fortieth record fails the first time. */
	@Configuration(proxyBeanMethods = false)
	static class AsynchronousApplication extends Member.Base {

		private final Member.RecordHandler handler;

		private final ExecutorService threads = Executors.newFixedThreadPool(8);

		AsynchronousApplication(Member.RecordHandler handler) {
			this.handler = handler;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		CompletableFuture<Void> listen(ConsumerRecord<Object, Object> record,
				@Header(KafkaHeaders.DELIVERY_ATTEMPT) int attempt) {
			return CompletableFuture.runAsync(() -> {
				if (attempt == 1 && record.offset() % 40 == 7) {
					throw new IllegalStateException("the first time");
				}
				try {
					this.handler.handle(record);
				}
				catch (Exception ex) {
					throw new IllegalStateException(ex);
				}
			}, this.threads);
		}

		@PreDestroy
		void end() {
			this.threads.shutdown();
		}

	}

	/** Takes what a poll brought of a partition. */
	@Configuration(proxyBeanMethods = false)
	static class BatchApplication extends Member.Base {

		private final Member.RecordHandler handler;

		BatchApplication(Member.RecordHandler handler) {
			this.handler = handler;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}", batch = "true")
		void listen(List<ConsumerRecord<Object, Object>> records) throws Exception {
			for (ConsumerRecord<Object, Object> record : records) {
				this.handler.handle(record);
			}
		}

	}

	/** Acknowledges from a thread of its own, after the handler has returned. */
	@Configuration(proxyBeanMethods = false)
	static class ManualApplication extends Member.Base {

		private final Member.RecordHandler handler;

		private final ExecutorService threads = Executors.newFixedThreadPool(2);

		ManualApplication(Member.RecordHandler handler) {
			this.handler = handler;
		}

		@Bean
		EvenkeelContainerFactoryCustomizer manual() {
			return (factory) -> factory.getContainerProperties().setAckMode(ContainerProperties.AckMode.MANUAL);
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(ConsumerRecord<Object, Object> record, Acknowledgment acknowledgment) throws Exception {
			this.handler.handle(record);
			this.threads.execute(acknowledgment::acknowledge);
		}

		@PreDestroy
		void end() {
			this.threads.shutdown();
		}

	}

	private record Outcome(int handled, int duplicates, int violations, long retained, long total) {
	}

}
