/**
 * The consumer engine: one thread that owns the Kafka consumer and all partition state.
 * The only package that calls a consumer. It imports neither Spring nor Micrometer.
 * Internal.
 */
@NullMarked
package io.evenkeel.kafka.engine;

import org.jspecify.annotations.NullMarked;
