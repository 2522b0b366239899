package io.evenkeel.kafka.producer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.producer.ClusterEvidence.Trouble;
import io.evenkeel.kafka.producer.ProducerSnapshot.State;
import io.evenkeel.kafka.producer.line.LineSnapshot;
import io.evenkeel.kafka.producer.line.Lines;
import org.jspecify.annotations.Nullable;

/**
 * Makes snapshots of a producer.
 *
 * @param id the client id
 * @param life the client
 * @param gate says what is wrong
 * @param lines who waits
 * @param evidence when the cluster answered
 * @param clock nanoseconds
 */
record ProducerViews<K, V>(String id, ClientLife<K, V> life, ClientGate<K, V> gate,
		Lines<Diagnosis, PendingSend<K, V>> lines, ClusterEvidence evidence, LongSupplier clock) {

	ProducerSnapshot snapshot(boolean closed) {
		long now = this.clock.getAsLong();
		List<ProducerSnapshot.Topic> topics = new ArrayList<>();
		Trouble trouble = this.evidence.standingTrouble();
		for (LineSnapshot<Diagnosis> line : this.lines.snapshots()) {
			long wait = (line.waiting() > 0) ? now - line.oldestStartedAt() : 0;
			FailureReason reason = reason(line);
			if (wait > 0 && reason != null && ClusterEvidence.concernsAll(reason)) {
				// Trouble begins to be felt with the wait, not with its end.
				trouble = earlier(trouble, new Trouble(reason, line.oldestStartedAt(), now));
			}
			topics.add(new ProducerSnapshot.Topic(line.topic(), line.waiting(), TimeUnit.NANOSECONDS.toMillis(wait),
					reason, line.failFast()));
		}
		return new ProducerSnapshot(this.id, state(closed), this.lines.waitingRecords(), this.lines.waitingBytes(),
				topics, (trouble != null) ? trouble.reason() : null,
				(trouble != null) ? TimeUnit.NANOSECONDS.toMillis(now - trouble.since()) : 0);
	}

	private static Trouble earlier(@Nullable Trouble known, Trouble felt) {
		return (known != null && known.since() - felt.since() <= 0) ? known : felt;
	}

	private @Nullable FailureReason reason(LineSnapshot<Diagnosis> line) {
		if (line.failFastCause() != null) {
			return line.failFastCause().reason();
		}
		return (line.waiting() > 0)
				? this.gate.explain(line.topic(), line.partition(), line.oldestStartedAt(), line.obstacle()).reason()
				: null;
	}

	private State state(boolean closed) {
		if (closed) {
			return State.CLOSED;
		}
		if (this.life.current() != null) {
			return State.RUNNING;
		}
		return (this.life.replacing() != null) ? State.REPLACING : State.STARTING;
	}

}
