package io.evenkeel.kafka.container;

import java.util.Properties;
import java.util.function.Predicate;

import io.evenkeel.kafka.container.failure.SendFailures;
import io.evenkeel.kafka.container.life.OwnerReport;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.container.rebalance.PartitionEvents;
import io.evenkeel.kafka.container.setup.EngineAssembly;
import io.evenkeel.kafka.container.setup.GroupOrigin;
import io.evenkeel.kafka.container.setup.ListenerSetup;
import io.evenkeel.kafka.container.setup.StartNotices;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.PauseRequests;
import io.evenkeel.kafka.engine.StopCause;
import io.evenkeel.kafka.thread.NanoClock;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.RecordInterceptor;

/**
 * The container as those see it who put its engine together.
 */
final class ContainerParts<K, V> implements ListenerSetup<K, V> {

	private static final PartitionEvents PARTITION_EVENTS = new PartitionEvents(PartitionsAssignedEvent::new,
			PartitionsRevokedEvent::new, PartitionsLostEvent::new);

	private final EvenkeelContainer<K, V> container;

	private final ContainerDependencies support;

	private final ContainerEvents events;

	private final StartNotices notices;

	private volatile Predicate<Object> firstTime = (subject) -> true;

	private volatile GroupOrigin groupOrigin = GroupOrigin.UNKNOWN;

	ContainerParts(EvenkeelContainer<K, V> container, ContainerDependencies support, StartNotices notices) {
		this.container = container;
		this.support = support;
		this.events = new ContainerEvents(container.context);
		this.notices = notices;
	}

	/** Who makes the container says what is said once for all that share it. */
	void madeBy(Predicate<Object> shared, GroupOrigin origin) {
		this.firstTime = shared;
		this.groupOrigin = origin;
	}

	EngineAssembly<K, V> assembly(ConsumerFactory<K, V> factory, Properties overrides) {
		return new EngineAssembly<>(this, factory, overrides);
	}

	void metersLeave() {
		this.support.meters().stopped(this.container);
	}

	void destroyed() {
		this.support.meters().destroyed(this.container);
	}

	@Override
	public ListenerContext context() {
		return this.container.context;
	}

	@Override
	public ContainerSettings settings() {
		return this.support.settings().apply(this.container.settingsId());
	}

	@Override
	public int concurrency() {
		return this.container.getConcurrency();
	}

	@Override
	public GroupOrigin groupOrigin() {
		return this.groupOrigin;
	}

	@Override
	public StartNotices notices() {
		return this.notices;
	}

	@Override
	public boolean isFirstTime(Object subject) {
		return this.firstTime.test(subject);
	}

	@Override
	public @Nullable RecordInterceptor<K, V> recordInterceptor() {
		return this.container.getRecordInterceptor();
	}

	@Override
	public @Nullable BatchInterceptor<K, V> batchInterceptor() {
		return this.container.getBatchInterceptor();
	}

	@Override
	public boolean interceptsBeforeTransaction() {
		return this.container.interceptsBeforeTransaction();
	}

	@Override
	public @Nullable AfterRollbackProcessor<K, V> rollbackProcessor() {
		return this.container.userRollbackProcessor();
	}

	@Override
	public @Nullable KafkaAdmin admin() {
		return this.container.getKafkaAdmin();
	}

	@Override
	public String clientId() {
		return this.container.current.clientId();
	}

	@Override
	public String clientIdSuffix() {
		return this.container.clientIdSuffix();
	}

	@Override
	public PauseRequests pauses() {
		return this.container;
	}

	@Override
	public boolean hasPartitionPauses() {
		return this.container.hasPartitionPauses();
	}

	@Override
	public ContainerEvents events() {
		return this.events;
	}

	@Override
	public PartitionEvents partitionEvents() {
		return PARTITION_EVENTS;
	}

	@Override
	public OwnerReport state() {
		return this.container.state;
	}

	@Override
	public EngineObserver meters() {
		return this.support.meters().start(this.container);
	}

	@Override
	public ConsumerRecordRecoverer recoverer(String suffix) {
		return this.support.recoverer().apply(suffix);
	}

	@Override
	public SendFailures sends() {
		return this.support.sends();
	}

	@Override
	public NanoClock clock() {
		return this.support.clock();
	}

	@Override
	public void ended(StopCause cause, @Nullable Throwable why) {
		this.container.engineStopped(cause, why);
	}

}
