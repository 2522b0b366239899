package io.evenkeel.kafka.container.failure;

import org.springframework.kafka.core.KafkaOperations;

/**
 * Sends dead letters. Any thread.
 */
public interface DeadLetterSender extends AutoCloseable {

	/**
	 * The template to send with, made when the first dead letter is sent: an application
	 * without one needs no producer.
	 * @return always the same one, never transactional
	 */
	KafkaOperations<Object, Object> template();

	/**
	 * Whether a send failed because brokers have said that there is no such partition.
	 * @param failure what the send's future failed with
	 * @return false also when nobody could be asked
	 */
	boolean isPartitionMissing(Throwable failure);

	/**
	 * Why a send failed, in words that hold nothing of the record.
	 * @param failure what the send's future failed with
	 * @return for logs
	 */
	String describe(Throwable failure);

	/**
	 * No dead letter is sent any more.
	 */
	@Override
	void close();

}
