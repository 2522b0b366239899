package io.evenkeel.kafka.guarantee;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Records sent at a steady rate until it is closed, and the list of those that the broker
 * has acknowledged: what the members owe.
 */
final class Load implements AutoCloseable {

	private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

	private final String bootstrapServers;

	private final String topic;

	private final int perSecond;

	private final int keys;

	private final Queue<String> sent = new ConcurrentLinkedQueue<>();

	private final Queue<Exception> failures = new ConcurrentLinkedQueue<>();

	private final Thread thread = new Thread(this::run, "load");

	private volatile boolean closed;

	private Load(String bootstrapServers, String topic, int perSecond, int keys) {
		this.bootstrapServers = bootstrapServers;
		this.topic = topic;
		this.perSecond = perSecond;
		this.keys = keys;
	}

	static Load start(String topic, int perSecond, int keys) {
		return start(EmbeddedBroker.bootstrapServers(), topic, perSecond, keys);
	}

	static Load start(String bootstrapServers, String topic, int perSecond, int keys) {
		Load load = new Load(bootstrapServers, topic, perSecond, keys);
		load.thread.start();
		return load;
	}

	/** The name of a record in {@link #sent()} and in a {@link Ledger}. */
	static String id(TopicPartition partition, long offset) {
		return partition + "@" + offset;
	}

	/** Send so many records and wait for their acknowledgment. */
	static void send(String topic, int records, int keys) {
		try (KafkaProducer<String, String> producer = producer()) {
			for (int i = 0; i < records; i++) {
				producer.send(new ProducerRecord<>(topic, "key-" + i % keys, String.valueOf(i)));
			}
			producer.flush();
		}
	}

	static KafkaProducer<String, String> producer() {
		return producer(EmbeddedBroker.bootstrapServers());
	}

	/**
	 * One request at a time: on a new topic a broker may refuse the first batch (not the
	 * leader yet) and accept the second, and then refuses the first for ever as out of
	 * sequence.
	 */
	private static KafkaProducer<String, String> producer(String bootstrapServers) {
		return new KafkaProducer<>(Map.of("bootstrap.servers", bootstrapServers, "linger.ms", "2",
				"max.in.flight.requests.per.connection", "1"), new StringSerializer(), new StringSerializer());
	}

	private void run() {
		try (KafkaProducer<String, String> producer = producer(this.bootstrapServers)) {
			long start = System.nanoTime();
			long number = 0;
			while (!this.closed) {
				long due = (System.nanoTime() - start) * this.perSecond / Duration.ofSeconds(1).toNanos();
				while (number < due) {
					producer.send(new ProducerRecord<>(this.topic, "key-" + number % this.keys, String.valueOf(number)),
							(metadata, failure) -> {
								if (failure != null) {
									this.failures.add(failure);
								}
								else {
									this.sent.add(id(new TopicPartition(metadata.topic(), metadata.partition()),
											metadata.offset()));
								}
							});
					number++;
				}
				LockSupport.parkNanos(TICK_NANOS);
			}
		}
	}

	/** Stop sending; everything sent is acknowledged afterwards. */
	@Override
	public void close() {
		this.closed = true;
		try {
			this.thread.join();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		if (!this.failures.isEmpty()) {
			throw new IllegalStateException("sends failed", this.failures.peek());
		}
	}

	int count() {
		return this.sent.size();
	}

	Set<String> sent() {
		return new HashSet<>(this.sent);
	}

}
