package io.evenkeel.kafka.engine;

import java.util.function.ToIntFunction;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.offset.CommitPoint;
import io.evenkeel.kafka.engine.offset.CompletedOffsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What the owner knows of one assigned partition beside its assignment: what is
 * committed, and what the previous owner left in the commit's metadata. Owner thread
 * only; it lives and dies with its assignment.
 */
final class PartitionState<K, V> {

	private final TopicPartition partition;

	private final Assignment<ConsumerRecord<K, V>> assignment;

	private final ChangedStates<K, V> changed;

	private final PartitionView view = new PartitionView();

	private final LeaderEpochs epochs = new LeaderEpochs();

	private final LagMeasure lag = new LagMeasure();

	private @Nullable CompletedOffsets completed;

	private boolean restored;

	private long committed = -1;

	private long restoredOffset = -1;

	/** For people only: a seek leaves it as it is. */
	private long atBroker = -1;

	private String committedMetadata = "";

	private boolean wantsPosition;

	private int metadataLimit = EngineSettings.MAX_METADATA;

	private boolean backPressure;

	/** What it must fall below to come back: records and bytes. */
	private long recordsBack;

	private long bytesBack;

	private boolean userPaused;

	/** What was moved away from here, with records in hand, and how long they count. */
	private @Nullable Assignment<ConsumerRecord<K, V>> predecessor;

	private long predecessorUntil;

	/** Whether the consumer was told to pause it. */
	private boolean paused;

	/** What the back-pressure has counted of it. */
	private long countedRecords;

	private long countedBytes;

	/** Who has not looked yet at what has happened to it: see {@link ChangedStates}. */
	private int marks;

	/** Where its picture is, and how many keys were counted for it. */
	private int pictureAt;

	private int countedKeys;

	PartitionState(TopicPartition partition, Assignment<ConsumerRecord<K, V>> assignment, ChangedStates<K, V> changed) {
		this.partition = partition;
		this.assignment = assignment;
		this.changed = changed;
	}

	/**
	 * Something has happened to this partition, or to its assignment: whoever goes by it
	 * looks again.
	 */
	void touch() {
		this.changed.touch(this);
	}

	/**
	 * The committed offset was read: take over what the previous owner completed above
	 * it.
	 */
	void restore(long committed, String metadata, CompletedOffsets completed) {
		touch();
		this.restored = true;
		this.committed = committed;
		this.restoredOffset = committed;
		this.atBroker = committed;
		this.committedMetadata = metadata;
		if (!completed.isEmpty()) {
			this.completed = completed;
			this.assignment.inherit(completed);
		}
	}

	/** There is no committed offset to take over from. */
	void restoredEmpty(boolean wantsPosition) {
		touch();
		this.restored = true;
		this.wantsPosition = wantsPosition;
	}

	boolean isRestored() {
		return this.restored;
	}

	/**
	 * Whether the previous owner has completed this record. Offsets come in rising order.
	 */
	boolean wasCompleted(long offset) {
		CompletedOffsets known = this.completed;
		if (known == null) {
			return false;
		}
		if (offset >= known.upTo()) {
			this.completed = null;
			return false;
		}
		return known.contains(offset);
	}

	/**
	 * What to commit now.
	 * @return null when the broker knows it already
	 */
	@Nullable CommitPoint toCommit(boolean withMap) {
		if (this.assignment.tracker().committable() < 0) {
			return null;
		}
		CommitPoint point = this.assignment.tracker().commitPoint(withMap ? this.metadataLimit : 0);
		if (point.offset() < this.committed) {
			return null;
		}
		boolean known = point.offset() == this.committed && point.metadata().equals(this.committedMetadata);
		return known ? null : point;
	}

	void committed(CommitPoint point) {
		touch();
		this.committed = point.offset();
		this.atBroker = point.offset();
		this.committedMetadata = point.metadata();
		this.view.committed(offset(point));
	}

	/** A point to commit as the client takes it. */
	OffsetAndMetadata offset(CommitPoint point) {
		return new OffsetAndMetadata(point.offset(), this.epochs.before(point.offset()), point.metadata());
	}

	LeaderEpochs epochs() {
		return this.epochs;
	}

	LagMeasure lag() {
		return this.lag;
	}

