package io.evenkeel.kafka.container.rebalance;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.ConsumerHooks;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.ConsumerSeekAware.ConsumerSeekCallback;

/**
 * Seeks asked for by the application, from any thread. Each is handed to the owner thread
 * and takes effect before the next poll: what is pending of the partition is given up and
 * a new assignment begins.
 */
public final class SeekCallback<K, V> implements ConsumerSeekCallback {

	private static final Logger logger = LoggerFactory.getLogger(SeekCallback.class);

	/** What one question to the brokers may cost between two polls. */
	private static final Duration WAIT = Duration.ofSeconds(1);

	private final Supplier<ConsumerEngine<K, V>> engine;

	private final @Nullable String groupId;

	private final NanoClock clock;

	/** The group waits for a callback: all it asks has to be answered by then. */
	private @Nullable Long callbackUntil;

	public SeekCallback(Supplier<ConsumerEngine<K, V>> engine, @Nullable String groupId, NanoClock clock) {
		this.clock = clock;
		this.engine = engine;
		this.groupId = groupId;
	}

	@Override
	public void seek(String topic, int partition, long offset) {
		TopicPartition target = new TopicPartition(topic, partition);
		move(target, (consumer) -> consumer.seek(target, offset));
	}

	@Override
	public void seek(String topic, int partition, Function<Long, Long> offsetComputeFunction) {
		TopicPartition target = new TopicPartition(topic, partition);
		move(target, (consumer) -> consumer.seek(target, offsetComputeFunction.apply(position(target))));
	}

	@Override
	public void seekToBeginning(String topic, int partition) {
		seekToBeginning(Set.of(new TopicPartition(topic, partition)));
	}

	@Override
	public void seekToBeginning(Collection<TopicPartition> partitions) {
		partitions.forEach((partition) -> move(partition, (consumer) -> consumer.seekToBeginning(Set.of(partition))));
	}

	@Override
	public void seekToEnd(String topic, int partition) {
		seekToEnd(Set.of(new TopicPartition(topic, partition)));
	}

	@Override
	public void seekToEnd(Collection<TopicPartition> partitions) {
		partitions.forEach((partition) -> move(partition, (consumer) -> consumer.seekToEnd(Set.of(partition))));
	}

	@Override
	public void seekRelative(String topic, int partition, long offset, boolean toCurrent) {
		TopicPartition target = new TopicPartition(topic, partition);
		move(target, (consumer) -> {
			long base = toCurrent ? position(target) : ((offset < 0) ? consumer.endOffsets(Set.of(target), left())
					: consumer.beginningOffsets(Set.of(target), left()))
				.getOrDefault(target, 0L);
			consumer.seek(target, Math.max(0, base + offset));
		});
	}

	@Override
	public void seekToTimestamp(String topic, int partition, long timestamp) {
		seekToTimestamp(Set.of(new TopicPartition(topic, partition)), timestamp);
	}

	@Override
	public void seekToTimestamp(Collection<TopicPartition> partitions, long timestamp) {
		for (TopicPartition partition : partitions) {
			move(partition, (consumer) -> {
				OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, timestamp), left())
					.get(partition);
				if (found != null) {
					consumer.seek(partition, found.offset());
				}
				else {
					consumer.seekToEnd(Set.of(partition));
				}
			});
		}
	}

	@Override
	public @Nullable String getGroupId() {
		return this.groupId;
	}

	private void move(TopicPartition partition, java.util.function.Consumer<Consumer<K, V>> move) {
		this.engine.get().seek(partition, move);
	}

	/** Begin a new assignment where the consumer stands. */
	public void renew(TopicPartition partition) {
		move(partition, (consumer) -> {
			// It has been moved already.
		});
	}

	/**
	 * Commit the positions of partitions that have no committed offset, so that a reset
	 * to the latest offset cannot skip records later on.
	 */
	void commitInitial(Consumer<K, V> consumer, List<TopicPartition> partitions) {
		ConsumerHooks.commitInitial(consumer, partitions, this::left);
	}

	/** Where the application is, as far as that is known or can be had in time. */
	Map<TopicPartition, Long> positions(Collection<TopicPartition> partitions) {
		Map<TopicPartition, Long> positions = new HashMap<>();
		for (TopicPartition partition : partitions) {
			OptionalLong position = this.engine.get().position(partition, left());
			if (position.isPresent()) {
				positions.put(partition, position.getAsLong());
			}
			else {
				logger.debug("The position of {} is not known yet", partition);
			}
		}
		return positions;
	}

	/** The client's own has run ahead over what is queued and in hand. */
	private long position(TopicPartition partition) {
		return this.engine.get()
			.position(partition, left())
			.orElseThrow(() -> new TimeoutException("its position is not known yet"));
	}

	/**
	 * A callback begins: the brokers have so long for all that is asked of them in it.
	 * Owner thread.
	 */
	void callback(Duration most, Runnable action) {
		this.callbackUntil = this.clock.getAsLong() + most.toNanos();
		try {
			action.run();
		}
		finally {
			this.callbackUntil = null;
		}
	}

	/** Owner thread. */
	private Duration left() {
		Long until = this.callbackUntil;
		return (until != null) ? Duration.ofNanos(Math.max(0, until - this.clock.getAsLong())) : WAIT;
	}

}
