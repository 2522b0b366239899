package io.evenkeel.kafka.producer.line;

import org.jspecify.annotations.Nullable;

/**
 * One line at one moment.
 *
 * @param topic the topic
 * @param partition the partition that is missing, or -1 for the line of the whole topic
 * @param waiting how many records wait
 * @param oldestStartedAt when the first of them was sent, in nanoseconds of the
 * producer's clock; meaningless when none waits
 * @param obstacle what they wait for
 * @param failFast whether sends fail at once
 * @param failFastCause why the line timed out before; {@code null} when sends do not fail
 * at once
 * @param <C> the type of a cause
 */
public record LineSnapshot<C>(String topic, int partition, int waiting, long oldestStartedAt, Obstacle obstacle,
		boolean failFast, @Nullable C failFastCause) {

}
