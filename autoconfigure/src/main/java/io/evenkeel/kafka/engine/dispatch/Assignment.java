package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

import io.evenkeel.kafka.engine.offset.CompletedOffsets;
import io.evenkeel.kafka.engine.offset.OffsetTracker;
import org.jspecify.annotations.Nullable;

/**
 * All that is known of one partition while it is assigned. It is made when the partition
 * is assigned and closed for good when it is revoked or lost; the same partition assigned
 * again gets a new one, with a higher epoch. Every record carries its assignment, so a
 * late completion can only ever reach the assignment that it belongs to.
 *
 * <h2>Threading</h2>
 * <ul>
 * <li>The owner thread alone uses the tracker and the map of lanes, and alone sets
 * {@code stopping} and {@code closed}.</li>
 * <li>{@code stopping} and {@code closed} are volatile: workers read the first before
 * each call, acknowledging threads the second.</li>
 * <li>The account and the package-private queues are under the dispatcher's lock.</li>
 * </ul>
 *
 * @param <R> the type of the record
 */
public final class Assignment<R> {

	private static final int MOST_SPARE = 128;

	private final String topic;

	private final int partition;

	private final long epoch;

	private OffsetTracker tracker = new OffsetTracker();

	private final Map<Object, Lane<R>> lanes = new HashMap<>();

	private final Lane<R> partitionLane = new Lane<>(this, null);

	private final Function<Object, Lane<R>> newLane = this::newLane;

	/** Lanes that no key leads to any more: used again, for there is one for each key. */
	private final ArrayDeque<Lane<R>> spare = new ArrayDeque<>();

	private final ArrayDeque<Lane<R>> retiring = new ArrayDeque<>();

	private final Unacknowledged<R> unacknowledged = new Unacknowledged<>();

	private volatile boolean stopping;

	private volatile boolean held;

	private volatile boolean closed;

	final ArrayDeque<Lane<R>> ready = new ArrayDeque<>();

	final Runs<R> runs = new Runs<>();

	private final Ledger.Account account = new Ledger.Account();

	/** Whether the dispatcher's ring holds this assignment, and between which others. */
	boolean listed;

	@Nullable Assignment<R> previousReady;

	@Nullable Assignment<R> nextReady;

	/** The owner's note that it has seen a change. */
	private boolean noted;

	/** The size of what has begun and not ended; the owner's. */
	private long unfinishedBytes;

	public Assignment(String topic, int partition, long epoch) {
		this.topic = topic;
		this.partition = partition;
		this.epoch = epoch;
	}

	/**
	 * Begin a record: from here on its offset holds the committed one back. Owner thread.
	 * @param record the record
	 * @param offset its offset, higher than all before
	 * @param laneKey what it must be in order with: null for the whole partition,
	 * {@link LaneKeys#ALONE} for nothing
	 * @param nowNanos when it was polled
	 * @return the delivery, not yet handed to a dispatcher
	 */
	public Delivery<R> begin(R record, long offset, @Nullable Object laneKey, long nowNanos) {
		return begin(record, offset, laneKey, nowNanos, 0, -1);
	}

	/**
	 * Begin a record: from here on its offset holds the committed one back. Owner thread.
	 * @param record the record
	 * @param offset its offset, higher than all before
	 * @param laneKey what it must be in order with: null for the whole partition,
	 * {@link LaneKeys#ALONE} for nothing
	 * @param nowNanos when it was polled
	 * @param bytes its serialized size
	 * @param timestamp when it was written; -1 when it does not say
	 * @return the delivery, not yet handed to a dispatcher
	 */
	public Delivery<R> begin(R record, long offset, @Nullable Object laneKey, long nowNanos, int bytes,
			long timestamp) {
		Lane<R> lane = lane(laneKey);
		lane.unfinished++;
		this.unfinishedBytes += bytes;
		return new Delivery<>(record, lane, offset, this.tracker.begin(offset, nowNanos, timestamp), nowNanos, bytes);
	}

	private Lane<R> lane(@Nullable Object laneKey) {
		if (laneKey == null) {
			return this.partitionLane;
		}
		if (laneKey == LaneKeys.ALONE) {
			return new Lane<>(this, null);
		}
		return this.lanes.computeIfAbsent(laneKey, this.newLane);
	}

	private Lane<R> newLane(Object key) {
		Lane<R> lane = this.spare.poll();
		if (lane == null) {
			return new Lane<>(this, key);
		}
		lane.key(key);
		return lane;
	}

