package io.evenkeel.kafka.producer;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * A sending producer at one moment. Holds no keys, values or headers.
 *
 * @param id the client id
 * @param state whether it can send
 * @param pendingRecords how many records wait
 * @param pendingBytes how many bytes wait
 * @param topics the topics that somebody waits for, or whose sends fail at once
 * @param trouble what keeps the producer from the brokers, {@code null} if nothing is
 * known to
 * @param troubledMillis for how long sends have been in vain because of it, in
 * milliseconds; 0 without trouble
 */
public record ProducerSnapshot(String id, State state, long pendingRecords, long pendingBytes, List<Topic> topics,
		@Nullable FailureReason trouble, long troubledMillis) {

	/**
	 * Copy the list.
	 */
	public ProducerSnapshot {
		topics = List.copyOf(topics);
	}

	/**
	 * Whether a producer can send.
	 */
	public enum State {

		/** The client has not been made yet. */
		STARTING,

		/** It can send. */
		RUNNING,

		/** The client is being replaced. */
		REPLACING,

		/** It was closed. */
		CLOSED

	}

	/**
	 * A topic in trouble.
	 *
	 * @param topic the topic
	 * @param waiting how many records wait for it
	 * @param oldestWaitMillis how long the first of them has waited, in milliseconds
	 * @param reason what it would fail with now, or did fail with
	 * @param failFast whether sends fail at once
	 */
	public record Topic(String topic, int waiting, long oldestWaitMillis, @Nullable FailureReason reason,
			boolean failFast) {

	}

}
