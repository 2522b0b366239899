package io.evenkeel.kafka.container.failure;

import java.util.Map;
import java.util.function.Supplier;

import io.evenkeel.kafka.engine.StopCause;
import io.evenkeel.kafka.engine.dispatch.Assignment;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.core.ProducerFactoryUtils;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.transaction.KafkaAwareTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Runs a listener in a transaction. One of Kafka's also carries the offset after its
 * record, only for partitions handled in order: the offset then says that everything
 * before it is done. With any other manager the record is done when its transaction is
 * committed, and its offset is committed as without one.
 *
 * <h2>Threading</h2> Transactions run on workers. The group metadata is read by the owner
 * after each poll and assignment.
 *
 * <h2>Why the metadata is read before the look at the assignment</h2> When the assignment
 * is found whole, the metadata read before belongs to a generation in which the partition
 * was ours. Should it be taken away afterwards, the generation has passed by the time its
 * next owner begins, and the coordinator refuses these offsets: the transaction aborts.
 */
public final class Transactions {

	private final TransactionTemplate template;

	/** Null when the transactions are not Kafka's. */
	private final @Nullable ProducerFactory<?, ?> producers;

	private final CommitFailures failures;

	private volatile @Nullable ConsumerGroupMetadata group;

	private Transactions(TransactionTemplate template, @Nullable ProducerFactory<?, ?> producers,
			CommitFailures failures) {
		this.failures = failures;
		this.template = template;
		this.producers = producers;
	}

	/** Null without a transaction manager. */
	@SuppressWarnings({ "deprecation", "removal" })
	public static @Nullable Transactions of(ContainerProperties properties, CommitFailures failures) {
		KafkaAwareTransactionManager<?, ?> kafka = properties.getKafkaAwareTransactionManager();
		PlatformTransactionManager manager = (kafka != null) ? kafka : properties.getTransactionManager();
		if (manager == null) {
			return null;
		}
		TransactionDefinition definition = properties.getTransactionDefinition();
		TransactionTemplate template = (definition != null) ? new TransactionTemplate(manager, definition)
				: new TransactionTemplate(manager);
		return new Transactions(template,
				(manager instanceof KafkaAwareTransactionManager<?, ?> aware) ? aware.getProducerFactory() : null,
				failures);
	}

	/** Whether offsets go into the transactions, and nowhere else. */
	public boolean carryOffsets() {
		return this.producers != null;
	}

	/**
	 * Run something in a transaction of its own, without an offset.
	 * @param work what to do; when it throws everything is rolled back
	 */
	public void run(Runnable work) {
		this.template.executeWithoutResult((status) -> work.run());
	}

	/** Owner thread. */
	public void generation(Consumer<?, ?> consumer) {
		this.group = consumer.groupMetadata();
	}

	/**
	 * Run something in a transaction together with the offset after a record.
	 * @param assignment what the record came with
	 * @param last the last record that is done when this succeeds
	 * @param work what to do; when it throws everything is rolled back
	 */
	void run(Assignment<?> assignment, ConsumerRecord<?, ?> last, Runnable work) {
		run(assignment, () -> last, work);
	}

	/**
	 * Run something in a transaction together with an offset.
	 * @param assignment what the records came with
	 * @param done asked after the work: the last record that is done, null when there is
	 * none
	 * @param work what to do; when it throws everything is rolled back
	 */
	void run(Assignment<?> assignment, Supplier<? extends @Nullable ConsumerRecord<?, ?>> done, Runnable work) {
		if (this.producers == null) {
			// A commit that fails is a failure of the call, as under spring-kafka.
			run(work);
			return;
		}
		ProducerFactory<?, ?> kafka = this.producers;
		Thrown thrown = new Thrown();
		try {
			this.template.executeWithoutResult((status) -> {
				try {
					work.run();
				}
				catch (RuntimeException | Error ex) {
					thrown.byWork = ex;
					throw ex;
				}
				ConsumerRecord<?, ?> last = done.get();
				if (last != null && !status.isRollbackOnly()) {
					sendOffset(kafka, assignment, last);
				}
			});
		}
		catch (RuntimeException | Error ex) {
			if (thrown.byWork != null) {
				throw ex;
			}
			throw new NotCommittedException(ex, this.failures.isOfASend(ex));
		}
	}

	private void sendOffset(ProducerFactory<?, ?> kafka, Assignment<?> assignment, ConsumerRecord<?, ?> last) {
		// A consumer that a test has mocked has none, which is the producer's to judge.
		ConsumerGroupMetadata metadata = this.group;
		if (assignment.isClosed()) {
			throw new KafkaException("The partition is not assigned here any more");
		}
		ProducerFactoryUtils.getTransactionalResourceHolder(kafka)
			.getProducer()
			.sendOffsetsToTransaction(Map.of(new TopicPartition(last.topic(), last.partition()),
					new OffsetAndMetadata(last.offset() + 1, last.leaderEpoch(), "")), metadata);
	}

	/** Which of the two failed: what was to be done, or the transaction. */
	private static final class Thrown {

		private @Nullable Throwable byWork;

	}

	/** The listener succeeded, its transaction did not: nothing of it has happened. */
	static final class NotCommittedException extends KafkaException {

		private static final long serialVersionUID = 1L;

		private final boolean ofASend;

		NotCommittedException(Throwable cause, boolean ofASend) {
			super("The transaction was not committed", cause);
			this.ofASend = ofASend;
		}

		/** Whether another producer has taken the place of this one. */
		boolean isFenced() {
			return StopCause.isFenced(this);
		}

		/** Whether a send of the listener's is why, so that it will be why again. */
		boolean isOfASend() {
			return this.ofASend;
		}

	}

}
