package io.evenkeel.benchmarks;

import java.util.List;

/**
 * What a round of sends cost.
 *
 * @param values one for each name
 */
record SendCost(double[] values) {

	static final List<String> NAMES = List.of("k records/s", "CPU s/M", "caller s/M", "our s/M", "I/O s/M",
			"bytes/record", "switches/k");

	double value(int index) {
		return this.values[index];
	}

	static SendCost median(List<SendCost> all) {
		double[] median = new double[NAMES.size()];
		for (int i = 0; i < median.length; i++) {
			int index = i;
			double[] sorted = all.stream().mapToDouble((cost) -> cost.value(index)).sorted().toArray();
			median[i] = sorted[sorted.length / 2];
		}
		return new SendCost(median);
	}

}
