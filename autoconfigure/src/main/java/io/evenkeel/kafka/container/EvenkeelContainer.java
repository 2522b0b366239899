package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.config.ClientRefusal;
import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.engine.PauseRequests;
import io.evenkeel.kafka.engine.RebalanceLog;
import io.evenkeel.kafka.engine.StopCause;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.event.ConsumerStoppedEvent;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * The container of one listener: one member of the group, one owner thread that polls,
 * and workers that handle records within the listener's concurrency. It is a
 * {@link ConcurrentMessageListenerContainer} because retry topics, Boot's configurer and
 * container customizers ask for that type; it has no child containers, so everything that
 * would walk them is overridden.
 *
 * <h2>Threading</h2> The life cycle runs under spring-kafka's life-cycle lock, which the
 * owner thread takes only after its last turn. Everything else may be called from any
 * thread: requests are volatile and read by the owner each turn, answers come from its
 * snapshots.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public class EvenkeelContainer<K, V> extends ConcurrentMessageListenerContainer<K, V> implements PauseRequests {

	private static final Duration STOP_RESERVE = Duration.ofSeconds(1);

	private final ContainerSupport support;

	private final ContainerEvents events = new ContainerEvents(this);

	private volatile Announcements announcements = new Announcements();

	private final Set<TopicPartition> pausedPartitions = ConcurrentHashMap.newKeySet();

	private volatile @Nullable ConsumerEngine<K, V> engine;

	private volatile @Nullable EngineAssembly<K, V> assembly;

	private volatile @Nullable Runnable afterStop;

	private volatile boolean paused;

	private volatile boolean alwaysSuffix = true;

	private volatile boolean userRollbacks;

	private volatile Collection<TopicPartition> assigned = List.of();

	private volatile @Nullable Failure failure;

	private volatile @Nullable Throwable restartCause;

	private volatile @Nullable Integer concurrencyOverride;

	private volatile long startedNanos;

	/** Nobody waits for the stop that is being asked for. Under the life-cycle lock. */
	private boolean stopsAlone;

	private volatile @Nullable String warned;

	/**
	 * Make a container.
	 * @param consumerFactory makes its consumers
	 * @param containerProperties topics and settings; copied
	 * @param support what it needs of the application
	 */
	public EvenkeelContainer(@Nullable ConsumerFactory<? super K, ? super V> consumerFactory,
			ContainerProperties containerProperties, ContainerSupport support) {
		super(consumerFactory, containerProperties);
		this.support = support;
	}

	@Override
	public void checkGroupId() {
		ContainerProperties properties = getContainerProperties();
		if (properties.getTopicPartitions() != null) {
			return;
		}
		String groupId = getGroupId();
		if (groupId == null || groupId.isBlank()) {
			throw new InvalidSettingException(Setting.property("spring.kafka.consumer.group-id", null),
					"listener '" + getListenerId() + "' has no group id, and a listener that subscribes to topics "
							+ "cannot do without",
					"Write spring.kafka.consumer.group-id=<name of your application>, or "
							+ "@KafkaListener(groupId = \"...\"), or give the listener an id.");
		}
	}

	/**
	 * Refuse what cannot work, started or not. A container that has no listener yet is
	 * not looked at: it is not ready.
	 * @throws InvalidSettingException says what is wrong
	 */
	public void check() {
		if (isRunning() || getContainerProperties().getMessageListener() == null) {
			return;
		}
		checkGroupId();
		EngineAssembly<K, V> checked = new EngineAssembly<>(this, this.support, this.events);
		checked.check(this.consumerFactory, propertiesFromConsumerPropertyOverrides());
		if (this.engine == null) {
			this.assembly = checked;
		}
	}

	/** Say something of this listener, once. */
	void warn(@Nullable String warning) {
		if (warning != null && !warning.equals(this.warned)) {
			this.warned = warning;
			this.logger.warn(() -> getListenerId() + ": " + warning);
		}
	}

	@Override
	public void setConcurrency(int concurrency) {
		if (concurrency < 1) {
			throw ListenerInspection.concurrency(String.valueOf(getBeanName()), concurrency);
		}
		super.setConcurrency(concurrency);
	}

	@Override
	protected void doStart() {
		if (isRunning()) {
			return;
		}
		checkTopics();
		this.failure = null;
		this.restartCause = null;
		EngineAssembly<K, V> assembled = new EngineAssembly<>(this, this.support, this.events);
		ConsumerEngine<K, V> started = assembled.assemble(this.consumerFactory,
				propertiesFromConsumerPropertyOverrides());
		Integer override = this.concurrencyOverride;
		if (override != null) {
			started.limit(override);
		}
		prepare(assembled, started);
		this.assembly = assembled;
		this.engine = started;
		giveStopsTime(java.util.Objects.requireNonNull(assembled.settings()));
		setRunning(true);
		setStoppedNormally(true);
		Thread owner = new Thread(started, ownerName());
		owner.setUncaughtExceptionHandler((thread, ex) -> this.logger.error(ex,
				"The owner thread of " + getListenerId() + " ended with an error"));
		this.startedNanos = System.nanoTime();
		this.events.starting();
		if (getContainerProperties().isLogContainerConfig()) {
			this.logger.info(() -> getListenerId() + ": " + getContainerProperties());
		}
		owner.start();
		PollMonitor monitor = assembled.monitor();
		if (monitor != null) {
			monitor.start();
		}
	}

	/**
	 * The first consumer is made here, where the caller hears of a configuration that the
	 * client refuses.
	 */
	private void prepare(EngineAssembly<K, V> assembled, ConsumerEngine<K, V> started) {
		try {
			started.prepare();
		}
		catch (RuntimeException ex) {
			if (ClientRefusal.isFinal(ex)) {
				this.support.meters().stopped(this);
				this.failure = new Failure(StopCause.ERROR, ex);
				throw assembled.refused(ex);
			}
			this.logger.warn(ex, () -> getListenerId() + ": no consumer could be made yet; it is tried again");
		}
	}

	private String ownerName() {
		return isChangeConsumerThreadName() ? getThreadNameSupplier().apply(this) : getListenerId() + "-owner";
	}

	@Override
	protected void doStop(Runnable callback, boolean normal) {
		ConsumerEngine<K, V> running = this.engine;
		if (!isRunning() || running == null) {
			callback.run();
			return;
		}
		setRunning(false);
		setStoppedNormally(normal);
		this.afterStop = callback;
		EngineSettings settings = settings();
		Duration drainTimeout = (settings != null) ? settings.drainTimeout() : Duration.ZERO;
		running.stop((this.stopsAlone || !normal) ? drainTimeout : stopBudget(drainTimeout));
	}

	@Override
	public void stop(Runnable callback) {
		this.lifecycleLock.lock();
		try {
			this.stopsAlone = true;
			super.stop(callback);
		}
		finally {
			this.stopsAlone = false;
			this.lifecycleLock.unlock();
		}
	}

	/**
	 * The caller of {@link #stop()} waits for the whole drain and the last commit, unless
	 * the application says for how long it wants to wait.
	 */
	private void giveStopsTime(EngineSettings settings) {
		if (getContainerProperties().getShutdownTimeout() == ContainerProperties.DEFAULT_SHUTDOWN_TIMEOUT) {
			getContainerProperties().setShutdownTimeout(
					settings.drainTimeout().plus(settings.commitTimeout()).plus(STOP_RESERVE).toMillis());
		}
	}

	/** The drain must be over before the caller of {@link #stop()} gives up waiting. */
	private Duration stopBudget(Duration drainTimeout) {
		Duration patience = Duration.ofMillis(getContainerProperties().getShutdownTimeout());
		Duration most = patience.compareTo(STOP_RESERVE.multipliedBy(2)) > 0 ? patience.minus(STOP_RESERVE)
				: patience.dividedBy(2);
		return (drainTimeout.compareTo(most) < 0) ? drainTimeout : most;
	}

	/** The engine has ended, for whatever reason. Owner thread, its last act. */
	void engineStopped(StopCause cause, @Nullable Throwable why) {
		this.assigned = List.of();
		EngineAssembly<K, V> ended = this.assembly;
		PollMonitor monitor = (ended != null) ? ended.monitor() : null;
		if (monitor != null) {
			monitor.stop();
		}
		boolean asked = cause == StopCause.REQUESTED;
		if (!asked) {
			this.failure = new Failure(cause, why);
		}
		Runnable callback;
		boolean byItself;
		this.lifecycleLock.lock();
		try {
			byItself = isRunning();
			setRunning(false);
			if (!asked) {
				setStoppedNormally(false);
			}
			callback = this.afterStop;
			this.afterStop = null;
		}
		finally {
			this.lifecycleLock.unlock();
		}
		this.support.meters().stopped(this);
		this.events.stopped(reason(cause));
		if (byItself) {
			this.events.containerStopped();
		}
		if (callback != null) {
			callback.run();
		}
		if (cause == StopCause.AUTH && getContainerProperties().isRestartAfterAuthExceptions()) {
			// Not on this thread: it is about to end.
			new Thread(this::start, getListenerId() + "-restart").start();
		}
	}

	private ConsumerStoppedEvent.Reason reason(StopCause cause) {
		return switch (cause) {
			case REQUESTED ->
				isStoppedNormally() ? ConsumerStoppedEvent.Reason.NORMAL : ConsumerStoppedEvent.Reason.ABNORMAL;
			case RECOVERY -> ConsumerStoppedEvent.Reason.ABNORMAL;
			case AUTH -> ConsumerStoppedEvent.Reason.AUTH;
			case FENCED -> ConsumerStoppedEvent.Reason.FENCED;
			case NO_OFFSET -> ConsumerStoppedEvent.Reason.NO_OFFSET;
			case ERROR -> ConsumerStoppedEvent.Reason.ERROR;
		};
	}

	void consumerStarted() {
		this.events.started();
	}

	void restarting(Throwable cause) {
		this.assigned = List.of();
		this.restartCause = cause;
	}

	void assignmentChanged(Consumer<K, V> consumer) {
		this.restartCause = null;
		// The callback is inside the change: what the engine holds is what counts.
		this.assigned = List.copyOf(consumer.assignment());
	}

	void paused(boolean paused) {
		this.paused = paused;
	}

	@Override
	public Collection<TopicPartition> getAssignedPartitions() {
		ConsumerEngine<K, V> current = this.engine;
		if (current == null || !isRunning()) {
			return this.assigned;
		}
		List<EngineSnapshot.Partition> partitions = current.snapshot().partitions();
		return partitions.stream().map(EngineSnapshot.Partition::partition).toList();
	}

	long position(TopicPartition partition) {
		return snapshot().partitions()
			.stream()
			.filter((candidate) -> candidate.partition().equals(partition))
			.mapToLong(EngineSnapshot.Partition::position)
			.findFirst()
			.orElse(-1);
	}

	@Override
	public Map<String, Collection<TopicPartition>> getAssignmentsByClientId() {
		String clientId = getContainerProperties().getClientId();
		return Map.of(((clientId != null) ? clientId : getListenerId()) + clientIdSuffix(), getAssignedPartitions());
	}

	@Override
	public Map<String, Map<MetricName, ? extends Metric>> metrics() {
		ConsumerEngine<K, V> current = this.engine;
		if (current == null || !isRunning()) {
			return Map.of();
		}
		try {
			Map<MetricName, ? extends Metric> metrics = current.execute((consumer) -> consumer.metrics())
				.get(1, TimeUnit.SECONDS);
			return Map.of(clientId(metrics), metrics);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return Map.of();
		}
		catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException ex) {
			return Map.of();
		}
	}

	private String clientId(Map<MetricName, ? extends Metric> metrics) {
		return metrics.keySet()
			.stream()
			.map((name) -> name.tags().get("client-id"))
			.filter(java.util.Objects::nonNull)
			.findFirst()
			.orElse(getListenerId());
	}

	@Override
	public List<KafkaMessageListenerContainer<K, V>> getContainers() {
		return List.of();
	}

	@Override
	public MessageListenerContainer getContainerFor(String topic, int partition) {
		return this;
	}

	@Override
	public boolean isChildRunning() {
		return isRunning();
	}

	@Override
	public boolean isContainerPaused() {
		return isPauseRequested() && this.paused;
	}

	@Override
	public void pausePartition(TopicPartition topicPartition) {
		this.pausedPartitions.add(topicPartition);
	}

	@Override
	public void resumePartition(TopicPartition topicPartition) {
		this.pausedPartitions.remove(topicPartition);
	}

	@Override
	public boolean isPartitionPauseRequested(TopicPartition topicPartition) {
		return this.pausedPartitions.contains(topicPartition);
	}

	@Override
	public boolean isPartitionPaused(TopicPartition topicPartition) {
		return snapshot().partitions()
			.stream()
			.anyMatch((candidate) -> candidate.partition().equals(topicPartition) && candidate.userPaused());
	}

	boolean hasPartitionPauses() {
		return !this.pausedPartitions.isEmpty();
	}

	@Override
	public boolean all() {
		return isPauseRequested();
	}

	@Override
	public boolean partition(TopicPartition partition) {
		return this.pausedPartitions.contains(partition);
	}

	@Override
	public boolean isInExpectedState() {
		return isRunning() || isStoppedNormally();
	}

	@Override
	public void enforceRebalance() {
		ConsumerEngine<K, V> current = this.engine;
		if (current != null) {
			current.onOwner((consumer) -> consumer.enforceRebalance("Enforced by the application"));
		}
	}

	@Override
	public void setAfterRollbackProcessor(AfterRollbackProcessor<? super K, ? super V> afterRollbackProcessor) {
		super.setAfterRollbackProcessor(afterRollbackProcessor);
		this.userRollbacks = true;
	}

	/** What is said once for all containers that share it. */
	void announcements(Announcements shared) {
		this.announcements = shared;
	}

	Announcements announcements() {
		return this.announcements;
	}

	boolean interceptsBeforeTransaction() {
		return isInterceptBeforeTx();
	}

	/** What the user set; null when there is only spring-kafka's default. */
	@SuppressWarnings("unchecked")
	@Nullable AfterRollbackProcessor<K, V> userRollbackProcessor() {
		return this.userRollbacks ? (AfterRollbackProcessor<K, V>) getAfterRollbackProcessor() : null;
	}

	@Override
	public void childStarted(MessageListenerContainer child) {
		// There are no children.
	}

	@Override
	public void childStopped(MessageListenerContainer child, ConsumerStoppedEvent.Reason reason) {
		// There are no children.
	}

	@Override
	public void setAlwaysClientIdSuffix(boolean alwaysClientIdSuffix) {
		super.setAlwaysClientIdSuffix(alwaysClientIdSuffix);
		this.alwaysSuffix = alwaysClientIdSuffix;
	}

	String clientIdSuffix() {
		return this.alwaysSuffix ? "-0" : "";
	}

	/**
	 * Change the most handler calls at once while the container runs; it stays so until
	 * the application ends.
	 * @param limit 1 to 10,000
	 */
	public void changeConcurrency(int limit) {
		if (limit < 1 || limit > 10_000) {
			throw new IllegalArgumentException("concurrency must be between 1 and 10000, not " + limit);
		}
		this.concurrencyOverride = limit;
		ConsumerEngine<K, V> current = this.engine;
		if (current != null) {
			current.limit(limit);
		}
	}

	/**
	 * The most handler calls at once.
	 * @return of the next start while it is stopped
	 */
	public int concurrencyLimit() {
		ConsumerEngine<K, V> current = this.engine;
		if (current != null && isRunning()) {
			return current.limit();
		}
		Integer override = this.concurrencyOverride;
		EngineSettings settings = settings();
		if (override != null) {
			return override;
		}
		return (settings != null) ? settings.concurrency() : getConcurrency();
	}

	/**
	 * What the engine looked like at the end of a recent turn.
	 * @return empty while the container is stopped
	 */
	public EngineSnapshot snapshot() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null) ? current.snapshot() : new EngineSnapshot(0, "", 0, 0, 0, List.of());
	}

	/**
	 * The last rebalances of the last start.
	 * @return at most 50, oldest first
	 */
	public List<RebalanceLog.Entry> rebalances() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null) ? current.rebalances().entries() : List.of();
	}

	/**
	 * Whether a rebalance callback is running.
	 * @return true inside one
	 */
	public boolean isRebalancing() {
		ConsumerEngine<K, V> current = this.engine;
		return current != null && current.isRebalancing();
	}

	/**
	 * When the owner's last poll returned.
	 * @return {@link System#nanoTime()}, 0 before the first
	 */
	public long lastPollNanos() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null) ? current.lastPollNanos() : 0;
	}

	/**
	 * When the owner was last seen at work: its last poll, or its start.
	 * @return {@link System#nanoTime()}, 0 before the first start
	 */
	public long lastActivityNanos() {
		return (lastPollNanos() != 0) ? lastPollNanos() : this.startedNanos;
	}

	/**
	 * Why the container stopped by itself.
	 * @return null when it runs or was stopped on request
	 */
	public @Nullable Failure failure() {
		return this.failure;
	}

	/**
	 * Why the consumer is being replaced just now.
	 * @return null when it is not
	 */
	public @Nullable Throwable restartCause() {
		return this.restartCause;
	}

	/**
	 * Since when recoveries of this listener have been failing.
	 * @return {@link System#nanoTime()}, 0 when they do not
	 */
	public long recoveryFailingSince() {
		EngineAssembly<K, V> current = this.assembly;
		Recoverer<K, V> recoverer = (current != null) ? current.recoverer() : null;
		return (recoverer != null) ? recoverer.failingSince() : 0;
	}

	/**
	 * The group protocol in use.
	 * @return {@code classic} or {@code consumer}
	 */
	public String groupProtocol() {
		EngineAssembly<K, V> current = this.assembly;
		return (current != null) ? current.groupProtocol() : "classic";
	}

	/**
	 * The settings of the engine.
	 * @return those of the next start while it is stopped; null while nothing is known
	 */
	public @Nullable EngineSettings settings() {
		EngineAssembly<K, V> current = this.assembly;
		return (current != null) ? current.settings() : null;
	}

	/**
	 * The id under which {@code evenkeel.kafka.consumer.listeners} knows this container.
	 */
	String settingsId() {
		String main = getMainListenerId();
		return (main != null) ? main : getListenerId();
	}

	@Nullable ApplicationContext context() {
		return getApplicationContext();
	}

	@Override
	public String toString() {
		return "EvenkeelContainer [id=" + getListenerId() + ", groupId=" + getGroupId() + ", running=" + isRunning()
				+ "]";
	}

	/**
	 * Why a container stopped by itself.
	 *
	 * @param cause the kind of reason
	 * @param failure what led to it, null when unknown
	 */
	public record Failure(StopCause cause, @Nullable Throwable failure) {
	}

}
