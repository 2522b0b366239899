package io.evenkeel.kafka.engine;

import io.evenkeel.kafka.engine.dispatch.Call;
import org.apache.kafka.common.TopicPartition;

/**
 * A call of a handler that a thread is inside, seen from outside. Any thread; what it
 * tells is as of the moment when it was looked at.
 */
public final class RunningCall {

	private final Call<?> call;

	private final Thread thread;

	private final long ageNanos;

	private final boolean handler;

	/**
	 * See a call.
	 * @param call the call
	 * @param thread the thread that was seen inside it
	 * @param nowNanos nanoseconds of the clock that the call goes by
	 */
	public RunningCall(Call<?> call, Thread thread, long nowNanos) {
		this.call = call;
		this.thread = thread;
		this.ageNanos = Math.max(0, nowNanos - call.beganNanos());
		this.handler = call.delivery().failure() == null && !call.isResting();
	}

	/**
	 * The partition of its records.
	 * @return topic and partition
	 */
	public TopicPartition partition() {
		return new TopicPartition(this.call.assignment().topic(), this.call.assignment().partition());
	}

	/**
	 * The offset of its record, or of the first of its batch.
	 * @return 0 or more
	 */
	public long offset() {
		return this.call.delivery().offset();
	}

	/**
	 * The number of its records.
	 * @return at least 1
	 */
	public int records() {
		return this.call.size();
	}

	/**
	 * The number of the call for its (first) record.
	 * @return 1 for the first
	 */
	public int attempt() {
		return this.call.delivery().attempt();
	}

	/**
	 * How long it had been running when it was seen.
	 * @return nanoseconds, 0 or more
	 */
	public long ageNanos() {
		return this.ageNanos;
	}

	/**
	 * The thread that was seen inside it.
	 * @return which may have left it by now
	 */
	public Thread thread() {
		return this.thread;
	}

	/**
	 * Whether the handler is being called: not the recovery of a record, nor a wait for
	 * its next attempt.
	 * @return false when the thread is busy with something else
	 */
	public boolean isHandler() {
		return this.handler;
	}

	/**
	 * Whether the thread is still inside it.
	 * @return false once it was closed
	 */
	public boolean isOpen() {
		return !this.call.isClosed();
	}

	/**
	 * Whether it was interrupted because it takes too long.
	 * @return true once {@link #timeOut} has done so
	 */
	public boolean isTimedOut() {
		return this.call.isTimedOut();
	}

	/**
	 * Interrupt it: however it ends, it has failed.
	 * @return false when the thread has left it: nothing has changed
	 */
	public boolean timeOut() {
		return this.call.timeOut(this.thread);
	}

	/** The same call seen twice is equal. */
	@Override
	public boolean equals(Object other) {
		return other instanceof RunningCall seen && seen.call == this.call;
	}

	@Override
	public int hashCode() {
		return System.identityHashCode(this.call);
	}

}
