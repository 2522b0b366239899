package io.evenkeel.kafka.engine;

import java.time.Duration;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.retry.RetrySettings;

/**
 * What a listener's engine was told to do.
 *
 * @param ordering which records must be handled one after the other
 * @param concurrency the most handler calls at once, 1 to 10,000
 * @param batchSize the most records of one call; 0 for a handler of single records
 * @param maxPendingRecords the most records held, at least {@code concurrency}
 * @param maxPendingBytes the most bytes held, by serialized size, at least 1
 * @param commitInterval the longest time between a completion and its commit
 * @param commitTimeout the longest wait for the answer to a commit in a revoke or stop
 * @param saveCompleted whether records completed out of order are kept in the commit
 * @param drainTimeout how long a revoke or stop waits for records in hand
 * @param onDrainTimeout what happens to those that take longer
 * @param pollTimeout the longest wait of one poll
 * @param retry how often and when a failed record is tried again
 * @param commitInitialPosition whether a partition without a committed offset gets one as
 * soon as its position is known, so that a reset to the latest offset cannot skip records
 * @param consumerProtocol whether the group uses the protocol of KIP-848
 * @param coverEarlier whether an acknowledgment covers the partition's earlier delivered
 * records
 * @param hasGroup whether offsets are committed at all
 */
public record EngineSettings(Ordering ordering, int concurrency, int batchSize, int maxPendingRecords,
		long maxPendingBytes, Duration commitInterval, Duration commitTimeout, boolean saveCompleted,
		Duration drainTimeout, OnDrainTimeout onDrainTimeout, Duration pollTimeout, RetrySettings retry,
		boolean commitInitialPosition, boolean consumerProtocol, boolean coverEarlier, boolean hasGroup) {

	/**
	 * The most characters that brokers accept as the metadata of a committed offset,
	 * unless {@code offset.metadata.max.bytes} says otherwise.
	 */
	static final int MAX_METADATA = 4096;

}
