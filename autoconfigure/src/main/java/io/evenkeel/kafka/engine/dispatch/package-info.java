/**
 * Hands records to workers: lanes, runs, slots and the completions on their way back.
 * Pure: no Kafka client, no Spring. Internal.
 */
@NullMarked
package io.evenkeel.kafka.engine.dispatch;

import org.jspecify.annotations.NullMarked;
