package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import io.evenkeel.kafka.engine.offset.OffsetTracker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what a poll brought into deliveries of the live assignments. Owner thread only.
 *
 * <p>
 * Records that the previous owner completed out of order are skipped. An offset that does
 * not rise means that the position was moved back (by a reset to an earlier offset, or
 * because the topic was made anew): the assignment is replaced, because its offsets mean
 * something else now.
 */
final class Intake<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(Intake.class);

	private final String id;

	private final AssignmentTable<K, V> table;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final LaneKeys laneKeys;

	private final Renewal<K, V> renewal;

	private final RecordHandler<K, V> handler;

	private final Refetch refetch;

	private final Runnable begun;

	/** The partitions of this poll that were not kept whole. */
	private final Set<PartitionState<K, V>> trimmed = new HashSet<>();

	private final List<Delivery<ConsumerRecord<K, V>>> batch = new ArrayList<>();

	/** How many records of each partition the next poll keeps. */
	private int room = Integer.MAX_VALUE;

	/** The size of what the current poll has brought. */
	private long polledBytes;

	Intake(String id, AssignmentTable<K, V> table, Dispatcher<ConsumerRecord<K, V>> dispatcher, LaneKeys laneKeys,
			Renewal<K, V> renewal, RecordHandler<K, V> handler, Refetch refetch, Runnable begun) {
		this.begun = begun;
		this.refetch = refetch;
		this.handler = handler;
		this.id = id;
		this.table = table;
		this.dispatcher = dispatcher;
		this.laneKeys = laneKeys;
		this.renewal = renewal;
	}

	/**
	 * Take in a poll.
	 * @param records what it brought
	 * @param now nanoseconds of the clock
	 * @return how many records were queued
	 */
	int accept(ConsumerRecords<K, V> records, long now) {
		this.polledBytes = 0;
		for (TopicPartition partition : records.partitions()) {
			PartitionState<K, V> state = this.table.get(partition);
			if (state == null) {
				logger.warn("{}: records of {} came without an assignment and are left to its owner", this.id,
						partition);
				continue;
			}
			// A partition that is paused brings none: if it does it is not.
			state.paused(false);
			accept(state, records.records(partition), now);
		}
		int queued = submit();
		for (Map.Entry<TopicPartition, OffsetAndMetadata> next : records.nextOffsets().entrySet()) {
			PartitionState<K, V> state = this.table.get(next.getKey());
			if (state != null && !state.assignment().isStopping() && !this.trimmed.contains(state)) {
				PartitionState<K, V> current = current(state, next.getValue().offset());
				if (current != null) {
					current.assignment().tracker().position(next.getValue().offset());
					current.touch();
				}
				if (current != null && next.getValue().leaderEpoch().isPresent()) {
					current.epochs().saw(next.getValue().offset() - 1, next.getValue().leaderEpoch());
				}
			}
		}
		this.trimmed.clear();
		return queued;
	}

	private void accept(PartitionState<K, V> initial, List<ConsumerRecord<K, V>> records, long now) {
		PartitionState<K, V> state = records.isEmpty() ? initial : current(initial, records.get(0).offset());
		if (state == null) {
			return;
		}
		for (int i = 0; i < records.size(); i++) {
			ConsumerRecord<K, V> record = records.get(i);
			if (i >= this.room) {
				trim(state, record.offset());
				return;
			}
			begin(state, record, now, this.handler.poison(record));
		}
	}

	/**
	 * The state that an offset belongs to. One below the position, or below what was
	 * committed when the partition came, means that the log is not the one that the state
	 * is about: a committed offset that is kept would hold all commits back until it is
	 * reached again, and a completed map would skip records that nobody has handled.
	 * <p>
	 * Records that wait below that offset go with the old state, but not out of the log:
	 * they are fetched again.
	 * @return null when the partition is to be fetched again from an earlier offset
	 */
	private @Nullable PartitionState<K, V> current(PartitionState<K, V> state, long offset) {
		long known = Math.max(state.assignment().tracker().position(), state.restoredOffset());
		if (offset >= known || state.assignment().isStopping()) {
			return state;
		}
		logger.warn("{}: the position of {} went back from {} to {}: its state is reset", this.id, state.partition(),
				known, offset);
		OffsetTracker tracker = state.assignment().tracker();
		long waiting = (tracker.unfinished() > 0) ? tracker.committable() : offset;
		PartitionState<K, V> fresh = this.renewal.renew(state);
		if (waiting < offset) {
			trim(fresh, waiting);
			return null;
		}
		return fresh;
	}

	/**
	 * Take in a record that could not be deserialized: it goes straight to its recovery,
	 * in its place among the others.
	 * @param record the record with what is known of it
	 * @param failure why
	 * @param now nanoseconds of the clock
	 * @return false when the partition is fetched again from an earlier offset
	 */
	boolean acceptPoison(ConsumerRecord<K, V> record, Throwable failure, long now) {
		PartitionState<K, V> known = this.table.get(new TopicPartition(record.topic(), record.partition()));
		if (known == null || known.assignment().isStopping()) {
			return true;
		}
		PartitionState<K, V> state = current(known, record.offset());
		this.trimmed.clear();
		if (state == null) {
			return false;
		}
		begin(state, record, now, failure);
		submit();
		return true;
	}

	/**
	 * Limit what is kept of the next poll; the rest is fetched again.
	 * @param room the most records of each partition
	 */
	void room(int room) {
		this.room = room;
	}

	/** The size of what the last poll brought. */
	long polledBytes() {
		return this.polledBytes;
	}

	/** All that a handler may ask for is known before it is called. */
	private int submit() {
		int queued = this.batch.size();
		this.begun.run();
		if (queued > 0) {
			this.dispatcher.submit(this.batch);
			this.batch.clear();
		}
		return queued;
	}

	private void begin(PartitionState<K, V> state, ConsumerRecord<K, V> record, long now, @Nullable Throwable poison) {
		if (state.assignment().isStopping()) {
			return;
		}
		state.touch();
		state.epochs().saw(record.offset(), record.leaderEpoch());
		Delivery<ConsumerRecord<K, V>> delivery = begin(state, record, now);
		if (state.wasCompleted(record.offset())) {
			state.assignment().completed(delivery);
			return;
		}
		if (poison != null) {
			delivery.exhausted(poison);
		}
		this.batch.add(delivery);
	}

	/**
	 * A key whose own code fails, when it is hashed or compared with others, must not
	 * stop the partition: it gets the partition's order.
	 */
	private Delivery<ConsumerRecord<K, V>> begin(PartitionState<K, V> state, ConsumerRecord<K, V> record, long now) {
		int bytes = RecordSize.of(record);
		this.polledBytes += bytes;
		try {
			Object laneKey = this.laneKeys.laneKey(record.key());
			return state.assignment().begin(record, record.offset(), laneKey, now, bytes, record.timestamp());
		}
		catch (RuntimeException | Error ex) {
			logger.warn(
					"{}: the key of {}-{}@{} cannot be hashed or compared ({}); the record keeps the order of "
							+ "its partition",
					this.id, record.topic(), record.partition(), record.offset(), ex.getClass().getName());
			return state.assignment().begin(record, record.offset(), null, now, bytes, record.timestamp());
		}
	}

	/**
	 * No room for a record and those behind it: they are fetched again when there is. One
	 * that is being handed over needs them no more.
	 */
	private void trim(PartitionState<K, V> state, long offset) {
		if (!state.assignment().isStopping()) {
			this.refetch.from(state.partition(), offset);
			state.assignment().tracker().position(offset);
			state.touch();
			this.trimmed.add(state);
		}
	}

	/**
	 * Moves the consumer's position, to records that were polled and not kept.
	 */
	@FunctionalInterface
	interface Refetch {

		void from(TopicPartition partition, long offset);

	}

	/**
	 * Replaces the assignment of a partition whose position was moved.
	 */
	@FunctionalInterface
	interface Renewal<K, V> {

		PartitionState<K, V> renew(PartitionState<K, V> state);

	}

}
