/**
 * The waiting lines of a producer, as plain data structures: no Kafka client and no
 * Spring in here, time and randomness come from outside. Internal.
 */
@NullMarked
package io.evenkeel.kafka.producer.line;

import org.jspecify.annotations.NullMarked;
