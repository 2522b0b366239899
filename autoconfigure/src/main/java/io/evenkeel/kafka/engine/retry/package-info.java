/**
 * Decides what happens after a failed handler call: pure functions of the JDK only,
 * without threads, clocks or Kafka. The engine acts on the decisions.
 */
@NullMarked
package io.evenkeel.kafka.engine.retry;

import org.jspecify.annotations.NullMarked;
