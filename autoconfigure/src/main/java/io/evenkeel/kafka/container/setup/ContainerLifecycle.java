package io.evenkeel.kafka.container.setup;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;

import io.evenkeel.kafka.container.life.OwnerReport;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.container.rebalance.ContainerCallbacks;
import io.evenkeel.kafka.container.rebalance.SeekCallback;
import io.evenkeel.kafka.engine.EngineLifecycle;
import io.evenkeel.kafka.engine.StopCause;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.support.TopicPartitionOffset;
import org.springframework.kafka.support.TopicPartitionOffset.SeekPosition;

/**
 * Makes and subscribes the consumers of a container, and passes its engine's life on as
 * spring-kafka's events. Owner thread.
 */
final class ContainerLifecycle<K, V> implements EngineLifecycle<K, V> {

	private final ListenerContext context;

	private final String clientIdSuffix;

	private final ConsumerFactory<K, V> factory;

	private final Properties overrides;

	private final ContainerEvents events;

	private final OwnerReport state;

	private final boolean hasGroup;

	private final ContainerCallbacks<K, V> callbacks;

	private final SeekCallback<K, V> seeks;

	/** Told when the engine has ended. */
	private final BiConsumer<StopCause, @Nullable Throwable> ended;

	private final Set<TopicPartition> moved = new HashSet<>();

	private final NanoClock clock;

	private boolean positioned;

	ContainerLifecycle(ListenerContext context, String clientIdSuffix, ConsumerFactory<K, V> factory,
			Properties overrides, ContainerEvents events, OwnerReport state, boolean hasGroup, SeekCallback<K, V> seeks,
			ContainerCallbacks<K, V> callbacks, BiConsumer<StopCause, @Nullable Throwable> ended, NanoClock clock) {
		this.clock = clock;
		this.ended = ended;
		this.clientIdSuffix = clientIdSuffix;
		this.seeks = seeks;
		this.callbacks = callbacks;
		this.context = context;
		this.factory = factory;
		this.overrides = overrides;
		this.events = events;
		this.state = state;
		this.hasGroup = hasGroup;
	}

	@Override
	public Consumer<K, V> createConsumer() {
		ContainerProperties properties = this.context.properties();
		Properties own = new Properties();
		own.putAll(this.overrides);
		own.setProperty(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
		return CommitSettings.around(
				this.factory.createConsumer(this.context.groupId(), properties.getClientId(), this.clientIdSuffix, own),
				this.context, this.clock);
	}

	@Override
	public boolean subscribe(Consumer<K, V> consumer, ConsumerRebalanceListener rebalance) {
		ContainerProperties properties = this.context.properties();
		TopicPartitionOffset[] assigned = properties.getTopicPartitions();
		if (assigned != null) {
			assign(consumer, assigned);
			return true;
		}
		Pattern pattern = properties.getTopicPattern();
		if (pattern != null) {
			consumer.subscribe(pattern, rebalance);
		}
		else {
			String[] topics = properties.getTopics();
			consumer.subscribe((topics != null) ? Arrays.asList(topics) : List.of(), rebalance);
		}
		return false;
	}

	/**
	 * Initial offsets are for the first consumer; a rebuilt one goes on at what the first
	 * has committed, and where that is nothing, at the initial offset again.
	 */
	private void assign(Consumer<K, V> consumer, TopicPartitionOffset[] assigned) {
		List<TopicPartition> partitions = new ArrayList<>();
		for (TopicPartitionOffset partition : assigned) {
			partitions.add(partition.getTopicPartition());
		}
		consumer.assign(partitions);
		List<TopicPartitionOffset> unknown = (this.positioned && this.hasGroup) ? uncommitted(consumer, assigned)
				: List.of(assigned);
		for (TopicPartitionOffset partition : unknown) {
			position(consumer, partition);
			if (partition.getOffset() != null || partition.getPosition() != null
					|| partition.getOffsetComputeFunction() != null) {
				this.moved.add(partition.getTopicPartition());
			}
		}
		this.positioned = true;
	}

	private static List<TopicPartitionOffset> uncommitted(Consumer<?, ?> consumer, TopicPartitionOffset[] assigned) {
		var committed = consumer.committed(consumer.assignment());
		return Arrays.stream(assigned)
			.filter((partition) -> committed.get(partition.getTopicPartition()) == null)
			.toList();
	}

	private void position(Consumer<K, V> consumer, TopicPartitionOffset wanted) {
		TopicPartition partition = wanted.getTopicPartition();
		Set<TopicPartition> one = Set.of(partition);
		Long offset = wanted.getOffset();
		SeekPosition position = wanted.getPosition();
		if (position == SeekPosition.TIMESTAMP && offset != null) {
			OffsetAndTimestamp found = consumer.offsetsForTimes(java.util.Map.of(partition, offset)).get(partition);
			if (found != null) {
				consumer.seek(partition, found.offset());
			}
			else {
				consumer.seekToEnd(one);
			}
		}
		else if (position == SeekPosition.BEGINNING) {
			consumer.seekToBeginning(one);
		}
		else if (position == SeekPosition.END) {
			consumer.seekToEnd(one);
		}
		else if (wanted.getOffsetComputeFunction() != null) {
			Long current = consumer.position(partition);
			Long computed = wanted.getOffsetComputeFunction().apply(current);
			if (computed != null) {
				consumer.seek(partition, Math.max(0, computed));
			}
		}
		else if (offset != null) {
			absolute(consumer, wanted, partition, offset);
		}
	}

	private void absolute(Consumer<K, V> consumer, TopicPartitionOffset wanted, TopicPartition partition, long offset) {
		if (wanted.isRelativeToCurrent()) {
			consumer.seek(partition, Math.max(0, consumer.position(partition) + offset));
		}
		else if (offset < 0) {
			consumer.seekToEnd(Set.of(partition));
			consumer.seek(partition, Math.max(0, consumer.position(partition) + offset));
		}
		else {
			consumer.seek(partition, offset);
		}
	}

	@Override
	public void started() {
		// Where the user said where to begin, nothing counts that was committed before.
		this.moved.forEach(this.seeks::renew);
		this.moved.clear();
		this.events.started();
	}

	@Override
	public void restarting(Throwable failure, Duration after) {
		this.state.restarting(failure);
		this.callbacks.consumerFailed(failure);
	}

	@Override
	public @Nullable Duration refused(RuntimeException failure) {
		Duration interval = this.context.properties().getAuthExceptionRetryInterval();
		if (interval != null) {
			this.events.refused(failure);
		}
		return interval;
	}

	@Override
	public void accepted() {
		this.events.accepted();
	}

	@Override
	public void stopping(Consumer<K, V> consumer) {
		this.events.stopping(consumer, this.context.assigned());
	}

	@Override
	public void stopped(StopCause cause, @Nullable Throwable failure) {
		this.callbacks.ended();
		this.ended.accept(cause, failure);
	}

}
