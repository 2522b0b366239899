package io.evenkeel.kafka.engine;

import java.util.OptionalLong;

import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/**
 * What others than the owner may know of one live assignment, as of the owner's last
 * turn. It goes with its assignment.
 *
 * <h2>Threading</h2> Written by the owner thread, read by any. Each field stands for
 * itself, and nobody concludes anything from two of them: that is why they are volatile
 * and not a record that each turn would have to make anew.
 */
public final class PartitionView {

	private volatile long position = -1;

	private volatile int pending;

	private volatile boolean backPressure;

	private volatile @Nullable OffsetAndMetadata committed;

	private volatile OptionalLong lag = OptionalLong.empty();

	PartitionView() {
	}

	void update(long position, int pending, boolean backPressure) {
		if (this.position != position) {
			this.position = position;
		}
		if (this.pending != pending) {
			this.pending = pending;
		}
		if (this.backPressure != backPressure) {
			this.backPressure = backPressure;
		}
	}

	void committed(OffsetAndMetadata committed) {
		this.committed = committed;
	}

	void lag(OptionalLong lag) {
		this.lag = lag;
	}

	/**
	 * Where the application is: the lowest offset whose record has not ended, be it
	 * queued, in hand, parked or not acknowledged; when all have ended, the next one.
	 * @return the offset, -1 when it is not known
	 */
	public long position() {
		return this.position;
	}

	/**
	 * How many records have been polled and have not ended.
	 * @return 0 when nothing is pending
	 */
	public int pending() {
		return this.pending;
	}

	/**
	 * Whether the partition is held back because too much of it is pending.
	 * @return true while it is
	 */
	public boolean isBackPressure() {
		return this.backPressure;
	}

	/**
	 * What the broker has as committed.
	 * @return null when it is not known or there is nothing
	 */
	public @Nullable OffsetAndMetadata committed() {
		return this.committed;
	}

	/**
	 * The client's lag after its last poll that brought records.
	 * @return empty when it is not known
	 */
	public OptionalLong lag() {
		return this.lag;
	}

}
