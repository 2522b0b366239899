package io.evenkeel.kafka.producer.line;

/**
 * Hears what happens in the lines. Called by the scheduler, the timer and senders; must
 * be quick and must not throw.
 */
public interface LineListener {

	/**
	 * A listener that does nothing.
	 */
	LineListener NONE = new LineListener() {
	};

	/**
	 * Somebody waits in a line where nobody did: the scheduler and the timer are to be
	 * signalled. Those that join behind wait for the same.
	 * @param topic the topic
	 */
	default void begun(String topic) {
	}

	/**
	 * A line that the scheduler has found in other hands is free: it is to be signalled.
	 * @param topic the topic
	 */
	default void released(String topic) {
	}

	/**
	 * The records of a line have to go sooner than was told: the timer is to be
	 * signalled.
	 * @param topic the topic
	 */
	default void hurried(String topic) {
	}

	/**
	 * The head of a line has waited for so long that somebody should know; told once.
	 * @param topic the topic
	 * @param partition the missing partition, or -1
	 * @param startedAt when the head was sent
	 * @param obstacle what it waits for
	 */
	default void slow(String topic, int partition, long startedAt, Obstacle obstacle) {
	}

	/**
	 * A wait was over and the client was asked once more.
	 * @param topic the topic
	 */
	default void retried(String topic) {
	}

	/**
	 * A record left a line because it was handed over.
	 * @param topic the topic
	 * @param waitedNanos from its send until then, in nanoseconds
	 */
	default void handedOver(String topic, long waitedNanos) {
	}

	/**
	 * A record left a line because it failed.
	 * @param topic the topic
	 * @param kind the rule that ended it
	 * @param waitedNanos from its send until then, in nanoseconds
	 */
	default void failed(String topic, LineEnd.Kind kind, long waitedNanos) {
	}

	/**
	 * A fail-fast window opened or closed.
	 * @param topic the topic
	 * @param open true when it opened
	 */
	default void failFast(String topic, boolean open) {
	}

}
