package io.evenkeel.kafka.container;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.container.life.ContainerLife;
import io.evenkeel.kafka.container.life.EngineEnds;
import io.evenkeel.kafka.container.life.ListenerRun;
import io.evenkeel.kafka.container.setup.ContainerRefusals;
import io.evenkeel.kafka.container.setup.EngineAssembly;
import io.evenkeel.kafka.container.setup.GroupOrigin;
import io.evenkeel.kafka.container.setup.ListenerInspection;
import io.evenkeel.kafka.container.setup.StartNotices;
import io.evenkeel.kafka.engine.PauseRequests;
import io.evenkeel.kafka.engine.StopCause;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.event.ConsumerStoppedEvent;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.TopicPartitionOffset;

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
public class EvenkeelContainer<K, V> extends ReportingContainer<K, V> implements PauseRequests {

	private final ContainerParts<K, V> parts;

	private final ContainerLife<K, V> life;

	private final Set<TopicPartition> pausedPartitions = ConcurrentHashMap.newKeySet();

	/** Rises after each change of {@link #pausedPartitions}. */
	private final AtomicLong pauseChanges = new AtomicLong();

	private volatile boolean alwaysSuffix = true;

	private volatile boolean userRollbacks;

	private final StartNotices notices = new StartNotices(this.context, this.logger);

	private volatile boolean inPlaceOfTheirs;

	/**
	 * For those who walk the children by reflection, as spring-kafka's test utilities do
	 * to wait for an assignment.
	 */
	@SuppressWarnings({ "FieldCanBeLocal", "HidingField", "unused" })
	private final List<MessageListenerContainer> containers = List.of(this);

	private volatile @Nullable MemberContainer<K, V> member;

	/**
	 * Make a container.
	 * @param consumerFactory makes its consumers
	 * @param containerProperties topics and settings; copied
	 * @param support what it needs of the application
	 */
	public EvenkeelContainer(@Nullable ConsumerFactory<? super K, ? super V> consumerFactory,
			ContainerProperties containerProperties, ContainerDependencies support) {
		super(consumerFactory, containerProperties);
		this.parts = new ContainerParts<>(this, support, this.notices);
		this.life = new ContainerLife<>(
				new Host(), this.context, this.lifecycleLock, this.current, new EngineEnds<>(this.context,
						this.parts::metersLeave, this.parts.events(), this.state, this.logger, support.clock()),
				this.logger);
	}

	@Override
	public void checkGroupId() {
		ContainerRefusals.checkGroup(getListenerId(), getGroupId(), getContainerProperties());
	}

	/**
	 * Refuse what cannot work, started or not. A container that has no listener yet is
	 * not looked at: it is not ready. One that takes the place of spring-kafka's and does
	 * not start with the application is told of only, as there.
	 * @throws InvalidSettingException says what is wrong
	 */
	public void check() {
		if (isRunning() || getContainerProperties().getMessageListener() == null) {
			return;
		}
		try {
			checkNow();
		}
		catch (InvalidSettingException ex) {
			if (isAutoStartup() || !this.inPlaceOfTheirs) {
				throw ex;
			}
			this.notices.warn("it cannot start as it is configured: " + ex.getMessage() + ". " + ex.getAction());
		}
	}

	private void checkNow() {
		checkGroupId();
		this.current.checked(assembly().check());
	}

	@Override
	public void destroy() {
		super.destroy();
		this.parts.destroyed();
	}

	private EngineAssembly<K, V> assembly() {
		return this.parts.assembly(this.consumerFactory, propertiesFromConsumerPropertyOverrides());
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
		this.life.start();
	}

	@Override
	protected void doStop(Runnable callback, boolean normal) {
		this.life.stop(callback, normal);
	}

	@Override
	public void stop(Runnable callback) {
		this.life.stopAlone(callback, true);
	}

	@Override
	public void stopAbnormally(Runnable callback) {
		this.life.stopAlone(callback, false);
	}

	/** The application starts the child, which has been stopped by itself. */
	void startMember() {
		if (isRunning()) {
			this.lifecycleLock.lock();
			try {
				doStart();
			}
			finally {
				this.lifecycleLock.unlock();
			}
		}
		else {
			start();
		}
	}

