package io.evenkeel.kafka.deadletter;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.support.KafkaHeaders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

/**
 * Listing, replaying and dropping, without brokers.
 */
class DeadLettersTests {

	private static final String TOPIC = "orders-dlt";

	private final Cluster cluster = new Cluster();

	private final DeadLetters letters = new DeadLetters(() -> Map.of(TOPIC, "orders"), this.cluster);

	@Test
	void theyAreCountedByPartitionAndException() {
		letter(0, "java.lang.IllegalStateException");
		letter(0, "java.lang.IllegalStateException");
		letter(1, "com.acme.NoStock");
		assertThat(this.letters.list()).singleElement().satisfies((summary) -> {
			assertThat(summary.topic()).isEqualTo(TOPIC);
			assertThat(summary.source()).isEqualTo("orders");
			assertThat(summary.records()).isEqualTo(3);
			assertThat(summary.complete()).isTrue();
			assertThat(summary.partitions()).containsExactly(new DeadLetterSummary.Partition(0, 2, 0, 1),
					new DeadLetterSummary.Partition(1, 1, 0, 0));
			assertThat(summary.exceptions()).containsExactly(
					new DeadLetterSummary.Failure("java.lang.IllegalStateException", 2),
					new DeadLetterSummary.Failure("com.acme.NoStock", 1));
		});
	}

	@Test
	void aTopicThatDoesNotExistHasNone() {
		this.cluster.exists = false;
		assertThat(this.letters.list()).singleElement().satisfies((summary) -> {
			assertThat(summary.records()).isZero();
			assertThat(summary.complete()).isTrue();
		});
	}

	@Test
	void aReplayedRecordIsAsItWasAndMarked() {
		letter(1, "java.lang.IllegalStateException");
		done(this.letters.replay(TOPIC, Selection.ALL, 1000));
		ProducerRecord<byte[], byte[]> sent = this.cluster.sent.get(0);
		assertThat(sent.topic()).isEqualTo("orders");
		assertThat(sent.partition()).isEqualTo(7);
		assertThat(sent.key()).containsExactly('k');
		assertThat(sent.value()).containsExactly('v');
		assertThat(headers(sent)).containsOnly(Map.entry("own", "h"),
				Map.entry("evenkeel_replayed-from", "orders-dlt-1@0"));
		assertThat(this.letters.list().get(0).records()).as("it is not shown any more").isZero();
	}

	@Test
	void oneThatFailsAgainIsRecognized() {
		letter(0, "x");
		ConsumerRecord<byte[], byte[]> again = letter(0, "x");
		again.headers().add("evenkeel_replayed-from", "orders-dlt-0@0".getBytes(StandardCharsets.UTF_8));
		assertThat(this.letters.list().get(0).again()).isEqualTo(1);
		done(this.letters.replay(TOPIC, Selection.ALL, 1000));
		assertThat(headers(this.cluster.sent.get(1))).containsEntry("evenkeel_replayed-from", "orders-dlt-0@1");
	}

	/** Red when what is done in the midst of a partition is forgotten. */
	@Test
	void aRangeIsReplayedAndTheRestStays() {
		for (int i = 0; i < 10; i++) {
			letter(0, "x");
			letter(1, "x");
		}
		Replay replay = done(this.letters.replay(TOPIC, new Selection(0, 3L, 5L), 1000));
		assertThat(replay.sent()).isEqualTo(3);
		assertThat(this.letters.list().get(0).records()).isEqualTo(17);
		assertThat(this.letters.drop(TOPIC, new Selection(0, 0L, 4L))).isEqualTo(3);
		assertThat(this.letters.list().get(0).partitions().get(0))
			.isEqualTo(new DeadLetterSummary.Partition(0, 4, 6, 9));
		assertThat(this.letters.drop(TOPIC, Selection.ALL)).isEqualTo(14);
		assertThat(this.letters.list().get(0).records()).isZero();
		assertThat(this.cluster.sent).hasSize(3);
	}

	/** Red when a record counts as done before a broker has it. */
	@Test
	void aRecordThatCannotBeSentIsNotDoneAndIsTheNext() {
		for (int i = 0; i < 6; i++) {
			letter(0, "x");
		}
		this.cluster.refused.add(4);
		Replay replay = this.letters.replay(TOPIC, Selection.ALL, 1000);
		await().until(() -> replay.state() == Replay.State.FAILED);
		assertThat(replay.sent()).isEqualTo(4);
		assertThat(this.letters.list().get(0).records()).isEqualTo(2);
		this.cluster.refused.clear();
		assertThat(done(this.letters.replay(TOPIC, Selection.ALL, 1000)).sent()).isEqualTo(2);
		assertThat(this.letters.list().get(0).records()).isZero();
	}

