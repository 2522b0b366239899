package io.evenkeel.kafka.container.failure;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.KafkaOperations;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.support.SendResult;

/**
 * Writes records to their dead-letter topics, with spring-kafka's headers, without
 * holding its caller: neither while a topic is looked for or made nor while the record is
 * sent. Any thread.
 *
 * <h2>The partition</h2> Always the record's own, as long as it is not known that there
 * is none. Only when brokers have said so, and it could not be made, the producer
 * chooses.
 */
final class DeadLetters extends DeadLetterPublishingRecoverer {

	private final DeadLetterSender sender;

	private final DeadLetterTopics topics;

	private final String suffix;

	/** What was sent by the call of the parent that this thread is in. */
	@SuppressWarnings("ThreadLocalUsage") // one of these for each listener
	private final ThreadLocal<@Nullable CompletableFuture<?>> sent = new ThreadLocal<>();

	DeadLetters(DeadLetterSender sender, DeadLetterTopics topics, String suffix) {
		super((record) -> sender.template(), (record, failure) -> topics
			.destination(new TopicPartition(record.topic() + suffix, record.partition())));
		this.sender = sender;
		this.topics = topics;
		this.suffix = suffix;
		// It asks the consumer, and takes no answer for "there is none".
		setVerifyPartition(false);
		setLogRecoveryRecord(false);
	}

	/**
	 * Write a record to its dead-letter topic.
	 * @param record the record
	 * @param failure why it is given up
	 * @param create whether the topic may be made, or get further partitions
	 * @return completes when a broker has acknowledged it, with what it has said, on a
	 * thread of the producer's or of ours, or on the caller's
	 */
	CompletableFuture<@Nullable Object> write(ConsumerRecord<?, ?> record, Exception failure, boolean create) {
		TopicPartition target = new TopicPartition(record.topic() + this.suffix, record.partition());
		return this.topics.ensure(record.topic(), target, create)
			.thenCompose((ready) -> publish(record, failure))
			.handle((done, ex) -> {
				if (ex == null) {
					this.topics.written(target);
					return done;
				}
				Throwable cause = unwrapped(ex);
				this.topics.failed(target, this.sender.isPartitionMissing(cause), create);
				throw new CompletionException(cause);
			});
	}

	/**
	 * A dead letter is long on its way: its topic may be gone, which the client, that
	 * knew it, takes for a passing trouble. Does not wait.
	 * @param record the record
	 * @param create whether the topic may be made
	 */
	void lookAgain(ConsumerRecord<?, ?> record, boolean create) {
		this.topics.lookAgain(record.topic(), new TopicPartition(record.topic() + this.suffix, record.partition()),
				create);
	}

	private CompletableFuture<@Nullable Object> publish(ConsumerRecord<?, ?> record, Exception failure) {
		this.sent.remove();
		try {
			accept(record, null, failure);
			CompletableFuture<?> future = this.sent.get();
			return (future != null) ? future.thenApply((result) -> result) : CompletableFuture.completedFuture(null);
		}
		finally {
			this.sent.remove();
		}
	}

	@Override
	protected void send(ProducerRecord<Object, Object> outRecord, KafkaOperations<Object, Object> kafkaTemplate,
			ConsumerRecord<?, ?> inRecord) {
		this.sent.set(kafkaTemplate.send(outRecord));
	}

	/** Where a dead letter is, from what the broker has said. */
	static String place(@Nullable Object written) {
		if (written instanceof SendResult<?, ?> result && result.getRecordMetadata() != null) {
			RecordMetadata at = result.getRecordMetadata();
			return at.topic() + "-" + at.partition() + (at.hasOffset() ? "@" + at.offset() : "");
		}
		return "its dead-letter topic";
	}

	/** Why a dead letter could not be written, in words that hold nothing of it. */
	String describe(Throwable failure) {
		return this.sender.describe(failure);
	}

	private static Throwable unwrapped(Throwable failure) {
		return (failure instanceof CompletionException && failure.getCause() != null) ? failure.getCause() : failure;
	}

}
