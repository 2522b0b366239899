package io.evenkeel.kafka.engine;

import java.util.Collection;

import io.evenkeel.kafka.engine.dispatch.Outcome;
import org.apache.kafka.common.TopicPartition;

/**
 * Told what happens in a listener's engine: the door for meters. All methods default to
 * nothing and must return quickly; what they throw is logged and changes nothing. Unless
 * it says otherwise a method is called on the owner thread.
 */
public interface EngineObserver {

	/**
	 * Partitions have been assigned.
	 * @param partitions with their new epochs
	 * @param nanos how long the callback took
	 */
	default void assigned(Collection<AssignedPartition> partitions, long nanos) {
	}

	/**
	 * Assignments are gone.
	 * @param partitions with the epochs that ended
	 * @param how revoked or lost
	 * @param nanos how long the callback took
	 */
	default void unassigned(Collection<AssignedPartition> partitions, RebalanceEvent how, long nanos) {
	}

	/**
	 * A drain ended.
	 * @param clean whether nothing was left in hand
	 * @param nanos how long it took
	 * @param drained records that ended while it waited
	 * @param dropped records that had not begun
	 * @param abandoned records still in hand
	 */
	default void drained(boolean clean, long nanos, int drained, int dropped, int abandoned) {
	}

	/**
	 * Partitions were taken away with records at hand: nothing was waited for.
	 * @param dropped records that had not begun
	 * @param abandoned records still in hand
	 */
	default void gaveUp(int dropped, int abandoned) {
	}

	/**
	 * The first call for a record begins. On the worker's thread.
	 * @param topic its topic
	 * @param waitNanos since it was polled
	 */
	default void firstCall(String topic, long waitNanos) {
	}

	/**
	 * A repeated call for a record begins. On the worker's thread.
	 * @param topic its topic
	 */
	default void retried(String topic) {
	}

	/**
	 * A record ended and its assignment was still there.
	 * @param topic its topic
	 * @param outcome how it ended
	 * @param residenceNanos since it was polled
	 */
	default void ended(String topic, Outcome outcome, long residenceNanos) {
	}

	/**
	 * A record ended after its assignment was gone: the end counts for nothing.
	 * @param topic its topic
	 */
	default void stale(String topic) {
	}

	/**
	 * A commit was answered.
	 * @param result how
	 * @param nanos since it was sent
	 */
	default void committed(CommitResult result, long nanos) {
	}

	/**
	 * Assignment state was cleared because of an error.
	 * @param cause why
	 * @param partitions how many assignments
	 */
	default void reset(ResetCause cause, int partitions) {
	}

	/**
	 * It is known for the first time how far behind an assigned partition is.
	 * @param partition the partition
	 */
	default void lagKnown(TopicPartition partition) {
	}

	/**
	 * A recovery of a record failed, and is tried again. Any thread.
	 * @param topic its topic
	 */
	default void recoveryFailed(String topic) {
	}

	/**
	 * The metadata of a committed offset was not ours, damaged or too large, and was not
	 * used.
	 */
	default void metadataIgnored() {
	}

	/**
	 * Why assignment state was cleared.
	 */
	enum ResetCause {

		/** The group took the partitions away without asking. */
		LOST,
		/** The group knows this member no more, or another one took its place. */
		FENCED,
		/** The consumer failed and was replaced. */
		ERROR

	}

	/**
	 * The kinds of rebalance callback.
	 */
	enum RebalanceEvent {

		/** Partitions came. */
		ASSIGNED,
		/** Partitions were handed over. */
		REVOKED,
		/** Partitions were taken away. */
		LOST

	}

	/**
	 * The kinds of answer to a commit.
	 */
	enum CommitResult {

		/** The broker stored it. */
		OK,
		/** It failed for a passing reason and is tried again. */
		RETRIABLE,
		/** A rebalance was in progress; it is committed after the next poll. */
		REBALANCE,
		/** The group knows this member no more. */
		FENCED,
		/** Anything else. */
		ERROR

	}

}
