package io.evenkeel.kafka.producer;

import java.util.Map;
import java.util.concurrent.CompletableFuture;

import io.micrometer.observation.Observation;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

import org.springframework.kafka.core.KafkaProducerException;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.support.ProducerListener;
import org.springframework.kafka.support.SendResult;

/**
 * A {@link KafkaTemplate} whose {@code send} returns at once and never throws for a Kafka
 * reason: every failure, also one that is known immediately, arrives in the future as a
 * {@link KafkaProducerException} that is caused by a {@link SendFailedException}. Public
 * API; thread-safe as its parent.
 * <p>
 * Inside a transaction a send waits until its record is handed to the client, and throws
 * a {@link org.springframework.kafka.KafkaException} with the {@code SendFailedException}
 * as its cause when that fails: the transaction cannot be committed any more. What fails
 * later is found by the commit.
 * <p>
 * Mistakes of the caller, such as a send without a transaction where one is required, are
 * thrown as before. With {@code autoFlush} a send waits, as its name says.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public class EvenkeelKafkaTemplate<K, V> extends KafkaTemplate<K, V> {

	private final ProducerFactory<K, V> factory;

	private volatile @Nullable ProducerListener<K, V> listener;

	/**
	 * Plain, because any one will do: whose producer it is is for its reader to check.
	 */
	private @Nullable UnfinishedSends<K, V> sends;

	/**
	 * Make a template.
	 * @param producerFactory the factory; sends do not wait if it is an
	 * {@link EvenkeelProducerFactory}
	 */
	public EvenkeelKafkaTemplate(ProducerFactory<K, V> producerFactory) {
		super(producerFactory);
		this.factory = producerFactory;
	}

	/**
	 * Make a template with properties of its own.
	 * @param producerFactory the factory
	 * @param configOverrides client properties that differ from the factory's; may be
	 * {@code null}
	 */
	public EvenkeelKafkaTemplate(ProducerFactory<K, V> producerFactory, @Nullable Map<String, Object> configOverrides) {
		super(producerFactory, configOverrides);
		this.factory = super.getProducerFactory();
	}

	@Override
	public void setProducerListener(@Nullable ProducerListener<K, V> producerListener) {
		super.setProducerListener(producerListener);
		this.listener = producerListener;
	}

	@Override
	protected CompletableFuture<SendResult<K, V>> doSend(ProducerRecord<K, V> producerRecord, Observation observation) {
		try {
			return super.doSend(producerRecord, observation);
		}
		catch (NoProducerException ex) {
			CompletableFuture<SendResult<K, V>> failed = failed(producerRecord, observation, ex.cause());
			if (inTransaction()) {
				throw exception(failed);
			}
			return failed;
		}
		catch (KafkaException | org.springframework.kafka.KafkaException ex) {
			if (inTransaction()) {
				throw ex;
			}
			return failed(producerRecord, observation, ex);
		}
	}

	/** The transaction around the send has to hear of it, whoever looks at the future. */
	private static RuntimeException exception(CompletableFuture<?> failed) {
		Throwable failure = failed.handle((result, ex) -> ex).join();
		return new org.springframework.kafka.KafkaException("Send failed", failure.getCause());
	}

	/** The producer could not even be had; its own failures come through the callback. */
	private CompletableFuture<SendResult<K, V>> failed(ProducerRecord<K, V> producerRecord, Observation observation,
			RuntimeException exception) {
		SendFailedException failure = UnsentFailures.of(producerRecord.topic(), this.factory, exception);
		observation.error(failure);
		observation.stop();
		ProducerListener<K, V> listener = this.listener;
		if (listener != null) {
			Integer partition = producerRecord.partition();
			TopicPartition target = new TopicPartition(producerRecord.topic(), (partition != null) ? partition : -1);
			listener.onError(producerRecord, new RecordMetadata(target, -1, -1, -1, -1, -1), failure);
		}
		return CompletableFuture
			.failedFuture(new KafkaProducerException(castRecord(producerRecord), "Failed to send", failure));
	}

	@SuppressWarnings("unchecked")
	private static ProducerRecord<Object, Object> castRecord(ProducerRecord<?, ?> producerRecord) {
		return (ProducerRecord<Object, Object>) producerRecord;
	}

	@Override
	protected Producer<K, V> getTheProducer(@Nullable String topic) {
		if (topic == null) {
			return super.getTheProducer(null);
		}
		// Only a send names its topic; see UnfinishedSends.
		try {
			Producer<K, V> producer = super.getTheProducer(topic);
			return inTransaction() ? producer : unfinished(producer);
		}
		catch (KafkaException | org.springframework.kafka.KafkaException ex) {
			throw new NoProducerException(ex);
		}
	}

	private UnfinishedSends<K, V> unfinished(Producer<K, V> producer) {
		UnfinishedSends<K, V> last = this.sends;
		if (last == null || last.delegate() != producer) {
			last = new UnfinishedSends<>(producer);
			this.sends = last;
		}
		return last;
	}

	/** Without asking the cluster: the stock template waits for the admin client here. */
	@Override
	protected @Nullable String clusterId() {
		return (this.factory instanceof EvenkeelProducerFactory<K, V> ours) ? ours.knownClusterId() : super.clusterId();
	}

	/** Carries the reason out of the stock template's code. */
	private static final class NoProducerException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		private final RuntimeException cause;

		NoProducerException(RuntimeException cause) {
			super(cause);
			this.cause = cause;
		}

		RuntimeException cause() {
			return this.cause;
		}

	}

}
