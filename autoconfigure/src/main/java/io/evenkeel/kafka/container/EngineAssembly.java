package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.EngineConfig;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.RecordHandler;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import io.evenkeel.kafka.failure.FailureLog;
import io.micrometer.observation.ObservationRegistry;
import org.apache.kafka.clients.CommonClientConfigs;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.adapter.KafkaBackoffAwareMessageListenerAdapter;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConsumerSeekAware;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.support.converter.ConversionException;
import org.springframework.kafka.support.serializer.DeserializationException;
import org.springframework.messaging.converter.MessageConversionException;
import org.springframework.messaging.handler.invocation.MethodArgumentResolutionException;

/**
 * Puts an engine together for one start of a container.
 */
final class EngineAssembly<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(EngineAssembly.class);

	/** What spring-kafka does not retry either. */
	private static final Set<Class<? extends Throwable>> FATAL = Set.of(DeserializationException.class,
			MessageConversionException.class, ConversionException.class, MethodArgumentResolutionException.class,
			NoSuchMethodException.class, ClassCastException.class,
			org.apache.kafka.common.errors.RecordDeserializationException.class);

	private static final Duration UNACKNOWLEDGED = Duration.ofMinutes(1);

	private final EvenkeelContainer<K, V> container;

	private final ContainerSupport support;

	private final ContainerEvents events;

	private final RunState state;

	private @Nullable Recoverer<K, V> recoverer;

	private @Nullable ListenerInspection inspection;

	private @Nullable EngineSettings settings;

	private @Nullable PollMonitor monitor;

	private @Nullable HandlerSettings handler;

	EngineAssembly(EvenkeelContainer<K, V> container, ContainerSupport support, ContainerEvents events,
			RunState state) {
		this.container = container;
		this.support = support;
		this.events = events;
		this.state = state;
	}

	ConsumerEngine<K, V> assemble(ConsumerFactory<K, V> factory, java.util.Properties overrides) {
		ContainerProperties properties = this.container.getContainerProperties();
		ContainerSettings settings = this.support.settings().apply(this.container.settingsId());
		ListenerTarget target = new ListenerTarget(java.util.Objects.requireNonNull(properties.getMessageListener()));
		AcknowledgmentMode mode = mode(settings, target);
		ListenerInspection inspected = inspect(factory, overrides, settings, target);
		EngineSettings engineSettings = java.util.Objects.requireNonNull(this.settings);
		CallTimer timer = MicrometerCallTimer.create(this.container.context(), this.container.memberId(), properties);
		AssignmentBeansTable table = AssignmentBeansTable.create(this.container.getListenerId(),
				this.container.context());
		ObservationRegistry observations = observations(properties);
		ListenerCalls<K, V> calls = new ListenerCalls<>(this.container, target, observations, timer,
				(table != null) ? table.scope() : null,
				observations.isNoop() ? ClusterId.unknown() : ClusterId.of(this.container, inspected.servers()));
		Transactions transactions = Transactions.of(properties, new CommitFailures(this.support.sends()));
		EngineObserver listener = this.support.meters().start(this.container);
		Recoverer<K, V> recovery = recoverer(settings, calls, listener);
		this.recoverer = recovery;
		EngineHolder<K, V> holder = new EngineHolder<>();
		SeekCallback<K, V> seeks = new SeekCallback<>(holder::engine, this.container.getGroupId());
		RetryPlanner planner = new RetryPlanner(settings.retry(), (failure) -> notRetryable(settings, failure),
				() -> ThreadLocalRandom.current().nextDouble());
		ContainerCallbacks<K, V> callbacks = new ContainerCallbacks<>(this.container, this.events, this.state,
				seekAware(target), seeks, calls, table,
				(transactions != null && transactions.carryOffsets()) ? transactions : null,
				inspected.commitsInitialPosition(), recovery, mode.isManual() ? unacknowledged(engineSettings) : null);
		ConsumerEngine<K, V> engine = new ConsumerEngine<>(
				new EngineConfig<>(this.container.getListenerId(), engineSettings,
						scoped(handler(calls, target, mode, recovery, timer, transactions, listener), table), planner,
						new ContainerLifecycle<>(this.container, factory, overrides, this.events, this.state,
								inspected.hasGroup(), seeks, callbacks),
						callbacks, listener, this.container,
						new WorkerThreads(this.container, seekAware(target), seeks), settings.restartInitial(),
						settings.restartMax(), this.support.clock()));
		holder.engine = engine;
		org.apache.kafka.clients.consumer.Consumer<K, V> proxy = ConsumerProxy.create(engine, this.container,
				mode.isManual());
		calls.consumer(proxy);
		this.monitor = new PollMonitor(this.container, () -> {
			PollMonitor known = this.monitor;
			this.events.silent((known != null) ? known.sinceLastPoll() : 0, proxy);
		});
		return engine;
	}

	/** Refuse what cannot work; nothing is made. */
	void check(ConsumerFactory<K, V> factory, java.util.Properties overrides) {
		ContainerProperties properties = this.container.getContainerProperties();
		inspect(factory, overrides, this.support.settings().apply(this.container.settingsId()),
				new ListenerTarget(java.util.Objects.requireNonNull(properties.getMessageListener())));
	}

	private ListenerInspection inspect(ConsumerFactory<K, V> factory, java.util.Properties overrides,
			ContainerSettings settings, ListenerTarget target) {
		ListenerInspection inspected = new ListenerInspection(this.container, factory, overrides);
		inspected.check(settings, target);
		ContainerRefusals.check(this.container.getListenerId(), this.container, target);
		this.inspection = inspected;
		this.handler = settings.handler();
		this.settings = inspected.settings(settings, target, mode(settings, target), this.container.getConcurrency());
		inspected.tell(this.container, settings, target);
		return inspected;
	}

	private AcknowledgmentMode mode(ContainerSettings settings, ListenerTarget target) {
		return AcknowledgmentMode.of(this.container.getContainerProperties(), target,
				this.container.getCommonErrorHandler(), settings.ordering());
	}

	RuntimeException refused(RuntimeException failure) {
		return (this.inspection != null) ? this.inspection.refused(failure) : failure;
	}

	private RecordHandler<K, V> handler(ListenerCalls<K, V> calls, ListenerTarget target, AcknowledgmentMode mode,
			Recoverer<K, V> recovery, CallTimer timer, @Nullable Transactions transactions, EngineObserver listener) {
		CommonErrorHandler errors = this.container.getCommonErrorHandler();
		if (errors != null && !isOfARetryTopic() && this.container.announcements().first(errors)) {
			logger.info("{}: {} takes the place of evenkeel.kafka.consumer.retry.* and .recovery.*",
					this.container.getListenerId(), errors.getClass().getName());
		}
		UserErrorHandling<K, V> userErrors = (errors != null && !target.isBatch())
				? new UserErrorHandling<>(errors, calls, this.container, listener, mode) : null;
		// A user's error handler for batches is asked when the transaction was rolled
		// back.
		boolean around = transactions != null && !transactions.carryOffsets() && errors != null && target.isBatch();
		TransactionalCalls<K, V> transactional = (transactions != null && !around)
				? new TransactionalCalls<>(this.container, transactions, recovery,
						rollbacks(transactions, calls, target, recovery, listener), userErrors, mode)
				: null;
		if (target.isBatch()) {
			UserBatchErrors<K, V> batchErrors = (errors != null)
					? new UserBatchErrors<>(errors, calls, this.container, listener, mode, recovery) : null;
			return new BatchCalls<>(this.container, calls, target, mode,
					recoveries(transactional, batchErrors, recovery), timer, batchErrors, transactional,
					(transactions != null) ? transactions::run : null);
		}
		return new RecordCalls<>(this.container.getListenerId(), calls, mode,
				recoveries(transactional, userErrors, recovery), userErrors, transactional);
	}

	/** What is around the settings' recovery takes its place. */
	private Recoveries<K, V> recoveries(@Nullable TransactionalCalls<K, V> transactional,
			@Nullable RecoveryWay<K, V> userErrors, Recoverer<K, V> recovery) {
		RecoveryWay<K, V> way = (userErrors != null) ? userErrors : recovery;
		return new Recoveries<>((transactional != null) ? transactional : way, recovery);
	}

	/** Its error handler belongs to the retry topics, not to the user. */
	private boolean isOfARetryTopic() {
		return this.container.getContainerProperties()
			.getMessageListener() instanceof KafkaBackoffAwareMessageListenerAdapter<?, ?>;
	}

	/** What a hand-over would not wait for is worth a warning. */
	private UnacknowledgedWatch unacknowledged(EngineSettings settings) {
		Duration after = (settings.drainTimeout().compareTo(UNACKNOWLEDGED) < 0) ? settings.drainTimeout()
				: UNACKNOWLEDGED;
		return new UnacknowledgedWatch(this.container.getListenerId(), after);
	}

	private @Nullable Rollbacks<K, V> rollbacks(Transactions transactions, ListenerCalls<K, V> calls,
			ListenerTarget target, Recoverer<K, V> recovery, EngineObserver listener) {
		AfterRollbackProcessor<K, V> processor = this.container.userRollbackProcessor();
		return (processor != null)
				? new Rollbacks<>(processor, transactions, calls, this.container, listener, recovery, target.isBatch())
				: null;
	}

	private RecordHandler<K, V> scoped(RecordHandler<K, V> handler, @Nullable AssignmentBeansTable table) {
		return (table != null) ? new ScopedHandler<>(handler, table) : handler;
	}

	private Recoverer<K, V> recoverer(ContainerSettings settings, ListenerCalls<K, V> calls, EngineObserver listener) {
		return new Recoverer<>(this.container.getListenerId(), settings.onExhausted(),
				this.support.recoverer().apply(settings.topicSuffix()), settings.createTopics(), calls, listener,
				new FailureLog(this.container.getListenerId(), settings.retry().maxAttempts(),
						settings.handler().exceptionMessages()));
	}

	private static boolean notRetryable(ContainerSettings settings, Throwable failure) {
		return FATAL.stream().anyMatch((type) -> type.isInstance(failure))
				|| settings.notRetryable().stream().anyMatch((type) -> type.isInstance(failure));
	}

	private ObservationRegistry observations(ContainerProperties properties) {
		ObservationRegistry registry = properties.getObservationRegistry();
		ApplicationContext context = this.container.context();
		if (!properties.isObservationEnabled()) {
			return ObservationRegistry.NOOP;
		}
		if (registry.isNoop() && context != null) {
			return context.getBeanProvider(ObservationRegistry.class).getIfUnique(() -> registry);
		}
		return registry;
	}

	private @Nullable ConsumerSeekAware seekAware(ListenerTarget target) {
		return (target.listener() instanceof ConsumerSeekAware aware) ? aware : null;
	}

	@Nullable PollMonitor monitor() {
		return this.monitor;
	}

	@Nullable Recoverer<K, V> recoverer() {
		return this.recoverer;
	}

	/** What is said of the listener when it starts. */
	String startLine() {
		ListenerInspection inspected = java.util.Objects.requireNonNull(this.inspection);
		return new StartLine(this.container, this.support.settings().apply(this.container.settingsId()),
				java.util.Objects.requireNonNull(this.settings), inspected.config())
			.text();
	}

	String groupProtocol() {
		return (this.inspection != null) ? this.inspection.groupProtocol() : "classic";
	}

	@Nullable HandlerSettings handler() {
		return this.handler;
	}

	Collection<String> servers() {
		return (this.inspection != null)
				? StartLine.servers(this.inspection.config().get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG))
				: List.of();
	}

	@Nullable EngineSettings settings() {
		return this.settings;
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

}
