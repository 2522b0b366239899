/**
 * Which offsets of an assignment are done: what may be committed, and what is done above
 * it. Pure bookkeeping of the JDK only, without threads, clocks or Kafka.
 */
@NullMarked
package io.evenkeel.kafka.engine.offset;

import org.jspecify.annotations.NullMarked;
