package io.evenkeel.kafka.container.rebalance;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.call.AssignmentBeansTable;
import io.evenkeel.kafka.container.life.OwnerReport;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.AssignedPartition;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.EngineCallbacks;
import io.evenkeel.kafka.thread.NanoClock;
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
public final class ContainerCallbacks<K, V> implements EngineCallbacks<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(ContainerCallbacks.class);

	private static final Duration LOOK_AFTER = Duration.ofSeconds(1);

	private final ListenerContext context;

	private final ContainerEvents events;

	private final PartitionEvents partitionEvents;

	private final OwnerReport state;

	private final Duration commitTimeout;

	private final ConsumerRebalanceListener user;

	private final @Nullable ConsumerSeekAware seekAware;

	private final SeekCallback<K, V> seeks;

	private final Surroundings<K, V> around;

	private final IdleWatch<K, V> idleWatch;

	private final PauseWatch<K, V> pauseWatch;

	private final PartitionIdleWatch<K, V> partitionIdleWatch;

	private long lastLook;

	private boolean polledOnce;

	private boolean registered;

	public ContainerCallbacks(ListenerContext context, ContainerEvents events, PartitionEvents partitionEvents,
			OwnerReport state, Duration commitTimeout, @Nullable ConsumerSeekAware seekAware, SeekCallback<K, V> seeks,
			Surroundings<K, V> around) {
		this.context = context;
		this.events = events;
		this.partitionEvents = partitionEvents;
		this.state = state;
		this.commitTimeout = commitTimeout;
		ConsumerRebalanceListener listener = context.properties().getConsumerRebalanceListener();
		this.user = (listener != null) ? listener : new NoRebalanceListener();
		this.seekAware = seekAware;
		this.seeks = seeks;
		this.around = around;
		this.lastLook = around.clock().getAsLong();
		this.idleWatch = new IdleWatch<>(context, around.engine(), events, this::idle, around.clock());
		this.pauseWatch = new PauseWatch<>(context, around.engine(), events, state, around.anyPartitionPause());
		this.partitionIdleWatch = new PartitionIdleWatch<>(context, around.engine(), events, this::idle,
				around.clock());
	}

	@Override
	public void assigned(Consumer<K, V> raw, Collection<AssignedPartition> assigned) {
		// The engine has had its part of the time.
		this.seeks.callback(this.commitTimeout.dividedBy(4), () -> tell(raw, assigned));
	}

	private void tell(Consumer<K, V> raw, Collection<AssignedPartition> assigned) {
		List<TopicPartition> partitions = partitions(assigned);
		this.state.assigned(partitions);
		gone(partitions);
		this.around.generation().accept(raw);
		if (this.around.commitsInitial()) {
			each("initial commit", () -> this.seeks.commitInitial(raw, partitions));
		}
		Consumer<K, V> consumer = this.around.consumer().get();
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
		CommonErrorHandler errors = this.context.errorHandler();
		if (errors != null) {
			each("error handler", () -> errors.onPartitionsAssigned(consumer, partitions, () -> {
				// Nothing was paused on its behalf.
			}));
		}
		if (!assigned.isEmpty()) {
			publish(this.partitionEvents.assigned(), assigned);
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
		Consumer<K, V> consumer = this.around.consumer().get();
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
		Consumer<K, V> consumer = this.around.consumer().get();
		if (this.user instanceof ConsumerAwareRebalanceListener aware) {
			each("rebalance listener", () -> aware.onPartitionsRevokedAfterCommit(consumer, partitions));
		}
		seekAwareRevoked(partitions);
		if (!revoked.isEmpty()) {
			publish(this.partitionEvents.revoked(), revoked);
		}
	}

	@Override
	public void lost(Consumer<K, V> raw, Collection<AssignedPartition> lost) {
		List<TopicPartition> partitions = partitions(lost);
		this.state.unassigned(partitions);
		gone(partitions);
		Consumer<K, V> consumer = this.around.consumer().get();
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
			publish(this.partitionEvents.lost(), lost);
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
		this.around.generation().accept(raw);
		Consumer<K, V> consumer = this.around.consumer().get();
		this.pauseWatch.polled(consumer);
		this.idleWatch.polled(consumer, records);
		this.partitionIdleWatch.polled(consumer);
		long now = this.around.clock().getAsLong();
		if (now - this.lastLook > LOOK_AFTER.toNanos()) {
			this.lastLook = now;
			this.around.look().run();
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
		if (this.around.beans() != null) {
			this.around.beans().gone(partitions);
		}
	}

	/** The consumer failed, and not because of a record; it will be replaced. */
	public void consumerFailed(Throwable failure) {
		CommonErrorHandler errors = this.context.errorHandler();
		if (errors == null || !(failure instanceof Exception exception)) {
			return;
		}
		try {
			errors.handleOtherException(exception, this.around.consumer().get(), this.context.container(),
					this.context.properties().getMessageListener() instanceof BatchMessageListener<?, ?>);
		}
		catch (RuntimeException ex) {
			// Handlers say in this way that they can do nothing, or that they have done
			// it.
			logger.debug("{}: the error handler threw at an error of the consumer", this.context.id(), ex);
		}
	}

	/** The engine has ended. */
	public void ended() {
		if (this.around.beans() != null) {
			this.around.beans().allGone();
		}
		ConsumerSeekAware aware = this.seekAware;
		if (aware != null && this.registered) {
			each("ConsumerSeekAware", aware::unregisterSeekCallback);
		}
	}

	private void publish(PartitionEvents.Maker maker, Collection<AssignedPartition> partitions) {
		this.events.publish(maker.make(this.context.container(), this.context.id(), partitions));
	}

	private void each(String who, Runnable action) {
		try {
			action.run();
		}
		catch (RuntimeException ex) {
			logger.error("{}: the {} failed", this.context.id(), who, ex);
		}
	}

	static List<TopicPartition> partitions(Collection<AssignedPartition> assigned) {
		return assigned.stream().map(AssignedPartition::partition).toList();
	}

	/**
	 * What takes part in rebalances and polls beside the application.
	 *
	 * @param engine the engine that calls back
	 * @param consumer what the application sees as its consumer
	 * @param beans those of the scope {@code assignment}, null when there are none
	 * @param generation given the consumer when its group metadata may have changed
	 * @param commitsInitial whether first positions are committed here
	 * @param anyPartitionPause whether the user wants a single partition paused
	 * @param look run now and then
	 * @param clock the time that the listener goes by
	 */
	public record Surroundings<K, V>(Supplier<ConsumerEngine<K, V>> engine, Supplier<Consumer<K, V>> consumer,
			@Nullable AssignmentBeansTable beans, java.util.function.Consumer<Consumer<K, V>> generation,
			boolean commitsInitial, BooleanSupplier anyPartitionPause, Runnable look, NanoClock clock) {
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
