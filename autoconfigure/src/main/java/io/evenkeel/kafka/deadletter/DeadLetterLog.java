package io.evenkeel.kafka.deadletter;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

import io.evenkeel.kafka.engine.offset.CommitPoint;
import io.evenkeel.kafka.engine.offset.CompletedOffsets;
import io.evenkeel.kafka.engine.offset.OffsetTracker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one dead-letter topic from what was not replayed or dropped to its present end,
 * and keeps what is done as committed offsets, with the map of what is done above them in
 * their metadata: the same as a listener does with its own topics. One thread.
 */
final class DeadLetterLog implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(DeadLetterLog.class);

	private static final Duration POLL = Duration.ofMillis(500);

	private static final Duration ASK = Duration.ofSeconds(10);

	/** What a broker takes where nobody has set offset.metadata.max.bytes. */
	private static final int MOST_METADATA = 4096;

	private final Consumer<byte[], byte[]> consumer;

	private final Map<TopicPartition, Long> ends;

	private final Map<TopicPartition, OffsetTracker> trackers = new HashMap<>();

	private final Map<TopicPartition, CompletedOffsets> done = new HashMap<>();

	/** Open the log of a topic; a topic that does not exist has no partitions. */
	DeadLetterLog(Consumer<byte[], byte[]> consumer, String topic) {
		this.consumer = consumer;
		List<PartitionInfo> known = consumer.partitionsFor(topic, ASK);
		Set<TopicPartition> partitions = ((known != null) ? known : List.<PartitionInfo>of()).stream()
			.map((info) -> new TopicPartition(info.topic(), info.partition()))
			.collect(Collectors.toSet());
		consumer.assign(partitions);
		this.ends = partitions.isEmpty() ? Map.of() : consumer.endOffsets(partitions, ASK);
		if (partitions.isEmpty()) {
			return;
		}
		Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions, ASK);
		Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(partitions, ASK);
		for (TopicPartition partition : partitions) {
			OffsetAndMetadata from = committed.get(partition);
			long begin = begins.getOrDefault(partition, 0L);
			CompletedOffsets completed = CompletedOffsets.decode((from != null) ? from.metadata() : null,
					(from != null) ? from.offset() : 0);
			this.done.put(partition, completed);
			this.trackers.put(partition, new OffsetTracker(completed));
			consumer.seek(partition, (from != null) ? Math.max(begin, from.offset()) : begin);
		}
	}

	/**
	 * Read on.
	 * @param visitor given each dead letter that is left
	 * @param enough asked between two polls whether to stop
	 * @return whether the end was reached
	 */
	boolean read(Visitor visitor, BooleanSupplier enough) {
		while (!isAtEnd()) {
			if (enough.getAsBoolean()) {
				return false;
			}
			for (ConsumerRecord<byte[], byte[]> letter : this.consumer.poll(POLL)) {
				TopicPartition partition = new TopicPartition(letter.topic(), letter.partition());
				OffsetTracker tracker = this.trackers.get(partition);
				CompletedOffsets completed = this.done.get(partition);
				if (tracker == null || completed == null || letter.offset() >= this.ends.getOrDefault(partition, 0L)) {
					continue;
				}
				long sequence = tracker.begin(letter.offset(), 0);
				if (completed.contains(letter.offset())) {
					tracker.complete(sequence);
				}
				else if (!visitor.visit(letter, () -> tracker.complete(sequence))) {
					return false;
				}
			}
		}
		return true;
	}

	private boolean isAtEnd() {
		for (Map.Entry<TopicPartition, Long> end : this.ends.entrySet()) {
			if (this.consumer.position(end.getKey(), ASK) < end.getValue()) {
				return false;
			}
		}
		return true;
	}

	/** Keep what is done. */
	void save() {
		Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
		this.trackers.forEach((partition, tracker) -> {
			if (tracker.committable() >= 0) {
				CommitPoint point = tracker.commitPoint(MOST_METADATA);
				offsets.put(partition, new OffsetAndMetadata(point.offset(), point.metadata()));
				if (point.truncated()) {
					logger.warn("Not all that is done of the dead letters in {} can be remembered: some are shown, and "
							+ "replayed, once more", partition);
				}
			}
		});
		if (!offsets.isEmpty()) {
			this.consumer.commitSync(offsets, ASK);
		}
	}

	@Override
	public void close() {
		this.consumer.close();
	}

	/**
	 * Given dead letters.
	 */
	@FunctionalInterface
	interface Visitor {

		/**
		 * Look at a dead letter.
		 * @param letter the record in the dead-letter topic
		 * @param done says that it is done
		 * @return whether to go on
		 */
		boolean visit(ConsumerRecord<byte[], byte[]> letter, Runnable done);

	}

}
