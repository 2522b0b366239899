package io.evenkeel.kafka.engine;

import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * What outlives a consumer that had to be replaced: the workers' side, the settings and
 * the counter of epochs inside the (then empty) table.
 */
record EngineParts<K, V>(AssignmentTable<K, V> table, Dispatcher<ConsumerRecord<K, V>> dispatcher,
		Completions<K, V> completions, RecordHandler<K, V> handler, EngineCallbacks<K, V> callbacks,
		EngineListener listener, EngineSettings settings, LaneKeys laneKeys, PauseRequests pauseRequests,
		LongSupplier clock, OwnerWait ownerWait, RebalanceLog log) {
}
