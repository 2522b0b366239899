package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Collection;
import java.util.List;

import io.evenkeel.kafka.engine.AssignedPartition;
import io.evenkeel.kafka.engine.EngineCallbacks;
import io.evenkeel.kafka.engine.EngineSettings;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;
import org.springframework.kafka.listener.ConsumerSeekAware;

/**
 * The application's side of a rebalance: its rebalance listener, its
 * {@link ConsumerSeekAware} listener, and the partition events. Owner thread. Each is
 * called for itself: one that fails does not keep the others from being told.
 */
final class ContainerCallbacks<K, V> implements EngineCallbacks<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(ContainerCallbacks.class);

	private static final Duration LOOK_AFTER = Duration.ofSeconds(1);

	private final EvenkeelContainer<K, V> container;

	private final ContainerEvents events;

	private final RunState state;

	private final ConsumerRebalanceListener user;

	private final @Nullable ConsumerSeekAware seekAware;

	private final SeekCallback<K, V> seeks;

	private final IdleWatch<K, V> idleWatch;

	private final PauseWatch<K, V> pauseWatch;

	private final PartitionIdleWatch<K, V> partitionIdleWatch;

	private final Recoverer<K, V> recoverer;

	private final @Nullable UnacknowledgedWatch unacknowledged;

	private long lastLook = System.nanoTime();

	private boolean polledOnce;

	private boolean registered;

	private final ListenerCalls<K, V> calls;

	private final @Nullable AssignmentBeansTable beans;

	private final @Nullable Transactions transactions;

	private final boolean commitsInitial;

	ContainerCallbacks(EvenkeelContainer<K, V> container, ContainerEvents events, RunState state,
			@Nullable ConsumerSeekAware seekAware, SeekCallback<K, V> seeks, ListenerCalls<K, V> calls,
			@Nullable AssignmentBeansTable beans, @Nullable Transactions transactions, boolean commitsInitial,
			Recoverer<K, V> recoverer, @Nullable UnacknowledgedWatch unacknowledged) {
		this.recoverer = recoverer;
		this.unacknowledged = unacknowledged;
		this.calls = calls;
		this.beans = beans;
		this.transactions = transactions;
		this.commitsInitial = commitsInitial;
		this.container = container;
		this.events = events;
		this.state = state;
		ConsumerRebalanceListener listener = container.getContainerProperties().getConsumerRebalanceListener();
		this.user = (listener != null) ? listener : new NoRebalanceListener();
		this.seekAware = seekAware;
		this.seeks = seeks;
		this.idleWatch = new IdleWatch<>(container, events, this::idle);
		this.pauseWatch = new PauseWatch<>(container, events, state);
		this.partitionIdleWatch = new PartitionIdleWatch<>(container, events, this::idle);
	}

	@Override
	public void assigned(Consumer<K, V> raw, Collection<AssignedPartition> assigned) {
		EngineSettings settings = this.container.settings();
		Duration most = (settings != null) ? settings.commitTimeout() : LOOK_AFTER;
		// The engine has had its part of the time.
		this.seeks.callback(most.dividedBy(4), () -> tell(raw, assigned));
	}

	private void tell(Consumer<K, V> raw, Collection<AssignedPartition> assigned) {
		List<TopicPartition> partitions = partitions(assigned);
		this.state.assigned(partitions);
		gone(partitions);
		if (this.transactions != null) {
			this.transactions.generation(raw);
			if (this.commitsInitial) {
				each("initial commit", () -> this.seeks.commitInitial(raw, partitions));
			}
		}
		Consumer<K, V> consumer = this.calls.consumer();
		if (this.seekAware != null) {
			each("ConsumerSeekAware", () -> seekAwareAssigned(partitions));
		}
		each("rebalance listener", () -> {
			if (this.user instanceof ConsumerAwareRebalanceListener aware) {
				aware.onPartitionsAssigned(consumer, partitions);
			}
			else {
				this.user.onPartitionsAssigned(partitions);
			}
		});
		CommonErrorHandler errors = this.container.getCommonErrorHandler();
		if (errors != null) {
			each("error handler", () -> errors.onPartitionsAssigned(consumer, partitions, () -> {
				// Nothing was paused on its behalf.
			}));
		}
		if (!assigned.isEmpty()) {
			this.events.publish(new PartitionsAssignedEvent(this.container, this.container.getListenerId(), assigned));
		}
	}

	private void seekAwareAssigned(List<TopicPartition> partitions) {
		ConsumerSeekAware aware = this.seekAware;
		if (aware == null) {
			return;
		}
		if (!this.registered) {
			this.registered = true;
			aware.registerSeekCallback(this.seeks);
		}
		aware.onPartitionsAssigned(this.seeks.positions(partitions), this.seeks);
		if (!this.polledOnce) {
			this.polledOnce = true;
			aware.onFirstPoll();
		}
	}

	@Override
	public void beforeCommit(Consumer<K, V> raw, Collection<TopicPartition> partitions) {
		Consumer<K, V> consumer = this.calls.consumer();
		each("rebalance listener", () -> {
			if (this.user instanceof ConsumerAwareRebalanceListener aware) {
				aware.onPartitionsRevokedBeforeCommit(consumer, partitions);
			}
			else {
				this.user.onPartitionsRevoked(partitions);
			}
		});
	}

	@Override
	public void revoked(Consumer<K, V> raw, Collection<AssignedPartition> revoked) {
		List<TopicPartition> partitions = partitions(revoked);
		this.state.unassigned(partitions);
		gone(partitions);
		Consumer<K, V> consumer = this.calls.consumer();
		if (this.user instanceof ConsumerAwareRebalanceListener aware) {
			each("rebalance listener", () -> aware.onPartitionsRevokedAfterCommit(consumer, partitions));
		}
		seekAwareRevoked(partitions);
		if (!revoked.isEmpty()) {
			this.events.publish(new PartitionsRevokedEvent(this.container, this.container.getListenerId(), revoked));
		}
	}

	@Override
	public void lost(Consumer<K, V> raw, Collection<AssignedPartition> lost) {
		List<TopicPartition> partitions = partitions(lost);
		this.state.unassigned(partitions);
		gone(partitions);
		Consumer<K, V> consumer = this.calls.consumer();
		each("rebalance listener", () -> {
			if (this.user instanceof ConsumerAwareRebalanceListener aware) {
				aware.onPartitionsLost(consumer, partitions);
			}
			else {
				this.user.onPartitionsLost(partitions);
			}
		});
		if (this.user instanceof ConsumerAwareRebalanceListener aware) {
			// Under spring-kafka a loss is a revocation, too: that is where state is
			// given up.
			each("rebalance listener", () -> aware.onPartitionsRevokedBeforeCommit(consumer, partitions));
			each("rebalance listener", () -> aware.onPartitionsRevokedAfterCommit(consumer, partitions));
		}
		seekAwareRevoked(partitions);
		if (!lost.isEmpty()) {
			this.events.publish(new PartitionsLostEvent(this.container, this.container.getListenerId(), lost));
		}
	}

	private void seekAwareRevoked(List<TopicPartition> partitions) {
		ConsumerSeekAware aware = this.seekAware;
		if (aware != null) {
			each("ConsumerSeekAware", () -> aware.onPartitionsRevoked(partitions));
		}
	}

	@Override
	public void polled(Consumer<K, V> raw, int records) {
		if (this.transactions != null) {
			this.transactions.generation(raw);
		}
		Consumer<K, V> consumer = this.calls.consumer();
		this.pauseWatch.polled(consumer);
		this.idleWatch.polled(consumer, records);
		this.partitionIdleWatch.polled(consumer);
		if (System.nanoTime() - this.lastLook > LOOK_AFTER.toNanos()) {
			this.lastLook = System.nanoTime();
			this.recoverer.look();
			if (this.unacknowledged != null) {
				this.unacknowledged.look(this.container.snapshot());
			}
		}
	}

	private void idle(Collection<TopicPartition> partitions) {
		ConsumerSeekAware aware = this.seekAware;
		if (aware != null) {
			this.seeks.callback(LOOK_AFTER, () -> each("ConsumerSeekAware",
					() -> aware.onIdleContainer(this.seeks.positions(partitions), this.seeks)));
		}
	}

	/** The beans of what is gone, or begins anew, live no longer than their calls. */
	private void gone(Collection<TopicPartition> partitions) {
		if (this.beans != null) {
			this.beans.gone(partitions);
		}
	}

	/** The consumer failed, and not because of a record; it will be replaced. */
	void consumerFailed(Throwable failure) {
		CommonErrorHandler errors = this.container.getCommonErrorHandler();
		if (errors == null || !(failure instanceof Exception exception)) {
			return;
		}
		try {
			errors.handleOtherException(exception, this.calls.consumer(), this.container,
					this.container.getContainerProperties().getMessageListener() instanceof BatchMessageListener<?, ?>);
		}
		catch (RuntimeException ex) {
			// Handlers say in this way that they can do nothing, or that they have done
			// it.
			logger.debug("{}: the error handler threw at an error of the consumer", this.container.getListenerId(), ex);
		}
	}

	/** The engine has ended. */
	void ended() {
		if (this.beans != null) {
			this.beans.allGone();
		}
		ConsumerSeekAware aware = this.seekAware;
		if (aware != null && this.registered) {
			each("ConsumerSeekAware", aware::unregisterSeekCallback);
		}
	}

	private void each(String who, Runnable action) {
		try {
			action.run();
		}
		catch (RuntimeException ex) {
			logger.error("{}: the {} failed", this.container.getListenerId(), who, ex);
		}
	}

	static List<TopicPartition> partitions(Collection<AssignedPartition> assigned) {
		return assigned.stream().map(AssignedPartition::partition).toList();
	}

	/** For containers that were given none. */
	private static final class NoRebalanceListener implements ConsumerRebalanceListener {

		@Override
		public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
		}

		@Override
		public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
		}

		@Override
		public void onPartitionsLost(Collection<TopicPartition> partitions) {
		}

	}

}
