package io.evenkeel.kafka.producer;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import com.sun.management.OperatingSystemMXBean;
import io.evenkeel.kafka.broker.ProcessBroker;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;

/**
 * Measures the healthy path side by side, arms alternated in one run: run its main method
 * by hand. Prints the median throughput and CPU per record of each arm, and the ratios.
 */
public final class ProducerComparison {

	private static final OperatingSystemMXBean SYSTEM = (OperatingSystemMXBean) ManagementFactory
		.getOperatingSystemMXBean();

	/** The broker forgets what has been measured: it would fill the disk. */
	private static final Map<String, String> SMALL_LOG = Map.of("log.retention.bytes", "200000000", "log.segment.bytes",
			"50000000", "log.retention.check.interval.ms", "3000", "log.segment.delete.delay.ms", "0");

	private final int records;

	private final byte[] value;

	private final int inFlight;

	private ProducerComparison(int records, int size) {
		this.records = records;
		this.value = new byte[size];
		this.inFlight = Math.min(50_000, 8_000_000 / size);
	}

	public static void main(String[] args) throws Exception {
		int records = (args.length > 0) ? Integer.parseInt(args[0]) : 150_000;
		int rounds = (args.length > 1) ? Integer.parseInt(args[1]) : 12;
		int size = (args.length > 2) ? Integer.parseInt(args[2]) : 100;
		String wanted = (args.length > 3) ? args[3] : ".*";
		try (ProcessBroker broker = ProcessBroker.single(SMALL_LOG).start()) {
			broker.createTopic("load", 4, 1);
			new ProducerComparison(records, size).run(broker.bootstrapServers(), rounds, wanted);
		}
		System.exit(0);
	}

	private void run(String bootstrapServers, int rounds, String wanted) throws Exception {
		Map<String, Object> configs = new HashMap<>();
		configs.put("bootstrap.servers", bootstrapServers);
		configs.put("key.serializer", ByteArraySerializer.class);
		configs.put("value.serializer", ByteArraySerializer.class);
		Producer<byte[], byte[]> bare = new KafkaProducer<>(withBlock(configs));
		EvenkeelProducerFactory<byte[], byte[]> ours = new EvenkeelProducerFactory<>(configs, ProducerSettings.DEFAULTS,
				new ProducerRegistry((producer) -> SendObserver.NONE));
		DefaultKafkaProducerFactory<byte[], byte[]> stock = new DefaultKafkaProducerFactory<>(configs);
		Producer<byte[], byte[]> sending = ours.createProducer();
		EvenkeelKafkaTemplate<byte[], byte[]> ourTemplate = new EvenkeelKafkaTemplate<>(ours);
		KafkaTemplate<byte[], byte[]> stockTemplate = new KafkaTemplate<>(stock);
		Map<String, Arm> arms = new LinkedHashMap<>();
		arms.put("bare", (record, done) -> bare.send(record, (metadata, ex) -> ended(done, ex)));
		arms.put("sending", (record, done) -> sending.send(record, (metadata, ex) -> ended(done, ex)));
		arms.put("stockTemplate",
				(record, done) -> stockTemplate.send(record).whenComplete((r, ex) -> ended(done, ex)));
		arms.put("ourTemplate", (record, done) -> ourTemplate.send(record).whenComplete((r, ex) -> ended(done, ex)));
		arms.keySet().removeIf((name) -> !name.matches(wanted));
		for (Arm arm : arms.values()) {
			// What is sent before the topic is known waits, and is not the healthy path.
			CountDownLatch known = new CountDownLatch(1);
			arm.send(new ProducerRecord<>("load", this.value), known);
			known.await();
		}
		Map<String, List<double[]>> results = new LinkedHashMap<>();
		for (int round = 0; round < rounds + 2; round++) {
			List<String> order = new ArrayList<>(arms.keySet());
			java.util.Collections.rotate(order, round);
			for (String name : order) {
				double[] result = measure(arms.get(name));
				if (round >= 2) {
					results.computeIfAbsent(name, (key) -> new ArrayList<>()).add(result);
				}
			}
		}
		results.forEach((name, list) -> System.out.printf(Locale.ROOT, "%-14s %8.0f records/s  %6.2f us CPU/record%n",
				name, median(list, 0), median(list, 1)));
		ratio(results, "sending", "bare");
		ratio(results, "ourTemplate", "stockTemplate");
	}

	/** A record that failed was not measured, and the round does not end. */
	private static void ended(CountDownLatch done, Throwable failure) {
		if (failure == null) {
			done.countDown();
		}
		else {
			System.out.println(failure);
		}
	}

	private static void ratio(Map<String, List<double[]>> results, String one, String two) {
		if (!results.containsKey(one) || !results.containsKey(two)) {
			return;
		}
		System.out.printf(Locale.ROOT, "%s / %s: throughput %.3f, CPU %.3f%n", one, two,
				median(results.get(one), 0) / median(results.get(two), 0),
				median(results.get(one), 1) / median(results.get(two), 1));
	}

	private static double median(List<double[]> values, int index) {
		double[] sorted = values.stream().mapToDouble((value) -> value[index]).sorted().toArray();
		return sorted[sorted.length / 2];
	}

	private double[] measure(Arm arm) throws Exception {
		CountDownLatch done = new CountDownLatch(this.records);
		long cpu = SYSTEM.getProcessCpuTime();
		long start = System.nanoTime();
		for (int i = 0; i < this.records; i++) {
			// The stock producer holds its caller when its memory is used up; pace all
			// arms
			// alike so that the waiting line is not what is measured.
			if ((i & 1023) == 0) {
				while (i - (this.records - done.getCount()) > this.inFlight) {
					LockSupport.parkNanos(200_000);
				}
			}
			arm.send(new ProducerRecord<>("load", i & 3, null, this.value), done);
		}
		if (!done.await(60, TimeUnit.SECONDS)) {
			throw new IllegalStateException("not acknowledged: " + done.getCount());
		}
		long wall = System.nanoTime() - start;
		long used = SYSTEM.getProcessCpuTime() - cpu;
		return new double[] { this.records * 1e9 / wall, used / 1e3 / this.records };
	}

	private static Map<String, Object> withBlock(Map<String, Object> configs) {
		return Map.copyOf(configs);
	}

	private interface Arm {

		void send(ProducerRecord<byte[], byte[]> record, CountDownLatch done);

	}

}
