package io.evenkeel.kafka.engine;

import org.apache.kafka.common.TopicPartition;

/**
 * A partition and the number of its assignment.
 *
 * @param partition the partition
 * @param epoch unique and rising within a listener
 */
public record AssignedPartition(TopicPartition partition, long epoch) {
}
