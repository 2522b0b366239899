package io.evenkeel.kafka.producer;

import io.evenkeel.kafka.producer.SendObserver.WaitOutcome;
import io.evenkeel.kafka.producer.line.LineEnd;
import io.evenkeel.kafka.producer.line.LineListener;
import io.evenkeel.kafka.producer.line.Obstacle;

/**
 * Tells the observer of a producer what its lines do, and its threads when to look.
 *
 * @param observer the observer
 * @param onBegun called when somebody waits where nobody did, or not for so long
 * @param onReleased called when a line is free that the scheduler could not look at
 * @param onSlow called when somebody has waited for long
 */
record LineMeters(SendObserver observer, Runnable onBegun, Runnable onReleased, OnSlow onSlow) implements LineListener {

	@Override
	public void begun(String topic) {
		this.onBegun.run();
	}

	@Override
	public void released(String topic) {
		this.onReleased.run();
	}

	@Override
	public void hurried(String topic) {
		this.onBegun.run();
	}

	@Override
	public void slow(String topic, int partition, long startedAt, Obstacle obstacle) {
		this.onSlow.slow(topic, partition, startedAt, obstacle);
	}

	@Override
	public void retried(String topic) {
		this.observer.retried(topic);
	}

	@Override
	public void handedOver(String topic, long waitedNanos) {
		this.observer.waited(topic, WaitOutcome.READY, waitedNanos);
	}

	@Override
	public void failed(String topic, LineEnd.Kind kind, long waitedNanos) {
		boolean timeout = kind == LineEnd.Kind.TIMED_OUT || kind == LineEnd.Kind.UNKNOWN_TOPIC
				|| kind == LineEnd.Kind.ATTEMPTS_EXHAUSTED;
		this.observer.waited(topic, timeout ? WaitOutcome.TIMEOUT : WaitOutcome.FAILED, waitedNanos);
	}

	@Override
	public void failFast(String topic, boolean open) {
		this.observer.failFast(topic, open);
	}

	/**
	 * Hears of long waits.
	 */
	@FunctionalInterface
	interface OnSlow {

		/**
		 * The head of a line has waited for long.
		 * @param topic the topic
		 * @param partition the missing partition, or -1
		 * @param startedAt when it was sent
		 * @param obstacle what it waits for
		 */
		void slow(String topic, int partition, long startedAt, Obstacle obstacle);

	}

}
