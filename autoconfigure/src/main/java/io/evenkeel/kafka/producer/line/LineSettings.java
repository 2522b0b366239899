package io.evenkeel.kafka.producer.line;

/**
 * The limits of one topic's lines.
 *
 * @param timeoutNanos the longest wait of a record from its send to its hand-over, in
 * nanoseconds, positive
 * @param unknownNanos the same once the cluster has said that it does not know the topic
 * or the partition, in nanoseconds, positive and at most {@code timeoutNanos}
 * @param maxAttempts the most attempts before the line fails, at least 1;
 * {@link Integer#MAX_VALUE} for no limit
 * @param backoff the waits between attempts
 * @param failFastNanos how long sends fail at once after a line timed out, in
 * nanoseconds; 0 for not at all
 */
public record LineSettings(long timeoutNanos, long unknownNanos, int maxAttempts, Backoff backoff, long failFastNanos) {

}
