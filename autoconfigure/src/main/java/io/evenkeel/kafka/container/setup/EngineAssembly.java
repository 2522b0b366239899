package io.evenkeel.kafka.container.setup;

import java.time.Duration;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

import io.evenkeel.kafka.container.call.AcknowledgmentMode;
import io.evenkeel.kafka.container.call.AssignmentBeansTable;
import io.evenkeel.kafka.container.call.BatchCalls;
import io.evenkeel.kafka.container.call.CallTimer;
import io.evenkeel.kafka.container.call.FailurePolicy;
import io.evenkeel.kafka.container.call.ListenerCalls;
import io.evenkeel.kafka.container.call.ListenerConsumer;
import io.evenkeel.kafka.container.call.ListenerTarget;
import io.evenkeel.kafka.container.call.MicrometerCallTimer;
import io.evenkeel.kafka.container.call.RecordCalls;
import io.evenkeel.kafka.container.call.ScopedHandler;
import io.evenkeel.kafka.container.failure.CommitFailures;
import io.evenkeel.kafka.container.failure.Recoverer;
import io.evenkeel.kafka.container.failure.Rollbacks;
import io.evenkeel.kafka.container.failure.TransactionalCalls;
import io.evenkeel.kafka.container.failure.Transactions;
import io.evenkeel.kafka.container.failure.UserBatchErrors;
import io.evenkeel.kafka.container.failure.UserErrorHandling;
import io.evenkeel.kafka.container.life.ListenerRun;
import io.evenkeel.kafka.container.life.PollMonitor;
import io.evenkeel.kafka.container.life.RunSettings;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.container.rebalance.ContainerCallbacks;
import io.evenkeel.kafka.container.rebalance.SeekCallback;
import io.evenkeel.kafka.container.rebalance.UnacknowledgedWatch;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.EngineConfig;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.RecordHandler;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import io.evenkeel.kafka.failure.FailureLog;
import io.micrometer.observation.ObservationRegistry;
import org.apache.kafka.clients.consumer.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConsumerSeekAware;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.adapter.KafkaBackoffAwareMessageListenerAdapter;
import org.springframework.kafka.support.converter.ConversionException;
import org.springframework.kafka.support.serializer.DeserializationException;
import org.springframework.messaging.converter.MessageConversionException;
import org.springframework.messaging.handler.invocation.MethodArgumentResolutionException;

/**
 * Puts an engine together for one start of a container.
 */
