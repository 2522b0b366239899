package io.evenkeel.benchmarks;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.HashSet;
import java.util.regex.Pattern;

import com.sun.management.OperatingSystemMXBean;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/**
 * Consumes the same topics with several consumers, one after the other and round by
 * round, and prints throughput and process CPU per record as ratios to the first arm. The
 * broker runs in the same JVM; its share is the same for all arms.
 */
public final class ConsumerComparison {

	private static final int PARTITIONS = 12;

	private ConsumerComparison() {
	}

	/**
	 * Run it.
	 * @param args the number of rounds, 3 by default; a regular expression that chooses
	 * workloads; one that chooses arms; the share of the records to use, 1 by default
	 * @throws Exception when an arm breaks
	 */
	public static void main(String[] args) throws Exception {
		int rounds = (args.length > 0) ? Integer.parseInt(args[0]) : 3;
		Pattern workloads = Pattern.compile((args.length > 1) ? args[1] : "");
		Pattern arms = Pattern.compile((args.length > 2) ? args[2] : "");
		double share = (args.length > 3) ? Double.parseDouble(args[3]) : 1;
		EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, PARTITIONS, "fast", "medium", "slow");
		broker.brokerProperties(Map.of("group.initial.rebalance.delay.ms", "0"));
		broker.brokerListProperty("bench.servers");
		broker.afterPropertiesSet();
		try {
			String servers = broker.getBrokersAsString();
			Set<String> filled = new HashSet<>();
			comparisons(servers, share).forEach((workload, all) -> {
				if (workloads.matcher(workload.name()).find()) {
					if (filled.add(workload.topic())) {
						fill(servers, workload);
					}
					compare(workload, rounds, all.stream().filter((arm) -> arms.matcher(arm.name()).find()).toList());
				}
			});
		}
		finally {
			broker.destroy();
		}
	}

	private static Map<Workload, List<Arm>> comparisons(String servers, double share) {
		Arm spring = spring(servers);
		Arm partition = evenkeel(servers, "partition");
		Arm key = evenkeel(servers, "key");
		Arm parallel = new ParallelConsumerArm(servers, ProcessingOrder.KEY);
		int many = (int) (1_000_000 * share);
		int some = (int) (100_000 * share);
		int few = (int) (20_000 * share);
		Map<Workload, List<Arm>> comparisons = new LinkedHashMap<>();
		comparisons.put(new Workload("handler only counts, 1 at once", "fast", many, 0, 1),
				List.of(spring, partition, key));
		comparisons.put(new Workload("handler only counts, 8 at once", "fast", many, 0, 8),
				List.of(spring, partition, key));
		// Few enough that an arm with a cost per record in the hundreds of microseconds
		// ends.
		comparisons.put(new Workload("handler only counts, 8 at once, few records", "medium", some, 0, 8),
				List.of(spring, partition, key, parallel));
		comparisons.put(new Workload("handler takes 1 ms, 12 at once", "slow", few, 1_000, 12),
				List.of(spring, partition, key, parallel));
		comparisons.put(new Workload("handler takes 1 ms, 64 at once", "slow", few, 1_000, 64),
				List.of(spring, key, evenkeel(servers, "none"), parallel));
		return comparisons;
	}

	private static Arm spring(String servers) {
		return new SpringArm("spring-kafka", servers, Map.of("evenkeel.kafka.consumer.enabled", "false"));
	}

	private static Arm evenkeel(String servers, String ordering) {
		return new SpringArm("evenkeel " + ordering, servers, Map.of("evenkeel.kafka.consumer.ordering", ordering));
	}

	private static void compare(Workload workload, int rounds, List<Arm> arms) {
		Map<Arm, List<double[]>> results = new LinkedHashMap<>();
		arms.forEach((arm) -> results.put(arm, new ArrayList<>()));
		for (int round = 0; round <= rounds; round++) {
			for (Arm arm : arms) {
				double[] result = run(arm, workload);
				if (round > 0) {
					results.get(arm).add(result);
				}
			}
		}
		System.out.printf("%n%s (%d records, %d partitions, %d rounds after a warm-up)%n", workload.name(),
				workload.records(), PARTITIONS, rounds);
		System.out.printf("%-28s %14s %8s %14s %8s%n", "", "records/s", "ratio", "CPU us/record", "ratio");
		double[] base = median(results.get(arms.get(0)));
		results.forEach((arm, all) -> {
			double[] median = median(all);
			System.out.printf(Locale.ROOT, "%-28s %14.0f %8.2f %14.2f %8.2f%n", arm.name(), median[0],
					median[0] / base[0], median[1], median[1] / base[1]);
		});
	}

	private static double[] run(Arm arm, Workload workload) {
		Work work = new Work(workload);
		OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
		System.gc();
		long cpu = system.getProcessCpuTime();
		try {
			arm.consume(workload, work);
		}
		catch (Exception ex) {
			throw new IllegalStateException(arm.name() + " broke", ex);
		}
		double micros = (system.getProcessCpuTime() - cpu) / 1e3 / workload.records();
		return new double[] { work.perSecond(), micros };
	}

	private static double[] median(List<double[]> all) {
		double[] median = new double[2];
		for (int i = 0; i < median.length; i++) {
			int index = i;
			double[] sorted = all.stream().mapToDouble((result) -> result[index]).sorted().toArray();
			median[i] = sorted[sorted.length / 2];
		}
		return median;
	}

	private static void fill(String servers, Workload workload) {
		char[] payload = new char[100];
		Arrays.fill(payload, 'x');
		String value = new String(payload);
		try (KafkaProducer<String, String> producer = new KafkaProducer<>(
				Map.of("bootstrap.servers", servers, "linger.ms", "20", "batch.size", "131072",
						"max.in.flight.requests.per.connection", "1"),
				new StringSerializer(), new StringSerializer())) {
			for (int i = 0; i < workload.records(); i++) {
				producer.send(new ProducerRecord<>(workload.topic(), "key-" + i % 10_000, value),
						(metadata, failure) -> {
							if (failure != null) {
								throw new IllegalStateException("The topic is not full", failure);
							}
						});
			}
		}
	}

}
