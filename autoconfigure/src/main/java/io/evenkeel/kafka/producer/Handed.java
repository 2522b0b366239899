package io.evenkeel.kafka.producer;

import org.jspecify.annotations.Nullable;

/**
 * What became of a call that handed a record to the client.
 *
 * @param thrown what the call threw, or {@code null}
 * @param answer the failure that the client reported inside of the call, or {@code null}
 */
record Handed(@Nullable Throwable thrown, @Nullable Exception answer) {

}
