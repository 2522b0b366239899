package io.evenkeel.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * Sends the same records through several producers, in turns and round by round, and
 * prints what they cost as ratios: the sending producer beside the bare client, our
 * template beside the stock one. The broker runs in a process of its own.
 */
public final class ProducerComparison {

	private static final int PARTITIONS = 4;

	private static final String TOPIC = "sends";

	private ProducerComparison() {
	}

	/**
	 * Run it.
	 * @param args the number of rounds, 5 by default; a regular expression that chooses
	 * workloads; one that chooses arms; the share of the records to send, 1 by default
	 * @throws Exception when an arm breaks
	 */
	public static void main(String[] args) throws Exception {
		int rounds = (args.length > 0) ? Integer.parseInt(args[0]) : 5;
		Pattern workloads = Pattern.compile((args.length > 1) ? args[1] : "");
		Pattern wanted = Pattern.compile((args.length > 2) ? args[2] : "");
		int records = (int) (1_000_000 * ((args.length > 3) ? Double.parseDouble(args[3]) : 1));
		try (BrokerProcess broker = BrokerProcess.start()) {
			createTopic(broker.servers());
			List<SendingArm> arms = new ArrayList<>();
			SendingArm.all(broker.servers(), TOPIC).forEach((name, make) -> {
				if (wanted.matcher(name).find()) {
					arms.add(make.get());
				}
			});
			for (int size : new int[] { 100, 1_000 }) {
				for (int callers : new int[] { 1, 4 }) {
					for (int unanswered : new int[] { 20_000, Integer.MAX_VALUE }) {
						SendLoad load = new SendLoad(records, size, callers, unanswered);
						if (workloads.matcher(load.toString()).find()) {
							compare(load, rounds, arms);
						}
					}
				}
			}
			arms.forEach(SendingArm::close);
		}
		System.exit(0);
	}

	private static void createTopic(String servers) throws Exception {
		try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
			admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1))).all().get();
		}
	}

	private static void compare(SendLoad load, int rounds, List<SendingArm> arms) throws IOException {
		Map<SendingArm, List<SendCost>> results = new LinkedHashMap<>();
		arms.forEach((arm) -> results.put(arm, new ArrayList<>()));
		for (int round = -2; round < rounds; round++) {
			List<SendingArm> order = new ArrayList<>(arms);
			Collections.rotate(order, round);
			for (SendingArm arm : order) {
				SendCost cost = load.run(arm);
				if (round >= 0) {
					results.get(arm).add(cost);
				}
			}
		}
		System.out.printf("%n%s (%d rounds after a warm-up)%n%-24s", load, rounds, "");
		SendCost.NAMES.forEach((name) -> System.out.printf("%17s", name));
		System.out.println();
		Map<String, SendCost> medians = new LinkedHashMap<>();
		results.forEach((arm, all) -> medians.put(arm.name(), SendCost.median(all)));
		medians.forEach((name, cost) -> {
			SendCost base = medians.getOrDefault(SendingArm.baseOf(name), cost);
			System.out.printf("%-24s", name);
			for (int i = 0; i < SendCost.NAMES.size(); i++) {
				System.out.printf(Locale.ROOT, "%10.2f (%.2f)", cost.value(i), cost.value(i) / base.value(i));
			}
			System.out.println();
		});
	}

}
