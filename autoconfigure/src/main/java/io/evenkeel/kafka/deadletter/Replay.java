package io.evenkeel.kafka.deadletter;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

/**
 * Dead letters on their way back. It goes on until there is none left, somebody stops it,
 * or one cannot be sent; what was sent stays sent and is not sent again.
 *
 * <h2>Threading</h2> Any thread may ask or stop; one thread does the work.
 */
public final class Replay {

	private final String topic;

	private final Instant since = Instant.now();

	private final AtomicLong sent = new AtomicLong();

	private volatile State state = State.RUNNING;

	private volatile boolean stopping;

	private volatile @Nullable String failure;

	Replay(String topic) {
		this.topic = topic;
	}

	/**
	 * The dead-letter topic.
	 * @return its name
	 */
	public String topic() {
		return this.topic;
	}

	/**
	 * When it began.
	 * @return the time
	 */
	public Instant since() {
		return this.since;
	}

	/**
	 * How many were sent, and acknowledged by a broker.
	 * @return 0 or more
	 */
	public long sent() {
		return this.sent.get();
	}

	/**
	 * How it is doing.
	 * @return RUNNING at first
	 */
	public State state() {
		return this.state;
	}

	/**
	 * Why it has failed, in words that hold nothing of a record.
	 * @return null unless it has
	 */
	public @Nullable String failure() {
		return this.failure;
	}

	/** Let it end after what is on its way. */
	public void stop() {
		this.stopping = true;
	}

	boolean isStopping() {
		return this.stopping;
	}

	void sent(int count) {
		this.sent.addAndGet(count);
	}

	void ended(State state, @Nullable String failure) {
		this.failure = failure;
		this.state = state;
	}

	/**
	 * How a replay is doing.
	 */
	public enum State {

		/** Records are being sent. */
		RUNNING,
		/** All that was selected was sent. */
		DONE,
		/** Somebody has stopped it. */
		STOPPED,
		/** A record could not be sent, or the topic not be read. */
		FAILED

	}

}
