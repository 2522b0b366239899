package io.evenkeel.kafka.engine;

import io.evenkeel.kafka.engine.dispatch.Call;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Acknowledgments by hand. Where a partition is handled in order, acknowledging a record
 * covers the earlier ones of its assignment that were delivered and not acknowledged, as
 * in spring-kafka; otherwise each record is acknowledged for itself.
 *
 * <h2>Threading</h2> Any thread. What waits is kept by its assignment and goes with it.
 */
final class Acknowledgments<K, V> {

	private final boolean coverEarlier;

	Acknowledgments(boolean coverEarlier) {
		this.coverEarlier = coverEarlier;
	}

	void returned(Call<ConsumerRecord<K, V>> call) {
		if (this.coverEarlier) {
			call.assignment().unacknowledged().add(call);
		}
	}

	void acknowledge(Call<ConsumerRecord<K, V>> call, int index) {
		if (this.coverEarlier) {
			call.assignment().unacknowledged().endUpTo(call.delivery(index).offset());
		}
		for (int i = 0; i <= index; i++) {
			call.end(call.delivery(i), Outcome.SUCCESS);
		}
	}

}
