package io.evenkeel.kafka.producer;

import io.evenkeel.kafka.producer.line.HandOver;
import io.evenkeel.kafka.producer.line.LineClient;
import io.evenkeel.kafka.producer.line.LineWorker;
import io.evenkeel.kafka.producer.line.Obstacle;
import io.evenkeel.kafka.producer.line.Probe;

/**
 * The gate as the scheduler uses it: a hand-over runs user code, so that somebody has to
 * see whether it takes long.
 *
 * @param gate the gate
 * @param scheduler the scheduler
 * @param watch called when a watch is to begin
 */
record WatchedHandOvers<K, V>(ClientGate<K, V> gate, LineWorker scheduler,
		Runnable watch) implements LineClient<Diagnosis, PendingSend<K, V>> {

	@Override
	public Probe<Diagnosis> probe(String topic, long since) {
		return this.gate.probe(topic, since);
	}

	@Override
	public HandOver handOver(PendingSend<K, V> send) {
		if (this.scheduler.detach()) {
			this.watch.run();
		}
		try {
			return this.gate.handOver(send);
		}
		finally {
			this.scheduler.attach();
		}
	}

	@Override
	public boolean hasAnswered() {
		return this.gate.hasAnswered();
	}

	@Override
	public Obstacle obstacle(Obstacle seen, long since) {
		return this.gate.obstacle(seen, since);
	}

	@Override
	public Diagnosis diagnose(String topic, int partition, long since, Obstacle obstacle) {
		return this.gate.diagnose(topic, partition, since, obstacle);
	}

}