	/**
	 * Apply the end of a record to the offsets. Owner thread; never after a close.
	 * @param delivery a delivery of this assignment that has ended
	 */
	public void completed(Delivery<R> delivery) {
		if (this.tracker.complete(delivery.sequence())) {
			this.unfinishedBytes -= delivery.bytes();
		}
		Lane<R> lane = delivery.lane();
		// In there once: it could be given to two keys otherwise.
		if (--lane.unfinished == 0 && lane.key() != null && !lane.retiring) {
			lane.retiring = true;
			this.retiring.add(lane);
		}
	}

	/**
	 * Forget the lanes that have nothing left. A lane whose last record was acknowledged
	 * inside its still running call must stay: a new lane for the key would let two calls
	 * overlap. Owner thread, once a turn.
	 */
	public void retireLanes() {
		for (int i = this.retiring.size(); i > 0; i--) {
			Lane<R> lane = this.retiring.remove();
			lane.retiring = false;
			if (lane.unfinished > 0) {
				continue;
			}
			if (lane.state() == Lane.State.IDLE) {
				forget(lane);
			}
			else {
				lane.retiring = true;
				this.retiring.add(lane);
			}
		}
	}

	/**
	 * Whether lanes are left that wait for the end of a call to be forgotten. Owner
	 * thread.
	 * @return true while {@link #retireLanes} is to be called again
	 */
	public boolean isRetiring() {
		return !this.retiring.isEmpty();
	}

	private void forget(Lane<R> lane) {
		Object key = lane.key();
		if (key == null) {
			return;
		}
		try {
			this.lanes.remove(key, lane);
		}
		catch (RuntimeException | Error ex) {
			// The key's own code failed: find the lane without it.
			this.lanes.values().removeIf((candidate) -> candidate == lane);
		}
		lane.key(null);
		if (this.spare.size() < MOST_SPARE) {
			this.spare.add(lane);
		}
	}

	/**
	 * The number of keys that have a lane. Owner thread.
	 * @return 0 for an ordering by partition
	 */
	public int keys() {
		return this.lanes.size();
	}

	/**
	 * Take over what the previous owner completed out of order. Owner thread, before the
	 * first record.
	 * @param completed its map
	 */
	public void inherit(CompletedOffsets completed) {
		this.tracker = new OffsetTracker(completed);
	}

	/**
	 * The offsets of this assignment. Owner thread only.
	 * @return the tracker
	 */
	public OffsetTracker tracker() {
		return this.tracker;
	}

	/**
	 * Records whose calls have returned and that nobody has acknowledged yet. Any thread.
	 * @return the queue of this assignment, gone with it
	 */
	public Unacknowledged<R> unacknowledged() {
		return this.unacknowledged;
	}

	/**
	 * Note that something has changed. Owner thread.
	 * @return false when that was noted before
	 */
	public boolean note() {
		boolean first = !this.noted;
		this.noted = true;
		return first;
	}

	/** What was noted has been looked at. Owner thread. */
	public void unnote() {
		this.noted = false;
	}

	/** What the ledger counts. */
	Ledger.Account account() {
		return this.account;
	}

	/**
	 * How many records were queued, in hand or parked when the dispatcher last weighed
	 * this: what nothing but an acknowledgment is missing of is not held. Owner thread.
	 * @return 0 or more
	 */
	public int heldRecords() {
		// A run that is stuck keeps those of its records in hand that have ended.
		return Math.min(this.account.heldRecords(), this.tracker.unfinished());
	}

	/**
	 * The serialized size of those records. Owner thread.
	 * @return bytes
	 */
	public long heldBytes() {
		return Math.min(this.account.heldBytes(), this.unfinishedBytes);
	}

	void hold(boolean hold) {
		this.held = hold;
	}

	/**
	 * Whether the user's pause keeps records of this assignment from starting.
	 * @return true while paused
	 */
	public boolean isHeld() {
		return this.held;
	}

	/** Whether the next record of a run may start. */
	boolean mayStart() {
		return !this.stopping && !this.held;
	}

	void stopStarting() {
		this.stopping = true;
	}

	/**
	 * Close this assignment for good: whatever ends from now on is stale. Owner thread.
	 */
	public void close() {
		this.stopping = true;
		this.closed = true;
	}

	/**
	 * Whether no record of this assignment may be started any more.
	 * @return true from the begin of a revoke on
	 */
	public boolean isStopping() {
		return this.stopping;
	}

	/**
	 * Whether this assignment is gone.
	 * @return true once it was revoked or lost
	 */
	public boolean isClosed() {
		return this.closed;
	}

	public String topic() {
		return this.topic;
	}

	public int partition() {
		return this.partition;
	}

	/**
	 * The number of this assignment.
	 * @return unique and rising within a listener
	 */
	public long epoch() {
		return this.epoch;
	}

	@Override
	public String toString() {
		return this.topic + "-" + this.partition + "@" + this.epoch;
	}

}
