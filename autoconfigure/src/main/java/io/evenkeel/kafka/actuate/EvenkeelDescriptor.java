package io.evenkeel.kafka.actuate;

import java.time.Instant;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * What the endpoint shows. No keys, values or headers.
 *
 * @param listeners the listeners on our container
 * @param producers the sending producers
 */
public record EvenkeelDescriptor(List<Listener> listeners, List<Producer> producers) {

	/**
	 * A listener.
	 *
	 * @param id its id
	 * @param state what it is doing: see ListenerState
	 * @param groupId its group
	 * @param memberId its member id, empty while it has none
	 * @param groupProtocol classic or consumer
	 * @param ordering partition, key or none
	 * @param concurrency its slots
	 * @param partitions its live assignments
	 * @param rebalances the last 50, oldest first
	 * @param commitAgeSeconds the time since a commit last succeeded, null before the
	 * first
	 * @param reason why it is in its state, null where the state says it all
	 * @param slowestCalls the calls of its handler that have been running longest, at
	 * most five
	 */
	public record Listener(String id, String state, @Nullable String groupId, String memberId, String groupProtocol,
			String ordering, Concurrency concurrency, List<Partition> partitions, List<Rebalance> rebalances,
			@Nullable Double commitAgeSeconds, @Nullable String reason, List<SlowCall> slowestCalls) {
	}

	/**
	 * A call of a handler that is not over.
	 *
	 * @param topic the topic of its record
	 * @param partition its partition
	 * @param offset its offset, or that of the first of its batch
	 * @param attempt the number of the call for this record
	 * @param since when the call began
	 * @param runningSeconds how long ago that is
	 * @param thread the thread that is inside it
	 */
	public record SlowCall(String topic, int partition, long offset, int attempt, Instant since, double runningSeconds,
			String thread) {
	}

	/**
	 * Slots of a listener.
	 *
	 * @param limit the most calls at once
	 * @param used the calls not finished
	 */
	public record Concurrency(int limit, int used) {
	}

	/**
	 * A live assignment.
	 *
	 * @param topic its topic
	 * @param partition its partition
	 * @param epoch its number
	 * @param position the offset after the last record seen, -1 before the first
	 * @param committed the committed offset, -1 when there is none
	 * @param queued records waiting for a worker
	 * @param inFlight records inside a handler call or not yet acknowledged
	 * @param parked records waiting for their next attempt
	 * @param oldestAgeSeconds the age of the oldest unfinished record, 0 without one
	 * @param paused by whom: user, backpressure
	 * @param endOffset the end of the log as of the client's last fetch, null while it is
	 * not known
	 * @param lag the records that are not done, null while that is not known
	 * @param lagSeconds the age of the oldest of them by its own timestamp, 0 without
	 * one, null while it is not known
	 */
	public record Partition(String topic, int partition, long epoch, long position, long committed, int queued,
			int inFlight, int parked, double oldestAgeSeconds, List<String> paused, @Nullable Long endOffset,
			@Nullable Long lag, @Nullable Double lagSeconds) {
	}

	/**
	 * A rebalance callback.
	 *
	 * @param at when it ended
	 * @param event assigned, revoked or lost
	 * @param partitions topic-partition
	 * @param durationMillis how long it took
	 * @param drained records that ended while it waited
	 * @param dropped records that had not begun
	 * @param abandoned records still in hand
	 */
	public record Rebalance(Instant at, String event, List<String> partitions, long durationMillis, int drained,
			int dropped, int abandoned) {
	}

	/**
	 * A producer.
	 *
	 * @param id its client id
	 * @param state whether it can send
	 * @param pendingRecords records that wait
	 * @param pendingBytes bytes that wait
	 * @param topics topics in trouble
	 */
	public record Producer(String id, String state, long pendingRecords, long pendingBytes, List<Topic> topics) {
	}

	/**
	 * A topic in trouble.
	 *
	 * @param topic its name
	 * @param waiting records that wait for it
	 * @param oldestWaitMillis how long the first has waited
	 * @param reason what a send would fail with
	 * @param failFast whether sends fail at once
	 */
	public record Topic(String topic, int waiting, long oldestWaitMillis, @Nullable String reason, boolean failFast) {
	}

}
