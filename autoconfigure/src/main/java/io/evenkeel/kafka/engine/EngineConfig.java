package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.retry.RetryPlanner;

/**
 * What an engine is made of.
 *
 * @param id the listener's id: log lines begin with it
 * @param settings what it was told to do
 * @param handler calls the listener
 * @param planner decides about repetitions
 * @param lifecycle makes consumers and hears of the engine's life
 * @param callbacks the application's side of rebalances
 * @param listener hears what can be counted
 * @param pauseRequests what the user wants paused
 * @param workers runs a worker on a thread of its own
 * @param restartInitial the first wait before a failed consumer is replaced
 * @param restartMax the longest such wait
 * @param clock the time it goes by
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public record EngineConfig<K, V>(String id, EngineSettings settings, RecordHandler<K, V> handler, RetryPlanner planner,
		EngineLifecycle<K, V> lifecycle, EngineCallbacks<K, V> callbacks, EngineObserver listener,
		PauseRequests pauseRequests, Consumer<Runnable> workers, Duration restartInitial, Duration restartMax,
		LongSupplier clock) {
}
