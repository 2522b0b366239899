package io.evenkeel.kafka.container;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.ConsumerAwareRecordRecoverer;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.support.KafkaHeaders;

/**
 * What happens to records whose attempts are exhausted. Worker threads.
 *
 * <p>
 * A recovery that fails throws; the engine tries it again for as long as it takes. Which
 * records' recoveries are failing is kept for the health of the container: until they
 * succeed, or the record is not this member's any more.
 */
final class Recoverer<K, V> implements RecoveryWay<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(Recoverer.class);

	private final String id;

	private final OnExhausted onExhausted;

	private final ConsumerRecordRecoverer recoverer;

	private final DeadLetterTopics topics;

	private final ListenerCalls<K, V> calls;

	private final Map<Delivery<ConsumerRecord<K, V>>, Long> failing = new ConcurrentHashMap<>();

	Recoverer(String id, OnExhausted onExhausted, ConsumerRecordRecoverer recoverer, DeadLetterTopics topics,
			ListenerCalls<K, V> calls) {
		this.id = id;
		this.onExhausted = onExhausted;
		this.recoverer = recoverer;
		this.topics = topics;
		this.calls = calls;
	}

	@Override
	public Recovery recover(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		ConsumerRecord<K, V> record = delivery.record();
		return switch (this.onExhausted) {
			case STOP -> Recovery.STOP;
			case SKIP -> {
				logger.warn("{}: {}-{}@{} is skipped after {} call(s): {}", this.id, record.topic(), record.partition(),
						record.offset(), delivery.attempt(), Failures.types(failure));
				yield Recovery.SKIPPED;
			}
			case DEAD_LETTER -> {
				publish(record, failure);
				logger.warn("{}: {}-{}@{} is recovered after {} call(s): {}", this.id, record.topic(),
						record.partition(), record.offset(), delivery.attempt(), Failures.types(failure));
				yield (this.recoverer instanceof DeadLetterPublishingRecoverer) ? Recovery.DEAD_LETTERED
						: Recovery.SKIPPED;
			}
		};
	}

	private void publish(ConsumerRecord<K, V> record, Throwable failure) {
		Consumer<K, V> consumer = this.calls.consumer();
		Exception exception = (failure instanceof Exception known) ? known
				: new IllegalStateException("The listener failed with an error", failure);
		// True of our calls only, not of those that the dead letter may get.
		record.headers().remove(KafkaHeaders.DELIVERY_ATTEMPT);
		if (this.recoverer instanceof DeadLetterRecoverers.OwnRecoverer) {
			// Where a recoverer of the application's publishes to is its own affair.
			this.topics.ensure(record.topic());
		}
		if (this.recoverer instanceof ConsumerAwareRecordRecoverer aware) {
			aware.accept(record, consumer, exception);
		}
		else {
			this.recoverer.accept(record, exception);
		}
	}

	/** The recovery of a record, whoever did it, is over. */
	void over(Delivery<ConsumerRecord<K, V>> delivery) {
		if (!this.failing.isEmpty()) {
			this.failing.remove(delivery);
		}
	}

	void failed(Delivery<ConsumerRecord<K, V>> delivery, int failures, Throwable failure) {
		forget();
		this.failing.putIfAbsent(delivery, System.nanoTime());
		ConsumerRecord<K, V> record = delivery.record();
		this.topics.forget(record.topic());
		if (Integer.bitCount(failures) != 1) {
			// Said at the first, second, fourth, eighth, ... failure.
			return;
		}
		logger.error(
				"{}: the recovery of {}-{}@{} failed {} time(s) and is tried again; the record stays unfinished: {}",
				this.id, record.topic(), record.partition(), record.offset(), failures, Failures.types(failure));
	}

	/** Whether recovery means to stop the container. */
	boolean stops() {
		return this.onExhausted == OnExhausted.STOP;
	}

	/** Whether nothing of the application's takes part in a recovery. */
	boolean isOwn() {
		return this.onExhausted != OnExhausted.DEAD_LETTER
				|| this.recoverer instanceof DeadLetterRecoverers.OwnRecoverer;
	}

	/**
	 * Since when recoveries have been failing: {@link System#nanoTime()}, 0 = they do
	 * not.
	 */
	long failingSince() {
		forget();
		long oldest = 0;
		for (long since : this.failing.values()) {
			oldest = (oldest == 0 || since - oldest < 0) ? since : oldest;
		}
		return oldest;
	}

	private void forget() {
		this.failing.keySet().removeIf((delivery) -> delivery.isEnded() || delivery.assignment().isStopping());
	}

}
