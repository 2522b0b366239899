package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.util.StringUtils;

/**
 * Dead letters that cannot be written, and the topics that they are written to.
 */
@ExtendWith(OutputCaptureExtension.class)
class DeadLettersIT {

	private static final String KEYS = "evenkeel.kafka.consumer.ordering=key";

	private static final String ONE_CALL = "evenkeel.kafka.consumer.retry.max-attempts=1";

	/** How long a dead letter waits for a broker. */
	private static final String SHORT = "spring.kafka.producer.properties.max.block.ms=500";

	@Test
	void deadLettersThatCannotBeWrittenHoldTheirKeysOnly(CapturedOutput output) {
		String topic = poisonedTopic("unwritable");
		Calls calls = new Calls();
		try (App app = App.of(Listener.class)
			.bean(calls)
			.with(KEYS, "evenkeel.kafka.consumer.concurrency=4", ONE_CALL, SHORT,
					"spring.kafka.producer.bootstrap-servers=localhost:1")
			.start(topic)) {
			calls.await(values());
			Awaitility.await()
				.atMost(Duration.ofSeconds(30))
				.until(() -> app.evenkeel("listener").recoveryFailingSince() != 0);
			Topics.awaitCommitted(topic, topic, 1, 20);
			// Behind its poison, each key waits.
			Assertions.assertThat(calls.all()).noneMatch((value) -> value.startsWith("behind"));
			Assertions.assertThat(app.evenkeel("listener").snapshot().used()).isZero();
		}
		Assertions.assertThat(output.getOut()).contains("the recovery of " + topic).contains("BROKERS_UNREACHABLE");
		Assertions.assertThat(output.getOut()).doesNotContain("fail-always").doesNotContain("poison-key");
	}

	@Test
	void aRecovererOfTheApplicationThatWaitsHoldsItsKeyOnly() {
		String topic = poisonedTopic("waiting");
		Calls calls = new Calls();
		Waiting waiting = new Waiting(new CountDownLatch(1));
		try (App app = App.of(Listener.class, WithRecoverer.class)
			.bean(calls)
			.bean(waiting)
			.with(KEYS, "evenkeel.kafka.consumer.concurrency=2", ONE_CALL)
			.start(topic)) {
			calls.await(values());
			waiting.latch.countDown();
			calls.await("behind-0", "behind-1", "behind-2", "behind-3");
			Topics.awaitCommitted(topic, topic, 0, 8);
		}
	}

	@Test
	void theTopicIsMadeOnceGrowsWithItsSourceAndIsMadeAgain(CapturedOutput output) throws Exception {
		String topic = EmbeddedBroker.topic("grows", 2);
		for (int i = 0; i < 20; i++) {
			Topics.send(topic, i % 2, "k" + i, "fail-always");
		}
		String dead = topic + "-dlt";
		Calls calls = new Calls();
		try (App app = App.of(Listener.class)
			.bean(calls)
			.with(KEYS, "evenkeel.kafka.consumer.concurrency=8", ONE_CALL, SHORT,
					"spring.kafka.consumer.properties.metadata.max.age.ms=500",
					"logging.level.io.evenkeel.kafka.container.failure.DeadLetterTopics=INFO")
			.start(topic)) {
			Assertions.assertThat(Topics.read(dead, 20)).hasSize(20);
			Assertions.assertThat(Topics.partitions(dead)).isEqualTo(2);
			Assertions.assertThat(StringUtils.countOccurrencesOf(output.getOut(), "Created dead-letter topic"))
				.isEqualTo(1);
			administer((admin) -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all());
			Topics.send(topic, 3, "k", "fail-always");
			Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> Topics.partitions(dead) == 4);
			Assertions.assertThat(Topics.read(dead, 21)).extracting(ConsumerRecord::partition).contains(3);
			Topics.awaitCommitted(topic, topic, 3, 1);
			administer((admin) -> admin.deleteTopics(List.of(dead)).all());
			Topics.send(topic, 3, "k", "fail-always");
			Topics.awaitCommitted(topic, topic, 3, 2);
			Assertions.assertThat(Topics.partitions(dead)).isEqualTo(4);
			Assertions.assertThat(Topics.read(dead, 1)).extracting(ConsumerRecord::partition).containsExactly(3);
		}
	}

	@Test
	void aPartitionThatIsNotThereAndMayNotBeMadeIsLeftToTheProducer() {
		String topic = EmbeddedBroker.topic("fewer", 2);
		EmbeddedBroker.createTopic(topic + "-dlt", 1, Map.of());
		Topics.send(topic, 1, "k", "fail-always");
		try (App app = App.of(Listener.class)
			.bean(new Calls())
			.with(ONE_CALL, SHORT, "evenkeel.kafka.consumer.recovery.create-topics=false")
			.start(topic)) {
			Assertions.assertThat(Topics.read(topic + "-dlt", 1)).hasSize(1);
			Topics.awaitCommitted(topic, topic, 1, 1);
			Assertions.assertThat(Topics.partitions(topic + "-dlt")).isEqualTo(1);
		}
	}

	private static void administer(Function<Admin, KafkaFuture<Void>> action) throws Exception {
		try (Admin admin = EmbeddedBroker.admin()) {
			action.apply(admin).get();
		}
	}

	/** Four poisoned keys in one partition, twenty records in the other. */
	private static String poisonedTopic(String name) {
		String topic = EmbeddedBroker.topic(name, 2);
		for (int i = 0; i < 4; i++) {
			Topics.send(topic, 0, "poison-key-" + i, "fail-always");
			Topics.send(topic, 0, "poison-key-" + i, "behind-" + i);
		}
		for (String value : values()) {
			Topics.send(topic, 1, value, value);
		}
		return topic;
	}

	private static String[] values() {
		return java.util.stream.IntStream.range(0, 20).mapToObj((i) -> "v" + i).toArray(String[]::new);
	}

	@Configuration(proxyBeanMethods = false)
	static class Listener {

		private final Calls calls;

		Listener(Calls calls) {
			this.calls = calls;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.calls.add(value);
			FailuresIT.fail(value, 0);
		}

	}

	/**
	 * Waits in each recovery.
	 *
	 * @param latch until this is open
	 */
	record Waiting(CountDownLatch latch) {
	}

	@Configuration(proxyBeanMethods = false)
	static class WithRecoverer {

		@Bean
		ConsumerRecordRecoverer recoverer(Waiting waiting) {
			return (record, failure) -> {
				try {
					Assertions.assertThat(waiting.latch.await(60, TimeUnit.SECONDS)).isTrue();
				}
				catch (InterruptedException ex) {
					throw new IllegalStateException(ex);
				}
			};
		}

	}

}