public final class EngineAssembly<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(EngineAssembly.class);

	/** What spring-kafka does not retry either. */
	private static final Set<Class<? extends Throwable>> FATAL = Set.of(DeserializationException.class,
			MessageConversionException.class, ConversionException.class, MethodArgumentResolutionException.class,
			NoSuchMethodException.class, ClassCastException.class,
			org.apache.kafka.common.errors.RecordDeserializationException.class);

	private static final Duration UNACKNOWLEDGED = Duration.ofMinutes(1);

	private final ListenerSetup<K, V> setup;

	private final ListenerContext context;

	private final ContainerSettings settings;

	private final ListenerTarget target;

	private final AcknowledgmentMode mode;

	private final ConsumerFactory<K, V> factory;

	private final Properties overrides;

	/**
	 * Look at what a container is to start with.
	 * @param setup what the container says
	 * @param factory makes its consumers
	 * @param overrides what the container says otherwise than the factory
	 */
	public EngineAssembly(ListenerSetup<K, V> setup, ConsumerFactory<K, V> factory, Properties overrides) {
		this.setup = setup;
		this.context = setup.context();
		this.settings = setup.settings();
		this.target = new ListenerTarget(Objects.requireNonNull(this.context.properties().getMessageListener()));
		this.mode = AcknowledgmentMode.of(this.context.properties(), this.target, this.context.errorHandler(),
				this.settings.ordering());
		this.factory = factory;
		this.overrides = overrides;
	}

	/**
	 * Refuse what cannot work; nothing is made.
	 * @return what a run would be told to do
	 */
	public RunSettings check() {
		return settings(inspect());
	}

	public ListenerRun<K, V> assemble() {
		ListenerInspection inspected = inspect();
		RunSettings told = settings(inspected);
		AssignmentBeansTable table = AssignmentBeansTable.create(this.context.id(), this.context.application());
		CallTimer timer = MicrometerCallTimer.create(this.context.application(), this.context.memberId(),
				this.context.properties());
		ListenerCalls<K, V> calls = calls(inspected, timer, table);
		Transactions transactions = Transactions.of(this.context.properties(), new CommitFailures(this.setup.sends()));
		EngineObserver meters = this.setup.meters();
		Recoverer<K, V> recovery = recoverer(calls, meters);
		EngineHolder<K, V> holder = new EngineHolder<>();
		SeekCallback<K, V> seeks = new SeekCallback<>(holder::engine, this.context.groupId(), this.setup.clock());
		Handlers handlers = new Handlers(calls, recovery, timer, transactions, meters);
		ContainerCallbacks<K, V> callbacks = new ContainerCallbacks<>(this.context, this.setup.events(),
				this.setup.partitionEvents(), this.setup.state(), told.engine().commitTimeout(), seekAware(), seeks,
				surroundings(inspected, calls, table, holder, transactions, looks(holder, recovery, told.engine())));
		RecordHandler<K, V> handler = handlers.make();
		ConsumerEngine<K, V> engine = new ConsumerEngine<>(new EngineConfig<>(this.context.id(), told.engine(),
				(table != null) ? new ScopedHandler<>(handler, table) : handler, planner(),
				new ContainerLifecycle<>(this.context, this.setup.clientIdSuffix(), this.factory, this.overrides,
						this.setup.events(), this.setup.state(), inspected.hasGroup(), seeks, callbacks,
						this.setup::ended, this.setup.clock()),
				callbacks, meters, this.setup.pauses(), new WorkerThreads(this.context, seekAware(), seeks),
				this.settings.restartInitial(), this.settings.restartMax(), this.setup.clock()));
		holder.engine = engine;
		Consumer<K, V> proxy = ListenerConsumer.create(engine, this.context.container(), this.mode.isManual(),
				this.setup.clock());
		calls.consumer(proxy);
		return new ListenerRun<>(engine, told,
				new PollMonitor(this.context, engine::lastPollNanos,
						(silence) -> this.setup.events().silent(silence, proxy), this.setup.clock()),
				recovery::failingSince, () -> new StartLine(this.context, this.setup.groupOrigin(),
						this.setup.rollbackProcessor(), this.settings, told.engine(), inspected.config())
					.text(),
				inspected::refused);
	}

	private ListenerInspection inspect() {
		ListenerInspection inspected = new ListenerInspection(this.context, this.factory, this.overrides);
		inspected.check(this.settings, this.target);
		ContainerRefusals.check(this.context, this.target);
		return inspected;
	}

	private RunSettings settings(ListenerInspection inspected) {
		EngineSettings engine = inspected.settings(this.settings, this.target, this.mode, this.setup.concurrency());
		inspected.tell(this.setup.notices(),
				this.setup.groupOrigin().warning(this.context, inspected.configuredGroup()), this.settings,
				this.target);
		return new RunSettings(engine, inspected.groupProtocol(), this.settings.handler(),
				StartLine.servers(inspected.servers()));
	}

	private ListenerCalls<K, V> calls(ListenerInspection inspected, CallTimer timer,
			@Nullable AssignmentBeansTable table) {
		ObservationRegistry observations = observations(this.context.properties());
		return new ListenerCalls<>(this.context, this.target, this.setup.recordInterceptor(),
				this.setup.interceptsBeforeTransaction(), observations, timer, (table != null) ? table.scope() : null,
				observations.isNoop() ? ClusterId.unknown()
						: ClusterId.of(this.context, this.setup.admin(), inspected.servers()),
				this.setup::clientId);
	}

	private Recoverer<K, V> recoverer(ListenerCalls<K, V> calls, EngineObserver meters) {
		return new Recoverer<>(
				this.context.id(), this.settings.onExhausted(), this.setup.recoverer(this.settings.topicSuffix()),
				this.settings.createTopics(), calls, meters, new FailureLog(this.context.id(),
						this.settings.retry().maxAttempts(), this.settings.handler().exceptionMessages()),
				this.setup.clock());
	}

	private RetryPlanner planner() {
		return new RetryPlanner(this.settings.retry(), (failure) -> notRetryable(this.settings, failure),
				() -> ThreadLocalRandom.current().nextDouble());
	}

	private ContainerCallbacks.Surroundings<K, V> surroundings(ListenerInspection inspected, ListenerCalls<K, V> calls,
			@Nullable AssignmentBeansTable table, EngineHolder<K, V> holder, @Nullable Transactions transactions,
			Runnable look) {
		// Offsets that go into transactions name the generation of the group.
		Transactions carrying = (transactions != null && transactions.carryOffsets()) ? transactions : null;
		return new ContainerCallbacks.Surroundings<>(holder::engine, calls::consumer, table,
				(carrying != null) ? carrying::generation : (consumer) -> {
					// Nobody asks.
				}, carrying != null && inspected.commitsInitialPosition(), this.setup::hasPartitionPauses, look,
				this.setup.clock());
	}

	private Runnable looks(EngineHolder<K, V> holder, Recoverer<K, V> recovery, EngineSettings told) {
		if (!this.mode.isManual()) {
			return recovery::look;
		}
		UnacknowledgedWatch unacknowledged = unacknowledged(told);
		return () -> {
			recovery.look();
			unacknowledged.look(holder.engine().snapshot());
		};
	}

	/** What a hand-over would not wait for is worth a warning. */
	private UnacknowledgedWatch unacknowledged(EngineSettings settings) {
		Duration after = (settings.drainTimeout().compareTo(UNACKNOWLEDGED) < 0) ? settings.drainTimeout()
				: UNACKNOWLEDGED;
		return new UnacknowledgedWatch(this.context.id(), after);
	}

	private static boolean notRetryable(ContainerSettings settings, Throwable failure) {
		return FATAL.stream().anyMatch((type) -> type.isInstance(failure))
				|| settings.notRetryable().stream().anyMatch((type) -> type.isInstance(failure));
	}

	private ObservationRegistry observations(ContainerProperties properties) {
		ObservationRegistry registry = properties.getObservationRegistry();
		ApplicationContext context = this.context.application();
		if (!properties.isObservationEnabled()) {
			return ObservationRegistry.NOOP;
		}
		if (registry.isNoop() && context != null) {
			return context.getBeanProvider(ObservationRegistry.class).getIfUnique(() -> registry);
		}
		return registry;
	}

	private @Nullable ConsumerSeekAware seekAware() {
		return (this.target.listener() instanceof ConsumerSeekAware aware) ? aware : null;
	}

	/** Breaks the circle between the engine and what it calls back. */
	private static final class EngineHolder<K, V> {

		private volatile @Nullable ConsumerEngine<K, V> engine;

		ConsumerEngine<K, V> engine() {
			ConsumerEngine<K, V> current = this.engine;
			if (current == null) {
				throw new IllegalStateException("The container has not started");
			}
			return current;
		}

	}

	/**
	 * Makes what handles the records.
	 */
	private final class Handlers {

		private final ListenerCalls<K, V> calls;

		private final Recoverer<K, V> recovery;

		private final CallTimer timer;

		private final @Nullable Transactions transactions;

		private final EngineObserver meters;

		Handlers(ListenerCalls<K, V> calls, Recoverer<K, V> recovery, CallTimer timer,
				@Nullable Transactions transactions, EngineObserver meters) {
			this.calls = calls;
			this.recovery = recovery;
			this.timer = timer;
			this.transactions = transactions;
			this.meters = meters;
		}

		RecordHandler<K, V> make() {
			ListenerContext context = EngineAssembly.this.context;
			AcknowledgmentMode mode = EngineAssembly.this.mode;
			FailurePolicy<K, V> policy = policy();
			if (EngineAssembly.this.target.isBatch()) {
				return new BatchCalls<>(context, this.calls, EngineAssembly.this.target,
						EngineAssembly.this.setup.batchInterceptor(), mode, policy, this.timer,
						(this.transactions != null) ? this.transactions::run : null);
			}
			return new RecordCalls<>(context.id(), this.calls, mode, policy);
		}

		private FailurePolicy<K, V> policy() {
			CommonErrorHandler errors = EngineAssembly.this.context.errorHandler();
			boolean batch = EngineAssembly.this.target.isBatch();
			if (errors != null && !isOfARetryTopic() && EngineAssembly.this.setup.isFirstTime(errors)) {
				logger.info("{}: {} takes the place of evenkeel.kafka.consumer.retry.* and .recovery.*",
						EngineAssembly.this.context.id(), errors.getClass().getName());
			}
			UserErrorHandling<K, V> userErrors = (errors != null && !batch) ? new UserErrorHandling<>(errors,
					this.calls, EngineAssembly.this.context, this.meters, EngineAssembly.this.mode, this.recovery)
					: null;
			// A user's error handler for batches is asked when the transaction was rolled
			// back.
			boolean around = this.transactions != null && !this.transactions.carryOffsets() && errors != null && batch;
			if (this.transactions != null && !around) {
				return new TransactionalCalls<>(EngineAssembly.this.context, this.transactions, this.recovery,
						rollbacks(this.transactions), userErrors, EngineAssembly.this.mode);
			}
			if (errors != null && batch) {
				return new UserBatchErrors<>(errors, this.calls, EngineAssembly.this.context, this.meters,
						EngineAssembly.this.mode, this.recovery);
			}
			return (userErrors != null) ? userErrors : this.recovery;
		}

		/** Its error handler belongs to the retry topics, not to the user. */
		private boolean isOfARetryTopic() {
			return EngineAssembly.this.target.listener() instanceof KafkaBackoffAwareMessageListenerAdapter<?, ?>;
		}

		private @Nullable Rollbacks<K, V> rollbacks(Transactions transactions) {
			AfterRollbackProcessor<K, V> processor = EngineAssembly.this.setup.rollbackProcessor();
			return (processor != null) ? new Rollbacks<>(processor, transactions, this.calls,
					EngineAssembly.this.context, this.meters, this.recovery, EngineAssembly.this.target.isBatch())
					: null;
		}

	}

}