	/** The application stops the child and not the container. */
	void stopMember(Runnable callback, boolean normal) {
		this.life.stopMember(callback, normal);
	}

	/** The engine has ended, for whatever reason. Owner thread, its last act. */
	void engineStopped(StopCause cause, @Nullable Throwable why) {
		this.life.ended(cause, why);
	}

	@Override
	public Collection<TopicPartition> getAssignedPartitions() {
		TopicPartitionOffset[] byHand = getContainerProperties().getTopicPartitions();
		if (byHand != null && isChildRunning()) {
			return Arrays.stream(byHand).map(TopicPartitionOffset::getTopicPartition).toList();
		}
		return this.state.assigned();
	}

	@Override
	public Map<String, Collection<TopicPartition>> getAssignmentsByClientId() {
		return Map.of(this.current.clientId(), getAssignedPartitions());
	}

	@Override
	public Map<String, Map<MetricName, ? extends Metric>> metrics() {
		return this.current.metrics();
	}

	@Override
	public List<KafkaMessageListenerContainer<K, V>> getContainers() {
		MemberContainer<K, V> known = this.member;
		return (known != null && isRunning()) ? List.of(known) : List.of();
	}

	@Override
	MessageListenerContainer source() {
		MemberContainer<K, V> known = this.member;
		return (known != null) ? known : this;
	}

	@Override
	public MessageListenerContainer getContainerFor(String topic, int partition) {
		return this;
	}

	@Override
	public boolean isChildRunning() {
		return isRunning() && !this.life.isMemberStopped();
	}

	@Override
	public boolean isContainerPaused() {
		return isPauseRequested() && this.state.isPaused();
	}

	@Override
	public void pausePartition(TopicPartition topicPartition) {
		this.pausedPartitions.add(topicPartition);
		this.pauseChanges.incrementAndGet();
	}

	@Override
	public void resumePartition(TopicPartition topicPartition) {
		this.pausedPartitions.remove(topicPartition);
		this.pauseChanges.incrementAndGet();
	}

	@Override
	public boolean isPartitionPauseRequested(TopicPartition topicPartition) {
		return this.pausedPartitions.contains(topicPartition);
	}

	@Override
	public boolean isPartitionPaused(TopicPartition topicPartition) {
		return snapshot().partitions()
			.stream()
			.anyMatch((known) -> known.partition().equals(topicPartition) && known.userPaused());
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
	public long changes() {
		return this.pauseChanges.get();
	}

	@Override
	public boolean isInExpectedState() {
		return isRunning() || isStoppedNormally();
	}

	@Override
	public void enforceRebalance() {
		this.current.enforceRebalance();
	}

	@Override
	public void setAfterRollbackProcessor(AfterRollbackProcessor<? super K, ? super V> afterRollbackProcessor) {
		super.setAfterRollbackProcessor(afterRollbackProcessor);
		this.userRollbacks = true;
	}

	/** Who makes the container says what is said once for all that share it. */
	void madeBy(Predicate<Object> firstTime, GroupOrigin origin, boolean adopted) {
		this.parts.madeBy(firstTime, origin);
		this.inPlaceOfTheirs = adopted;
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
	 * The id under which {@code evenkeel.kafka.consumer.listeners} knows this container.
	 */
	String settingsId() {
		String main = getMainListenerId();
		return (main != null) ? main : getListenerId();
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

	/** What the life of this container changes in it. */
	private final class Host implements ContainerLife.Host<K, V> {

		@Override
		public void look() {
			checkTopics();
		}

		@Override
		public ListenerRun<K, V> assemble() {
			EvenkeelContainer<K, V> outer = EvenkeelContainer.this;
			outer.member = (outer.consumerFactory != null) ? new MemberContainer<>(outer, outer.consumerFactory) : null;
			outer.state.preparing();
			return assembly().assemble();
		}

		@Override
		public void running(boolean running) {
			setRunning(running);
		}

		@Override
		public void stoppedNormally(boolean normally) {
			setStoppedNormally(normally);
		}

		@Override
		public boolean isStoppedNormally() {
			return EvenkeelContainer.this.isStoppedNormally();
		}

	}

}