	/** The broker refused the metadata as too large. */
	void shrinkMetadata() {
		touch();
		this.metadataLimit /= 2;
	}

	long committedOffset() {
		return this.committed;
	}

	/** The committed offset, as far as it is known; -1 if there is none. */
	long atBroker() {
		return this.atBroker;
	}

	/** A seek changes nothing of what the broker has. */
	void atBroker(PartitionState<K, V> before) {
		touch();
		this.atBroker = before.atBroker;
		this.lag.follows(before.lag);
		OffsetAndMetadata known = before.view.committed();
		if (known != null) {
			this.view.committed(known);
		}
	}

	/**
	 * The committed offset that was found when the partition came; -1 if there was none.
	 */
	long restoredOffset() {
		return this.restoredOffset;
	}

	boolean wantsPosition() {
		return this.wantsPosition;
	}

	void positionKnown() {
		if (this.wantsPosition) {
			touch();
			this.wantsPosition = false;
		}
	}

	boolean isBackPressure() {
		return this.backPressure;
	}

	void backPressure(boolean backPressure) {
		if (this.backPressure != backPressure) {
			touch();
			this.backPressure = backPressure;
		}
	}

	/** It is to be held back until it holds less than this; 0 when it is not. */
	void comesBack(long records, long bytes) {
		this.recordsBack = records;
		this.bytesBack = bytes;
	}

	/** How few records it must hold to come back; 0 when it is not held back. */
	long recordsBack() {
		return this.recordsBack;
	}

	/** How few bytes it must hold to come back; 0 when it is not held back. */
	long bytesBack() {
		return this.bytesBack;
	}

	/**
	 * This one takes the place of another one of the same partition, whose records in
	 * hand it must not overlap.
	 * @param moved what it replaces
	 * @param until when it waits no longer, nanoseconds of the clock
	 */
	void follows(PartitionState<K, V> moved, long until) {
		// One that has waited itself has begun nothing.
		this.predecessor = (moved.predecessor != null) ? moved.predecessor : moved.assignment;
		this.predecessorUntil = until;
		touch();
	}

	/** Whether one that it follows may still have records in hand. */
	boolean hasPredecessor() {
		return this.predecessor != null;
	}

	/**
	 * Whether the records of the one before are still in hand.
	 * @param inHand counts the records in hand of an assignment
	 * @param now nanoseconds of the clock
	 */
	boolean waitsForPredecessor(ToIntFunction<Assignment<ConsumerRecord<K, V>>> inHand, long now) {
		Assignment<ConsumerRecord<K, V>> before = this.predecessor;
		if (before != null && (now - this.predecessorUntil >= 0 || inHand.applyAsInt(before) == 0)) {
			this.predecessor = null;
			touch();
		}
		return this.predecessor != null;
	}

	/** Whether the consumer was told to pause it, as of the owner's last look. */
	boolean isPaused() {
		return this.paused;
	}

	void paused(boolean paused) {
		this.paused = paused;
	}

	long countedRecords() {
		return this.countedRecords;
	}

	long countedBytes() {
		return this.countedBytes;
	}

	void counted(long records, long bytes) {
		this.countedRecords = records;
		this.countedBytes = bytes;
	}

	int marks() {
		return this.marks;
	}

	void marks(int marks) {
		this.marks = marks;
	}

	/** The index of this one among the pictures that are taken of all. */
	int pictureAt() {
		return this.pictureAt;
	}

	void pictureAt(int pictureAt) {
		this.pictureAt = pictureAt;
		this.countedKeys = 0;
	}

	/** By how many keys this one has more than when it was asked before. */
	int moreKeys() {
		int keys = this.assignment.keys();
		int more = keys - this.countedKeys;
		this.countedKeys = keys;
		return more;
	}

	boolean isUserPaused() {
		return this.userPaused;
	}

	void userPaused(boolean userPaused) {
		if (this.userPaused != userPaused) {
			touch();
			this.userPaused = userPaused;
		}
	}

	/** What other threads see of this. */
	PartitionView view() {
		return this.view;
	}

	TopicPartition partition() {
		return this.partition;
	}

	Assignment<ConsumerRecord<K, V>> assignment() {
		return this.assignment;
	}

	AssignedPartition assigned() {
		return new AssignedPartition(this.partition, this.assignment.epoch());
	}

}
