package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

import io.evenkeel.kafka.broker.ProcessBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.support.SendResult;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Three brokers, each killed and started again in turn under steady load.
 */
class ProducerRollingIT {

	private static final String TOPIC = "rolling";

	private static final int KEYS = 4;

	private final List<ProcessBroker> brokers = ProcessBroker.cluster(3, Map.of("min.insync.replicas", "2"));

	private final ProducerFixture fixture = new ProducerFixture();

	private final List<Sent> sent = new ArrayList<>();

	private final AtomicBoolean stop = new AtomicBoolean();

	@AfterEach
	void stop() {
		this.stop.set(true);
		this.fixture.close();
		this.brokers.forEach(ProcessBroker::close);
	}

	@Test
	void everyAcknowledgedRecordIsThereAndInOrder() throws Exception {
		this.brokers.forEach(ProcessBroker::launch);
		this.brokers.forEach(ProcessBroker::awaitListening);
		await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(() -> {
			this.brokers.get(0).createTopic(TOPIC, 3, 3);
			return inSync();
		});
		String servers = this.brokers.stream().map(ProcessBroker::bootstrapServers).collect(Collectors.joining(","));
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(servers, Duration.ofSeconds(30),
				Map.of("request.timeout.ms", 5000, "delivery.timeout.ms", 60000));
		Thread sender = new Thread(() -> sendUntilStopped(template));
		sender.start();
		for (ProcessBroker broker : this.brokers) {
			broker.kill();
			int before = this.sent.size();
			await().atMost(Duration.ofSeconds(20)).until(() -> this.sent.size() > before + 500);
			broker.start();
			await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(this::inSync);
		}
		this.stop.set(true);
		sender.join(20_000);
		// The last ones are on their way, and what is read must have them all.
		await().atMost(Duration.ofSeconds(90))
			.until(() -> this.sent.stream().allMatch((send) -> send.future().isDone()));
		Map<String, List<Integer>> stored = read(servers);
		verify(stored);
	}

	private void sendUntilStopped(EvenkeelKafkaTemplate<String, String> template) {
		for (int i = 0; !this.stop.get(); i++) {
			String key = "k" + (i % KEYS);
			HeldTime time = new HeldTime();
			CompletableFuture<SendResult<String, String>> future = template.send(TOPIC, key, String.valueOf(i));
			long held = time.nanos();
			synchronized (this.sent) {
				this.sent.add(new Sent(key, i, future, held));
			}
			LockSupport.parkNanos(2_000_000);
		}
	}

	private void verify(Map<String, List<Integer>> stored) throws Exception {
		Map<String, Long> lastOffset = new HashMap<>();
		Set<Integer> refused = new HashSet<>();
		int acknowledged = 0;
		for (Sent send : this.sent) {
			try {
				long offset = send.future().get(90, TimeUnit.SECONDS).getRecordMetadata().offset();
				Long before = lastOffset.put(send.key(), offset);
				assertThat(before == null || before < offset).as("order of %s", send).isTrue();
				assertThat(stored.get(send.key())).contains(send.number());
				acknowledged++;
			}
			catch (ExecutionException ex) {
				SendFailedException failure = (SendFailedException) ex.getCause().getCause();
				if (!failure.isPossiblySent()) {
					refused.add(send.number());
				}
			}
		}
		assertThat(acknowledged).isGreaterThan(1500);
		stored.forEach((key, numbers) -> {
			assertThat(numbers).as("stored order of %s", key).isSorted().doesNotHaveDuplicates();
			assertThat(numbers).doesNotContainAnyElementsOf(refused.isEmpty() ? Set.of(-1) : refused);
		});
		assertThat(Duration.ofNanos(HeldTime.p99(this.sent.stream().map(Sent::heldNanos).toList())))
			.isLessThan(Duration.ofMillis(5));
	}

	private boolean inSync() throws Exception {
		for (ProcessBroker broker : this.brokers) {
			try (Admin admin = broker.admin()) {
				TopicDescription description = admin.describeTopics(List.of(TOPIC))
					.allTopicNames()
					.get(5, TimeUnit.SECONDS)
					.get(TOPIC);
				if (description.partitions().stream().anyMatch((partition) -> partition.isr().size() < 3)) {
					return false;
				}
			}
		}
		return true;
	}

	private static Map<String, List<Integer>> read(String servers) {
		Map<String, List<Integer>> result = new HashMap<>();
		try (Consumer<String, String> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", servers),
				new StringDeserializer(), new StringDeserializer())) {
			List<TopicPartition> partitions = List.of(new TopicPartition(TOPIC, 0), new TopicPartition(TOPIC, 1),
					new TopicPartition(TOPIC, 2));
			consumer.assign(partitions);
			consumer.seekToBeginning(partitions);
			Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
			await().atMost(Duration.ofSeconds(60)).until(() -> {
				for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
					result.computeIfAbsent(record.key(), (key) -> new ArrayList<>())
						.add(Integer.parseInt(record.value()));
				}
				return ends.entrySet()
					.stream()
					.allMatch((entry) -> consumer.position(entry.getKey()) >= entry.getValue());
			});
		}
		return result;
	}

	private record Sent(String key, int number, CompletableFuture<SendResult<String, String>> future, long heldNanos) {

		@Override
		public String toString() {
			return this.key + "#" + this.number;
		}

	}

}
