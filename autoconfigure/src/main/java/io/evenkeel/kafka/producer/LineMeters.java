package io.evenkeel.kafka.producer;

import io.evenkeel.kafka.producer.SendObserver.WaitOutcome;
import io.evenkeel.kafka.producer.line.LineEnd;
import io.evenkeel.kafka.producer.line.LineListener;

/**
 * Tells the observer of a producer what its lines do, and its threads when to look.
 *
 * @param observer the observer
 * @param onBegun called when somebody waits where nobody did
 * @param onReleased called when a line is free that the scheduler could not look at
 */
record LineMeters(SendObserver observer, Runnable onBegun, Runnable onReleased) implements LineListener {

	@Override
	public void begun(String topic) {
		this.onBegun.run();
	}

	@Override
	public void released(String topic) {
		this.onReleased.run();
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
		boolean timeout = kind == LineEnd.Kind.TIMED_OUT || kind == LineEnd.Kind.ATTEMPTS_EXHAUSTED;
		this.observer.waited(topic, timeout ? WaitOutcome.TIMEOUT : WaitOutcome.FAILED, waitedNanos);
	}

	@Override
	public void failFast(String topic, boolean open) {
		this.observer.failFast(topic, open);
	}

}
