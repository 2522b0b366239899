package io.evenkeel.kafka.producer;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.ByteBufferSerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.kafka.core.KafkaTemplate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The user's serializers, partitioners and interceptors, on both templates: what they
 * see, how often and where, and what becomes of what they throw.
 */
class UserCodeIT {

	private static final ThreadLocal<String> TENANT = new ThreadLocal<>();

	private static final List<String> SENT = new CopyOnWriteArrayList<>();

	private static final List<RecordMetadata> ENDED = new CopyOnWriteArrayList<>();

	private static final List<Boolean> FAILED = new CopyOnWriteArrayList<>();

	private static final AtomicInteger PARTITIONED = new AtomicInteger();

	private static final AtomicInteger SERIALIZED = new AtomicInteger();

	private static volatile Function<String, Integer> partitioner = (value) -> 0;

	private static volatile Runnable onSend = () -> {
	};

	@BeforeEach
	void reset() {
		SENT.clear();
		ENDED.clear();
		FAILED.clear();
		PARTITIONED.set(0);
		SERIALIZED.set(0);
		partitioner = (value) -> 0;
		onSend = () -> {
		};
	}

	/** Red when interceptors run where a record is handed over, as often as it is. */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void interceptorsSeeEachSendOnceOnItsThread(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			rig.config(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG, Recording.class.getName());
			String topic = rig.topic(1);
			TENANT.set("blue");
			List<CompletableFuture<?>> sends = new ArrayList<>();
			for (int i = 0; i < 50; i++) {
				sends.add(rig.template().send(topic, "key", "v" + i));
			}
			TENANT.remove();
			sends.forEach(CompletableFuture::join);
			assertThat(SENT).hasSize(50).allMatch("blue"::equals);
			await().atMost(Duration.ofSeconds(20)).until(() -> ENDED.size() == 50);
			assertThat(FAILED).doesNotContain(true);
			assertThat(ENDED).allSatisfy((metadata) -> {
				assertThat(metadata.topic()).isEqualTo(topic);
				assertThat(metadata.partition()).isZero();
				assertThat(metadata.hasOffset()).isTrue();
			});
		}
	}

	@ParameterizedTest
	@EnumSource(Templates.class)
	void interceptorsHearOfASendThatFailsBeforeItIsHandedOver(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			rig.config(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG, Recording.class.getName())
				.metadataTimeout(Duration.ofMillis(500));
			for (String topic : List.of("no topic", EmbeddedBroker.unique("missing"))) {
				reset();
				assertThat(failureOf(() -> rig.template().send(topic, 3, "key", "value"))).isNotNull();
				assertThat(SENT).hasSize(1);
				await().atMost(Duration.ofSeconds(20)).until(() -> ENDED.size() == 1);
				assertThat(FAILED).containsExactly(true);
				assertThat(ENDED.get(0).topic()).isEqualTo(topic);
				assertThat(ENDED.get(0).partition()).isEqualTo(3);
				assertThat(ENDED.get(0).offset()).isEqualTo(-1);
			}
		}
	}

	/**
	 * Red when a nested send of an interceptor is handed over in the middle of another.
	 */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void anInterceptorMaySend(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			rig.config(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG, Recording.class.getName());
			String topic = rig.topic(1);
			String audit = rig.topic(1);
			List<CompletableFuture<?>> sends = new CopyOnWriteArrayList<>();
			ThreadLocal<Boolean> nested = new ThreadLocal<>();
			onSend = () -> {
				if (nested.get() == null) {
					nested.set(true);
					sends.add(rig.template().send(audit, "key", "audit"));
					nested.remove();
				}
			};
			List<String> values = new ArrayList<>();
			for (int i = 0; i < 40; i++) {
				values.add("v" + i);
				sends.add(rig.template().send(topic, "key", "v" + i));
			}
			sends.forEach((send) -> assertThat(send).succeedsWithin(Duration.ofSeconds(30)));
			assertThat(rig.values(topic)).isEqualTo(values);
			assertThat(rig.values(audit)).hasSize(40);
		}
	}

	/** Red when what the partitioner throws is taken for the client's state. */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void aPartitionerThatThrowsCostsItsRecordOnly(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			rig.config(ProducerConfig.PARTITIONER_CLASS_CONFIG, Scripted.class.getName());
			String topic = rig.topic(1);
			partitioner = (value) -> {
				if (value.startsWith("bad")) {
					throw new IllegalStateException("no such tenant");
				}
				return 0;
			};
			List<CompletableFuture<?>> good = new ArrayList<>();
			List<Throwable> failures = new ArrayList<>();
			List<CompletableFuture<?>> bad = new ArrayList<>();
			for (int i = 0; i < 64; i++) {
				good.add(rig.template().send(topic, "key", "v" + i));
				if (i % 10 == 0) {
					int number = i;
					try {
						bad.add(rig.template().send(topic, "key", "bad" + number));
					}
					catch (RuntimeException ex) {
						failures.add(ex);
					}
				}
			}
			bad.forEach((send) -> failures.add(TemplateRig.failure(send)));
			good.forEach((send) -> assertThat(send).succeedsWithin(Duration.ofSeconds(30)));
			assertThat(failures).hasSize(7).allSatisfy((failure) -> {
				assertThat(failure).hasStackTraceContaining("no such tenant");
				if (failure instanceof SendFailedException ours) {
					assertThat(ours.getReason()).isEqualTo(FailureReason.UNKNOWN);
					assertThat(ours.isPossiblySent()).isFalse();
					assertThat(ours.getCause()).isInstanceOf(IllegalStateException.class);
				}
			});
			assertThat(rig.values(topic)).hasSize(64);
		}
	}

	/**
	 * Red when a serializer or partitioner runs again for a record that found no room.
	 */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void aRecordIsSerializedAndPartitionedOnce(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			rig.config(ProducerConfig.PARTITIONER_CLASS_CONFIG, Scripted.class.getName())
				.config(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, Counting.class.getName())
				.config(ProducerConfig.BUFFER_MEMORY_CONFIG, 40_000L)
				.config(ProducerConfig.BATCH_SIZE_CONFIG, 10_000);
			String topic = rig.topic(1);
			List<CompletableFuture<?>> sends = new ArrayList<>();
			for (int i = 0; i < 500; i++) {
				sends.add(rig.template().send(topic, "key", "v".repeat(1_000)));
			}
			sends.forEach((send) -> assertThat(send).succeedsWithin(Duration.ofSeconds(30)));
			assertThat(PARTITIONED).hasValue(500);
			assertThat(SERIALIZED).hasValue(500);
			assertThat(rig.records(topic)).hasSize(500)
				.allSatisfy((record) -> assertThat(record.headers().headers("type")).hasSize(1));
		}
	}

	/** Red when a waiting record keeps the caller's array. */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void aRecordIsStoredAsItWasWhenItWasSent(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			String topic = rig.topic(1);
			KafkaTemplate<byte[], byte[]> template = which
				.template(rig.newFactory(Map.of(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class,
						ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class)));
			byte[] reused = new byte[1];
			List<CompletableFuture<?>> sends = new ArrayList<>();
			List<Long> sentAt = new ArrayList<>();
			for (int i = 0; i < 100; i++) {
				Arrays.fill(reused, (byte) i);
				ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, reused, reused);
				record.headers().add("header", reused);
				sends.add(template.send(record));
				sentAt.add(System.currentTimeMillis());
				Arrays.fill(reused, (byte) -1);
				try {
					record.headers().add("late", reused);
				}
				catch (IllegalStateException ex) {
					// The client has closed the list.
				}
			}
			sends.forEach((send) -> assertThat(send).succeedsWithin(Duration.ofSeconds(30)));
			List<ConsumerRecord<byte[], byte[]>> stored = rig.records(topic);
			assertThat(stored).hasSize(100);
			for (int i = 0; i < 100; i++) {
				byte[] expected = { (byte) i };
				assertThat(stored.get(i).key()).isEqualTo(expected);
				assertThat(stored.get(i).value()).isEqualTo(expected);
				assertThat(stored.get(i).headers().toArray()).hasSize(1);
				assertThat(stored.get(i).headers().lastHeader("header").value()).isEqualTo(expected);
				assertThat(stored.get(i).timestamp()).isLessThanOrEqualTo(sentAt.get(i));
			}
		}
	}

	@ParameterizedTest
	@EnumSource(Templates.class)
	void aBufferMayBeUsedAgain(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			String topic = rig.topic(1);
			KafkaTemplate<String, ByteBuffer> template = which.template(
					rig.newFactory(Map.of(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteBufferSerializer.class)));
			ByteBuffer reused = ByteBuffer.allocate(2);
			List<CompletableFuture<?>> sends = new ArrayList<>();
			for (int i = 10; i < 60; i++) {
				reused.clear();
				reused.put(String.valueOf(i).getBytes(UTF_8)).flip();
				sends.add(template.send(topic, "key", reused));
			}
			sends.forEach((send) -> assertThat(send).succeedsWithin(Duration.ofSeconds(30)));
			List<String> values = rig.values(topic);
			for (int i = 10; i < 60; i++) {
				assertThat(values.get(i - 10)).isEqualTo(String.valueOf(i));
			}
		}
	}

	/** Red when the thread that hands over waits for the partitioner of one topic. */
	@Test
	void aPartitionerThatWaitsHoldsNoOtherTopic() throws Exception {
		CountDownLatch release = new CountDownLatch(1);
		try (TemplateRig rig = new TemplateRig(Templates.EVENKEEL)) {
			rig.config(ProducerConfig.PARTITIONER_CLASS_CONFIG, Scripted.class.getName());
			String slow = rig.topic(1);
			List<String> others = List.of(rig.topic(1), rig.topic(1), rig.topic(1));
			CountDownLatch waiting = new CountDownLatch(1);
			partitioner = (value) -> {
				if (value.equals("slow")) {
					waiting.countDown();
					awaitQuietly(release);
				}
				return 0;
			};
			// All of them wait: the client is being made.
			CompletableFuture<?> held = rig.template().send(slow, "key", "slow");
			List<CompletableFuture<?>> sends = new ArrayList<>();
			for (int i = 0; i < 30; i++) {
				sends.add(rig.template().send(others.get(i % 3), "key", "v" + i));
			}
			assertThat(waiting.await(30, TimeUnit.SECONDS)).isTrue();
			for (int i = 0; i < 30; i++) {
				sends.add(rig.template().send(others.get(i % 3), "key", "v" + i));
			}
			CompletableFuture<?> behind = rig.template().send(slow, "key", "behind");
			sends.forEach((send) -> assertThat(send).succeedsWithin(Duration.ofSeconds(30)));
			assertThat(held).isNotDone();
			assertThat(behind).isNotDone();
			release.countDown();
			assertThat(held).succeedsWithin(Duration.ofSeconds(30));
			assertThat(behind).succeedsWithin(Duration.ofSeconds(30));
			assertThat(rig.values(slow)).containsExactly("slow", "behind");
		}
		finally {
			release.countDown();
		}
	}

	/** Red when a claim on a line can be had twice by one thread. */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void aPartitionerMaySend(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			rig.config(ProducerConfig.PARTITIONER_CLASS_CONFIG, Scripted.class.getName());
			String topic = rig.topic(1);
			List<CompletableFuture<?>> sends = new CopyOnWriteArrayList<>();
			partitioner = (value) -> {
				if (value.startsWith("v")) {
					sends.add(rig.template().send(topic, "key", "nested " + value));
				}
				return 0;
			};
			for (int i = 0; i < 40; i++) {
				sends.add(rig.template().send(topic, "key", "v" + i));
			}
			await().atMost(Duration.ofSeconds(30)).until(() -> sends.size() == 80);
			sends.forEach((send) -> assertThat(send).succeedsWithin(Duration.ofSeconds(30)));
			List<String> values = rig.values(topic);
			assertThat(values).hasSize(80);
			assertThat(values.stream().filter((value) -> value.startsWith("v")).toList())
				.isSortedAccordingTo((a, b) -> Integer.compare(number(a), number(b)));
		}
	}

	private static int number(String value) {
		return Integer.parseInt(value.substring(1));
	}

	private static Throwable failureOf(java.util.function.Supplier<CompletableFuture<?>> send) {
		try {
			return TemplateRig.failure(send.get());
		}
		catch (RuntimeException ex) {
			return ex;
		}
	}

	private static void awaitQuietly(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	public static final class Recording implements ProducerInterceptor<String, String> {

		@Override
		public ProducerRecord<String, String> onSend(ProducerRecord<String, String> record) {
			SENT.add(String.valueOf(TENANT.get()));
			onSend.run();
			return record;
		}

		@Override
		public void onAcknowledgement(RecordMetadata metadata, Exception exception) {
			FAILED.add(exception != null);
			ENDED.add(metadata);
		}

		@Override
		public void close() {
		}

		@Override
		public void configure(Map<String, ?> configs) {
		}

	}

	public static final class Scripted implements Partitioner {

		@Override
		public int partition(String topic, Object key, byte[] keyBytes, Object value, byte[] valueBytes,
				Cluster cluster) {
			PARTITIONED.incrementAndGet();
			return partitioner.apply(new String(valueBytes, UTF_8));
		}

		@Override
		public void close() {
		}

		@Override
		public void configure(Map<String, ?> configs) {
		}

	}

	public static final class Counting extends StringSerializer {

		@Override
		public byte[] serialize(String topic, Headers headers, String data) {
			SERIALIZED.incrementAndGet();
			headers.add("type", new byte[] { 1 });
			return super.serialize(topic, headers, data);
		}

	}

}
