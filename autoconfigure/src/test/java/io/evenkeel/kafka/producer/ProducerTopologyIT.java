package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

import io.evenkeel.kafka.broker.ProcessBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.kafka.support.SendResult;

import static io.evenkeel.kafka.producer.ProducerFixture.offset;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Topics that are deleted, made again and grown while an application sends.
 */
class ProducerTopologyIT {

	private static final int KEYS = 4;

	private static ProcessBroker broker;

	private final ProducerFixture fixture = new ProducerFixture();

	private final AtomicBoolean stop = new AtomicBoolean();

	private final List<Sent> sent = new CopyOnWriteArrayList<>();

	@BeforeAll
	static void start() {
		broker = ProcessBroker.single(Map.of("log.segment.delete.delay.ms", "100")).start();
	}

	@AfterAll
	static void end() {
		broker.close();
	}

	@AfterEach
	void close() {
		this.stop.set(true);
		this.fixture.close();
	}

	@ParameterizedTest(name = "2 partitions, then {0}")
	@ValueSource(ints = { 2, 1, 4 })
	void topicIsDeletedAndMadeAgainUnderLoad(int partitions) throws Exception {
		String topic = "again-" + partitions;
		broker.createTopic(topic, 2, 1);
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers(),
				Duration.ofSeconds(20), Map.of("delivery.timeout.ms", 5000, "request.timeout.ms", 2000));
		offset(template.send(topic, "k0", "-1"));
		Thread sender = new Thread(() -> sendUntilStopped(template, topic));
		sender.start();
		await().until(() -> this.sent.size() > 200);
		try (Admin admin = broker.admin()) {
			admin.deleteTopics(List.of(topic)).all().get(20, TimeUnit.SECONDS);
			int gone = this.sent.size();
			await().until(() -> this.sent.size() > gone + 300);
		}
		await().ignoreExceptions().untilAsserted(() -> {
			broker.createTopic(topic, partitions, 1);
			assertThat(partitionsOf(topic)).isEqualTo(partitions);
		});
		int made = this.sent.size();
		await().until(() -> this.sent.size() > made + 1500);
		this.stop.set(true);
		sender.join();
		int last = 0;
		for (Sent send : this.sent) {
			try {
				offset(send.future());
				last = send.number();
			}
			catch (ExecutionException ex) {
				SendFailedException failure = (SendFailedException) ex.getCause().getCause();
				// Only what was in the client's hands while the topic went away.
				assertThat(failure.getPhase()).as(failure.getMessage()).isEqualTo(FailurePhase.DELIVERY);
				assertThat(failure.isPossiblySent()).isTrue();
				assertThat(send.number()).isLessThan(made + 200);
			}
		}
		assertThat(last).isEqualTo(this.sent.size() - 1);
		Map<String, List<Integer>> stored = read(topic, partitions);
		stored.forEach((lane,
				numbers) -> assertThat(numbers).as("stored order of %s", lane).isSorted().doesNotHaveDuplicates());
	}

	/**
	 * Records for a partition that is missing wait, others go on; once it is there they
	 * arrive in order, those sent meanwhile behind them.
	 */
	@Test
	void partitionsAreAddedWhileRecordsWaitForThem() throws Exception {
		broker.createTopic("growing", 1, 1);
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers(),
				Duration.ofSeconds(30));
		offset(template.send("growing", "warm", "-1"));
		List<CompletableFuture<SendResult<String, String>>> first = new ArrayList<>();
		List<CompletableFuture<SendResult<String, String>>> third = new ArrayList<>();
		for (int i = 0; i < 600; i++) {
			if (i == 300) {
				assertThat(third).noneMatch(CompletableFuture::isDone);
				try (Admin admin = broker.admin()) {
					admin.createPartitions(Map.of("growing", NewPartitions.increaseTo(3)))
						.all()
						.get(20, TimeUnit.SECONDS);
				}
			}
			first.add(template.send("growing", 0, "a", String.valueOf(i)));
			third.add(template.send("growing", 2, "c", String.valueOf(i)));
			LockSupport.parkNanos(2_000_000);
		}
		await().atMost(Duration.ofSeconds(10)).until(() -> third.stream().allMatch(CompletableFuture::isDone));
		for (List<CompletableFuture<SendResult<String, String>>> sends : List.of(first, third)) {
			long last = -1;
			for (CompletableFuture<SendResult<String, String>> send : sends) {
				assertThat(offset(send)).isGreaterThan(last);
				last = offset(send);
			}
		}
		assertThat(this.fixture.registry.snapshots())
			.allSatisfy((producer) -> assertThat(producer.pendingRecords()).isZero());
	}

	/**
	 * Four threads send to a hundred topics while these are being made: the leaders of
	 * many are not there yet when their names are known.
	 */
	@Test
	void topicsThatHaveJustBeenMadeAreSentToByManyThreads() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers(),
				Duration.ofSeconds(30), Map.of("delivery.timeout.ms", 20000, "request.timeout.ms", 10000));
		List<String> topics = IntStream.range(0, 100).mapToObj((i) -> "new-" + i).toList();
		List<Thread> senders = IntStream.range(0, 4).mapToObj((number) -> new Thread(() -> {
			for (int round = 0; round < 5; round++) {
				for (String topic : topics) {
					String key = "k" + number;
					this.sent.add(new Sent(topic + key, round, template.send(topic, key, String.valueOf(round))));
				}
			}
		})).toList();
		try (Admin admin = broker.admin()) {
			admin.createTopics(topics.stream().map((topic) -> new NewTopic(topic, 1, (short) 1)).toList());
			senders.forEach(Thread::start);
			for (Thread thread : senders) {
				thread.join();
			}
		}
		Map<String, Long> last = new HashMap<>();
		for (Sent send : this.sent) {
			Long before = last.put(send.key(), offset(send.future()));
			assertThat(before == null || before < last.get(send.key())).as("order of %s", send).isTrue();
		}
		assertThat(this.sent).hasSize(2000);
	}

	private void sendUntilStopped(EvenkeelKafkaTemplate<String, String> template, String topic) {
		for (int i = 0; !this.stop.get(); i++) {
			String key = "k" + (i % KEYS);
			this.sent.add(new Sent(key, i, template.send(topic, key, String.valueOf(i))));
			LockSupport.parkNanos(1_000_000);
		}
	}

	private static int partitionsOf(String topic) throws Exception {
		try (Admin admin = broker.admin()) {
			return admin.describeTopics(List.of(topic))
				.allTopicNames()
				.get(5, TimeUnit.SECONDS)
				.get(topic)
				.partitions()
				.size();
		}
	}

	private static Map<String, List<Integer>> read(String topic, int partitions) {
		Map<String, List<Integer>> result = new HashMap<>();
		try (Consumer<String, String> consumer = new KafkaConsumer<>(
				Map.of("bootstrap.servers", broker.bootstrapServers()), new StringDeserializer(),
				new StringDeserializer())) {
			List<TopicPartition> all = new ArrayList<>();
			for (int partition = 0; partition < partitions; partition++) {
				all.add(new TopicPartition(topic, partition));
			}
			consumer.assign(all);
			consumer.seekToBeginning(all);
			Map<TopicPartition, Long> ends = consumer.endOffsets(all);
			await().atMost(Duration.ofSeconds(30)).until(() -> {
				for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
					result.computeIfAbsent(record.key() + "/" + record.partition(), (lane) -> new ArrayList<>())
						.add(Integer.parseInt(record.value()));
				}
				return ends.entrySet()
					.stream()
					.allMatch((entry) -> consumer.position(entry.getKey()) >= entry.getValue());
			});
		}
		return result;
	}

	private record Sent(String key, int number, CompletableFuture<SendResult<String, String>> future) {

		@Override
		public String toString() {
			return this.key + "#" + this.number;
		}

	}

}
