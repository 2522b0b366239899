package io.evenkeel.kafka.test;

import org.jspecify.annotations.Nullable;

/**
 * A call of a listener for one record, or for one record of a batch.
 *
 * @param listener the listener's id
 * @param topic the record's topic
 * @param partition the record's partition
 * @param offset the record's offset
 * @param key the record's key as text; null when it has none
 * @param attempt 1 for the first call for this record
 */
public record Call(String listener, String topic, int partition, long offset, @Nullable String key, int attempt) {

}
