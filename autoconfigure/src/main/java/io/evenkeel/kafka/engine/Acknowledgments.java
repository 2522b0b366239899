package io.evenkeel.kafka.engine;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Call;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Acknowledgments by hand. Where a partition is handled in order, acknowledging a record
 * covers the earlier ones of its assignment that were delivered and not acknowledged, as
 * in spring-kafka; otherwise each record is acknowledged for itself.
 *
 * <h2>Threading</h2> Any thread. Records in waiting of one assignment are guarded by
 * their queue; they are looked up by the assignment itself, so nothing outlives it.
 */
final class Acknowledgments<K, V> {

	private final boolean coverEarlier;

	private final Map<Assignment<ConsumerRecord<K, V>>, ArrayDeque<Waiting<K, V>>> waiting = Collections
		.synchronizedMap(new WeakHashMap<>());

	Acknowledgments(boolean coverEarlier) {
		this.coverEarlier = coverEarlier;
	}

	void returned(Call<ConsumerRecord<K, V>> call) {
		if (!this.coverEarlier) {
			return;
		}
		ArrayDeque<Waiting<K, V>> queue = queue(call.assignment());
		synchronized (queue) {
			for (Delivery<ConsumerRecord<K, V>> delivery : call.deliveries()) {
				if (!delivery.isEnded()) {
					queue.addLast(new Waiting<>(call, delivery));
				}
			}
		}
	}

	void acknowledge(Call<ConsumerRecord<K, V>> call, int index) {
		if (this.coverEarlier) {
			ArrayDeque<Waiting<K, V>> queue = queue(call.assignment());
			long offset = call.deliveries().get(index).offset();
			synchronized (queue) {
				Waiting<K, V> first = queue.peekFirst();
				while (first != null && first.delivery.offset() <= offset) {
					queue.removeFirst();
					first.call.end(first.delivery, Outcome.SUCCESS);
					first = queue.peekFirst();
				}
			}
		}
		for (int i = 0; i <= index; i++) {
			call.end(call.deliveries().get(i), Outcome.SUCCESS);
		}
	}

	private ArrayDeque<Waiting<K, V>> queue(Assignment<ConsumerRecord<K, V>> assignment) {
		return this.waiting.computeIfAbsent(assignment, (key) -> new ArrayDeque<>());
	}

	private record Waiting<K, V>(Call<ConsumerRecord<K, V>> call, Delivery<ConsumerRecord<K, V>> delivery) {
	}

}
