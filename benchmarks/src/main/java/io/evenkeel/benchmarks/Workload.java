package io.evenkeel.benchmarks;

/**
 * What is consumed, and what is done with a record.
 *
 * @param name for the table
 * @param topic the topic
 * @param records how many it holds
 * @param handlerMicros how long a handler takes, in microseconds; 0 = it only counts
 * @param concurrency how many handlers may run at once
 */
record Workload(String name, String topic, int records, int handlerMicros, int concurrency) {
}
