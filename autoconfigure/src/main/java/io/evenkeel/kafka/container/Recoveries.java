package io.evenkeel.kafka.container;

import java.time.Duration;

import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The recoveries of a listener, of whatever way: which of them fail is kept with the
 * listener's {@link Recoverer}, for the health of the container. Worker threads.
 */
final class Recoveries<K, V> {

	private final RecoveryWay<K, V> way;

	private final Recoverer<K, V> recoverer;

	Recoveries(RecoveryWay<K, V> way, Recoverer<K, V> recoverer) {
		this.way = way;
		this.recoverer = recoverer;
	}

	void recover(RecoveryAttempt<K, V> recovery) {
		this.way.recover(recovery);
	}

	void retried(Delivery<ConsumerRecord<K, V>> delivery, Duration after, Throwable failure) {
		this.recoverer.retried(delivery, after, failure);
	}

	void failed(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		if (!(failure instanceof UserErrorHandling.HandedOverException)) {
			this.recoverer.failed(delivery, failure);
		}
	}

}
