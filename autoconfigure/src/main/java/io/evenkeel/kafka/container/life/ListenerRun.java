package io.evenkeel.kafka.container.life;

import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

import io.evenkeel.kafka.engine.ConsumerEngine;

/**
 * One run of a container, from a start to the end of the engine that was made for it.
 *
 * @param engine the engine
 * @param settings what it was told to do
 * @param monitor looks whether its owner still polls
 * @param recoveryFailingSince since when recoveries have been failing, nanoseconds, 0 =
 * they do not
 * @param startLine what is said when it starts
 * @param refused explains why the client refused its configuration
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public record ListenerRun<K, V>(ConsumerEngine<K, V> engine, RunSettings settings, PollMonitor monitor,
		LongSupplier recoveryFailingSince, Supplier<String> startLine, UnaryOperator<RuntimeException> refused) {
}
