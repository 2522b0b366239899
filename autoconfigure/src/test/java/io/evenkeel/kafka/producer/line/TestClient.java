package io.evenkeel.kafka.producer.line;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A client whose knowledge the test decides.
 */
final class TestClient implements LineClient<String, TestWaiter> {

	final Map<String, Integer> partitions = new HashMap<>();

	final Map<String, String> refusals = new HashMap<>();

	/** What the cluster says it does not know. */
	final Set<String> unknown = new HashSet<>();

	boolean answers = true;

	final Set<String> losesMetadata = new HashSet<>();

	final List<TestWaiter> handedOver = new ArrayList<>();

	int memory = Integer.MAX_VALUE;

	int probes;

	/** What another thread does while a record is being handed over. */
	Runnable duringHandOver = () -> {
	};

	Runnable onHandOver = () -> {
	};

	@Override
	public Probe<String> probe(String topic, long since) {
		this.probes++;
		String refusal = this.refusals.get(topic);
		if (refusal != null) {
			return Probe.refused(refusal);
		}
		Integer count = this.partitions.get(topic);
		Probe<String> probe = (count != null) ? Probe.known(count) : Probe.unknown();
		return this.unknown.contains(topic) ? probe.asConfirmed() : probe;
	}

	@Override
	public boolean hasAnswered() {
		return this.answers;
	}

	@Override
	public HandOver handOver(TestWaiter waiter) {
		this.onHandOver.run();
		Integer count = this.partitions.get(waiter.topic());
		if (count == null || waiter.partition() >= count || this.losesMetadata.contains(waiter.topic())) {
			return HandOver.NO_METADATA;
		}
		if (this.memory == 0) {
			this.duringHandOver.run();
			return HandOver.NO_MEMORY;
		}
		this.duringHandOver.run();
		this.memory--;
		waiter.handedOver();
		this.handedOver.add(waiter);
		return HandOver.DONE;
	}

	@Override
	public String diagnose(String topic, int partition, long since, Obstacle obstacle) {
		return topic + "/" + partition + "/" + obstacle;
	}

}
