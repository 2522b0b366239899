package io.evenkeel.kafka.engine;

import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import io.evenkeel.kafka.engine.dispatch.Worker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What outlives a consumer that had to be replaced: the workers' side, the settings and
 * the counter of epochs inside the (then empty) table.
 */
record EngineParts<K, V>(AssignmentTable<K, V> table, Dispatcher<ConsumerRecord<K, V>> dispatcher,
		Completions<K, V> completions, RecordHandler<K, V> handler, EngineCallbacks<K, V> callbacks,
		EngineObserver listener, EngineSettings settings, LaneKeys laneKeys, PauseRequests pauseRequests,
		LongSupplier clock, OwnerWait ownerWait, RebalanceLog log) {

	private static final Logger logger = LoggerFactory.getLogger(EngineParts.class);

	private static final long REFUSAL_LOG_NANOS = TimeUnit.MINUTES.toNanos(1);

	/**
	 * Put together what an engine needs before its first consumer.
	 * @param config its collaborators and settings
	 * @param completions the way back from the workers
	 * @param clock nanoseconds
	 * @param ownerWait how the owner waits where it cannot poll
	 * @param unrecoverable told why a record ends the listener
	 */
	static <K, V> EngineParts<K, V> create(EngineConfig<K, V> config, CompletionQueue<ConsumerRecord<K, V>> completions,
			LongSupplier clock, OwnerWait ownerWait, Consumer<Throwable> unrecoverable) {
		String id = config.id();
		EngineSettings settings = config.settings();
		EngineObserver listener = new GuardedObserver(id, config.listener());
		Dispatcher<ConsumerRecord<K, V>> dispatcher = new Dispatcher<>(completions, clock, settings.concurrency(),
				settings.batchSize());
		AttemptInvoker<K, V> invoker = new AttemptInvoker<>(config.handler(), config.planner(),
				new Acknowledgments<>(settings.coverEarlier()), listener, unrecoverable);
		dispatcher.attach(
				new Worker<>(dispatcher, invoker, clock, (assignment, bug) -> logger
					.error("{}: a call for {} failed beyond its handler; it is called again", id, assignment, bug)),
				config.workers(), refusals(id, clock));
		LaneKeys laneKeys = new LaneKeys(settings.ordering(),
				(type) -> logger.warn("{}: keys of {} cannot be compared (no equals and hashCode of its own): their "
						+ "records keep the order of the partition", id, type.getName()));
		AssignmentTable<K, V> table = new AssignmentTable<>();
		return new EngineParts<>(table, dispatcher, new Completions<>(completions, table, listener, clock),
				config.handler(), config.callbacks(), listener, settings, laneKeys, config.pauseRequests(), clock,
				ownerWait, new RebalanceLog(Instant::now));
	}

	private static Consumer<Throwable> refusals(String id, LongSupplier clock) {
		AtomicLong lastRefusal = new AtomicLong();
		return (failure) -> {
			long now = clock.getAsLong();
			long last = lastRefusal.get();
			if ((last == 0 || now - last > REFUSAL_LOG_NANOS) && lastRefusal.compareAndSet(last, now)) {
				logger.warn("{}: no thread for a further worker; the calls go on with those there are", id, failure);
			}
		};
	}

}
