package io.evenkeel.kafka.guarantee;

import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Keys of every kind with {@code ordering=key}: what is equal keeps its order and never
 * overlaps (G3), what is different does not wait for it (G5).
 */
class KeysIT {

	@Test
	void aHotKeyDoesNotHoldTheOthers() {
		String topic = EmbeddedBroker.topic("hot", 1);
		Order order = new Order();
		AtomicInteger hot = new AtomicInteger();
		AtomicInteger others = new AtomicInteger();
		AtomicInteger hotWhenOthersEnded = new AtomicInteger(-1);
		try (KafkaProducer<String, String> producer = Load.producer()) {
			for (int i = 0; i < 600; i++) {
				producer.send(new ProducerRecord<>(topic, "hot", String.valueOf(i)));
				producer.send(new ProducerRecord<>(topic, "key-" + i % 100, String.valueOf(i)));
			}
		}
		try (Member member = byKey(topic).handler((name, record) -> {
			order.handle(record.key(), record.offset(), 5);
			if (record.key().equals("hot")) {
				hot.incrementAndGet();
			}
			else if (others.incrementAndGet() == 600) {
				hotWhenOthersEnded.set(hot.get());
			}
		}).start()) {
			await().atMost(ofSeconds(30)).until(() -> hot.get() + others.get() == 1_200);
			assertThat(hotWhenOthersEnded).as("hot records done when the others were").hasValueLessThan(500);
			assertThat(order.violations).isEmpty();
		}
	}

	@Test
	void recordsWithoutAKeyKeepTheOrderOfTheirPartition() {
		String topic = EmbeddedBroker.topic("null", 2);
		Order order = new Order();
		AtomicInteger count = new AtomicInteger();
		try (KafkaProducer<String, String> producer = Load.producer()) {
			for (int i = 0; i < 400; i++) {
				producer.send(new ProducerRecord<>(topic, i % 2, null, String.valueOf(i)));
			}
		}
		try (Member member = byKey(topic).handler((name, record) -> {
			order.handle("partition " + record.partition(), record.offset(), 1);
			count.incrementAndGet();
		}).start()) {
			await().atMost(ofSeconds(20)).until(() -> count.get() == 400);
			assertThat(order.violations).isEmpty();
			assertThat(order.together).as("both partitions at once").hasValueGreaterThan(1);
		}
	}

	@Test
	void arraysAreEqualByContent() {
		String topic = EmbeddedBroker.topic("bytes", 1);
		Order order = new Order();
		AtomicInteger count = new AtomicInteger();
		Load.send(topic, 400, 8);
		try (Member member = byKey(topic)
			.with("spring.kafka.consumer.key-deserializer=" + ByteArrayDeserializer.class.getName())
			.handler((name, record) -> {
				order.handle(new String((byte[]) record.key()), record.offset(), 2);
				count.incrementAndGet();
			})
			.start()) {
			await().atMost(ofSeconds(20)).until(() -> count.get() == 400);
			assertThat(order.violations).isEmpty();
			assertThat(order.together).as("different keys at once").hasValueGreaterThan(1);
		}
	}

	@Test
	void keysThatCannotBeComparedKeepTheOrderOfTheirPartition() {
		String topic = EmbeddedBroker.topic("noequals", 1);
		Order order = new Order();
		AtomicInteger count = new AtomicInteger();
		Load.send(topic, 300, 8);
		try (Member member = byKey(topic)
			.with("spring.kafka.consumer.key-deserializer=" + NoEqualsDeserializer.class.getName())
			.handler((name, record) -> {
				assertThat(record.key()).isInstanceOf(NoEquals.class);
				order.handle("partition", record.offset(), 1);
				count.incrementAndGet();
			})
			.start()) {
			await().atMost(ofSeconds(20)).until(() -> count.get() == 300);
			assertThat(order.violations).isEmpty();
		}
	}

	@Test
	void theSameKeyInTwoTopicsIsTwoKeys() {
		String one = EmbeddedBroker.topic("one", 1);
		String two = EmbeddedBroker.topic("two", 1);
		CyclicBarrier together = new CyclicBarrier(2);
		Set<String> topics = ConcurrentHashMap.newKeySet();
		try (Member member = Member.of(GroupProtocol.CONSUMER, one + "," + two)
			.with("spring.kafka.consumer.group-id=" + one, "evenkeel.kafka.consumer.ordering=key",
					"evenkeel.kafka.consumer.concurrency=2")
			.handler((name, record) -> {
				together.await(10, TimeUnit.SECONDS);
				topics.add(record.topic());
			})
			.start()
			.awaitAssigned(2)) {
			Load.send(one, 1, 1);
			Load.send(two, 1, 1);
			await().atMost(ofSeconds(15)).until(() -> topics.size() == 2);
		}
	}

	/**
	 * Nothing is kept for a key that has no records left, nor for an offset that lies
	 * below the committed one.
	 */
	@Test
	@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
	void aMillionDifferentKeys() {
		String topic = EmbeddedBroker.topic("million", 4);
		AtomicLong count = new AtomicLong();
		try (Member member = byKey(topic).handler((name, record) -> count.incrementAndGet()).start().awaitAssigned(4)) {
			long[] heap = new long[5];
			for (int round = 0; round < heap.length; round++) {
				try (KafkaProducer<String, String> producer = Load.producer()) {
					for (int i = 0; i < 200_000; i++) {
						producer.send(new ProducerRecord<>(topic, "key-" + round + "-" + i, "value"));
					}
				}
				long due = (round + 1) * 200_000L;
				await().atMost(ofMinutes(3)).until(() -> count.get() == due);
				await().atMost(ofSeconds(10)).until(() -> member.evenkeel().snapshot().keys() == 0);
				heap[round] = heapAfterGc();
				System.out.printf("%d keys: %d KB of heap%n", due, heap[round] / 1024);
			}
			assertThat(heap[4] - heap[0]).as("heap grown over 800,000 keys").isLessThan(20_000_000);
		}
	}

	private static long heapAfterGc() {
		long used = Long.MAX_VALUE;
		for (int i = 0; i < 5; i++) {
			System.gc();
			used = Math.min(used, Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
		}
		return used;
	}

	private static Member.Builder byKey(String topic) {
		return Member.of(GroupProtocol.CONSUMER, topic)
			.with("evenkeel.kafka.consumer.ordering=key", "evenkeel.kafka.consumer.concurrency=8");
	}

	/** Watches calls that belong in order. */
	private static final class Order {

		final Queue<String> violations = new ConcurrentLinkedQueue<>();

		final AtomicInteger together = new AtomicInteger();

		private final AtomicInteger running = new AtomicInteger();

		private final Map<Object, Long> inside = new ConcurrentHashMap<>();

		private final Map<Object, Long> last = new ConcurrentHashMap<>();

		void handle(Object lane, long offset, int millis) {
			this.together.accumulateAndGet(this.running.incrementAndGet(), Math::max);
			if (this.inside.put(lane, offset) != null) {
				this.violations.add(lane + " overlaps at " + offset);
			}
			Long before = this.last.put(lane, offset);
			if (before != null && before >= offset) {
				this.violations.add(lane + " goes from " + before + " to " + offset);
			}
			LockSupport.parkNanos(millis * 1_000_000L);
			this.inside.remove(lane);
			this.running.decrementAndGet();
		}

	}

	/** A key that inherits its equals. */
	static final class NoEquals {

	}

	/** Makes keys that inherit their equals. */
	public static final class NoEqualsDeserializer implements Deserializer<NoEquals> {

		@Override
		public NoEquals deserialize(String topic, byte[] data) {
			return new NoEquals();
		}

	}

}