	@Test
	void aReplayIsStoppedAndGoesOnLater() {
		for (int i = 0; i < 50; i++) {
			letter(0, "x");
		}
		Replay replay = this.letters.replay(TOPIC, Selection.ALL, 10);
		assertThatIllegalStateException().isThrownBy(() -> this.letters.replay(TOPIC, Selection.ALL, 10));
		assertThatIllegalStateException().isThrownBy(() -> this.letters.drop(TOPIC, Selection.ALL));
		await().until(() -> replay.sent() > 0);
		replay.stop();
		await().until(() -> replay.state() == Replay.State.STOPPED);
		long sent = replay.sent();
		assertThat(sent).isLessThan(50);
		assertThat(done(this.letters.replay(TOPIC, Selection.ALL, 1000)).sent()).isEqualTo(50 - sent);
	}

	@Test
	void whatCannotBeIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.letters.replay("other", Selection.ALL, 10));
		assertThatIllegalArgumentException().isThrownBy(() -> this.letters.replay(TOPIC, Selection.ALL, 0));
		assertThatIllegalArgumentException().isThrownBy(() -> new Selection(null, 1L, null));
		assertThatIllegalArgumentException().isThrownBy(() -> new Selection(0, 5L, 4L));
	}

	private static Replay done(Replay replay) {
		await().until(() -> replay.state() != Replay.State.RUNNING);
		assertThat(replay.state()).isEqualTo(Replay.State.DONE);
		return replay;
	}

	private static Map<String, String> headers(ProducerRecord<byte[], byte[]> record) {
		Map<String, String> headers = new HashMap<>();
		for (Header header : record.headers()) {
			headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
		}
		return headers;
	}

	private ConsumerRecord<byte[], byte[]> letter(int partition, String exception) {
		List<ConsumerRecord<byte[], byte[]>> log = this.cluster.logs.computeIfAbsent(partition,
				(key) -> new ArrayList<>());
		ConsumerRecord<byte[], byte[]> letter = new ConsumerRecord<>(TOPIC, partition, log.size(), new byte[] { 'k' },
				new byte[] { 'v' });
		letter.headers()
			.add("own", "h".getBytes(StandardCharsets.UTF_8))
			.add(KafkaHeaders.DLT_EXCEPTION_CAUSE_FQCN, exception.getBytes(StandardCharsets.UTF_8))
			.add(KafkaHeaders.DLT_ORIGINAL_TOPIC, "orders".getBytes(StandardCharsets.UTF_8))
			.add(KafkaHeaders.DLT_ORIGINAL_PARTITION, ByteBuffer.allocate(4).putInt(7).array());
		log.add(letter);
		return letter;
	}

	/** Two partitions of dead letters, what is committed of them, and what was sent. */
	private static final class Cluster implements DeadLetterClients {

		private final Map<Integer, List<ConsumerRecord<byte[], byte[]>>> logs = new ConcurrentHashMap<>();

		private final Map<TopicPartition, OffsetAndMetadata> committed = new ConcurrentHashMap<>();

		private final List<ProducerRecord<byte[], byte[]>> sent = new CopyOnWriteArrayList<>();

		/** The number of a record whose send fails. */
		private final List<Integer> refused = new CopyOnWriteArrayList<>();

		private boolean exists = true;

		@Override
		public Consumer<byte[], byte[]> consumer(String group) {
			assertThat(group).isEqualTo("orders-dlt-replay");
			MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest") {

				@Override
				public synchronized Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions,
						Duration timeout) {
					return new HashMap<>(Cluster.this.committed);
				}

				@Override
				public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
					Cluster.this.committed.putAll(offsets);
				}

			};
			List<PartitionInfo> partitions = new ArrayList<>();
			Map<TopicPartition, Long> begins = new HashMap<>();
			Map<TopicPartition, Long> ends = new HashMap<>();
			for (int partition = 0; this.exists && partition < 2; partition++) {
				partitions.add(new PartitionInfo(TOPIC, partition, null, null, null));
				begins.put(new TopicPartition(TOPIC, partition), 0L);
				ends.put(new TopicPartition(TOPIC, partition),
						(long) this.logs.getOrDefault(partition, List.of()).size());
			}
			consumer.updatePartitions(TOPIC, partitions);
			consumer.updateBeginningOffsets(begins);
			consumer.updateEndOffsets(ends);
			consumer.schedulePollTask(() -> this.logs.values().forEach((log) -> log.forEach(consumer::addRecord)));
			return consumer;
		}

		@Override
		public Producer<byte[], byte[]> producer() {
			return new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer()) {

				@Override
				public synchronized Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record) {
					if (Cluster.this.refused.contains(Cluster.this.sent.size())) {
						return CompletableFuture.failedFuture(new IllegalStateException("simulated"));
					}
					Cluster.this.sent.add(record);
					return CompletableFuture.completedFuture(null);
				}

			};
		}

	}

}
