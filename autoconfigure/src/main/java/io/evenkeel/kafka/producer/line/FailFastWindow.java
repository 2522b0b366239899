package io.evenkeel.kafka.producer.line;

import org.jspecify.annotations.Nullable;

/**
 * The time after a line timed out in which further sends fail at once. Under the line's
 * lock.
 */
final class FailFastWindow<C> {

	private final String topic;

	private final long nanos;

	private final LineListener listener;

	private boolean open;

	private long end;

	private @Nullable C cause;

	/**
	 * Make a closed one.
	 * @param topic its topic
	 * @param nanos how long it stays open, 0 for not at all
	 * @param listener hears when it opens and closes
	 */
	FailFastWindow(String topic, long nanos, LineListener listener) {
		this.topic = topic;
		this.nanos = nanos;
		this.listener = listener;
	}

	/** Open it, or keep it open for longer. */
	void open(C cause, long now) {
		if (this.nanos <= 0) {
			return;
		}
		if (!this.open) {
			this.listener.failFast(this.topic, true);
		}
		this.open = true;
		this.end = now + this.nanos;
		this.cause = cause;
	}

	void close() {
		if (this.open) {
			this.open = false;
			this.cause = null;
			this.listener.failFast(this.topic, false);
		}
	}

	/** Close it if its time is over; true if it was open and is not any more. */
	boolean closeIfOver(long now) {
		boolean over = this.open && now - this.end >= 0;
		if (over) {
			close();
		}
		return over;
	}

	boolean isOpen() {
		return this.open;
	}

	/** Whether it is open, and its time is not over. */
	boolean isOpen(long now) {
		return this.open && now - this.end < 0;
	}

	/** Whether it is open and ends before a time. */
	boolean endsBefore(long time) {
		return this.open && this.end - time < 0;
	}

	/** When it ends, for one that is open. */
	long end() {
		return this.end;
	}

	/** Why it was opened; null for one that is closed. */
	@Nullable C cause() {
		return this.cause;
	}

}
