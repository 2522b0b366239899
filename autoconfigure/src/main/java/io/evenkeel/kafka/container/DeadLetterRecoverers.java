package io.evenkeel.kafka.container;

import java.util.function.BiFunction;
import java.util.function.Supplier;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;

/**
 * Makes spring-kafka's dead-letter recoverer over the application's producer, one
 * template for all listeners.
 */
public final class DeadLetterRecoverers {

	private final Supplier<ProducerFactory<?, ?>> factory;

	private @Nullable KafkaTemplate<Object, Object> template;

	/**
	 * Make a source of recoverers.
	 * @param factory gives the producer factory when the first dead letter is sent
	 */
	public DeadLetterRecoverers(Supplier<ProducerFactory<?, ?>> factory) {
		this.factory = factory;
	}

	/**
	 * A recoverer.
	 * @param suffix dead-letter topic = topic + suffix, same partition
	 * @return publishes and waits for the broker's answer
	 */
	public ConsumerRecordRecoverer create(String suffix) {
		DeadLetterPublishingRecoverer recoverer = new OwnRecoverer(this::template,
				(record, failure) -> new TopicPartition(record.topic() + suffix, record.partition()));
		recoverer.setFailIfSendResultIsError(true);
		recoverer.setLogRecoveryRecord(false);
		return recoverer;
	}

	/** Made for the first dead letter: an application without one needs no producer. */
	private synchronized KafkaTemplate<Object, Object> template() {
		if (this.template == null) {
			this.template = DeadLetterTemplate.create(this.factory.get());
		}
		return this.template;
	}

	/** Ours, as against one that is a bean of the application. */
	static final class OwnRecoverer extends DeadLetterPublishingRecoverer {

		OwnRecoverer(Supplier<KafkaTemplate<Object, Object>> template,
				BiFunction<ConsumerRecord<?, ?>, Exception, TopicPartition> destination) {
			super((record) -> template.get(), destination);
		}

	}

}
