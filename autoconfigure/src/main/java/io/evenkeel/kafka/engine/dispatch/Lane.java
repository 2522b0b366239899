package io.evenkeel.kafka.engine.dispatch;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * The queue of records that must be handled one after the other: those of one key, of one
 * partition, or a single record.
 *
 * <h2>Threading</h2> The queue and every change of {@code state} are under the
 * dispatcher's lock. The owner thread reads {@code state} without it, to retire an idle
 * lane: volatile. {@code unfinished} belongs to the owner thread.
 *
 * <h2>Invariants</h2>
 * <ol>
 * <li>IDLE: the queue is empty and no call is open.</li>
 * <li>READY: the lane is in its assignment's ready queue, once. Nobody holds it, unless a
 * resting run wants a slot again.</li>
 * <li>RUNNING: exactly one run holds the lane; nobody else takes from its queue.</li>
 * <li>PARKED: the head waits for its due time, nothing behind it starts before.</li>
 * </ol>
 *
 * @param <R> the type of the record
 */
final class Lane<R> {

	enum State {

		IDLE, READY, RUNNING, PARKED

	}

	private final Assignment<R> assignment;

	/** The owner's: null for a lane that no key leads to. */
	private @Nullable Object key;

	private volatile State state = State.IDLE;

	private @Nullable Delivery<R> head;

	private @Nullable Delivery<R> tail;

	private int size;

	/** How many records a repeated batch must consist of; 0 = as many as there are. */
	private int repeat;

	private long dueNanos;

	/** The run that holds this lane and wants a slot again; the lane is ready then. */
	@Nullable Run<R> resuming;

	/** Records of this lane that have not ended; the owner's count. */
	int unfinished;

	/** Whether the owner is about to forget this lane; the owner's note. */
	boolean retiring;

	Lane(Assignment<R> assignment, @Nullable Object key) {
		this.assignment = assignment;
		this.key = key;
	}

	void append(Delivery<R> delivery) {
		delivery.next = null;
		if (this.tail == null) {
			this.head = delivery;
		}
		else {
			this.tail.next = delivery;
		}
		this.tail = delivery;
		this.size++;
	}

	void prepend(List<Delivery<R>> deliveries) {
		for (int i = deliveries.size() - 1; i >= 0; i--) {
			Delivery<R> delivery = deliveries.get(i);
			delivery.next = this.head;
			this.head = delivery;
			if (this.tail == null) {
				this.tail = delivery;
			}
			this.size++;
		}
	}

	Delivery<R> remove() {
		Delivery<R> first = this.head;
		if (first == null) {
			throw new IllegalStateException("The lane is empty");
		}
		this.head = first.next;
		if (this.head == null) {
			this.tail = null;
		}
		first.next = null;
		this.size--;
		return first;
	}

	/**
	 * Empty the queue.
	 * @return how many records of it had not ended
	 */
	int clear() {
		int dropped = 0;
		for (Delivery<R> delivery = this.head; delivery != null; delivery = delivery.next) {
			dropped += delivery.isEnded() ? 0 : 1;
		}
		this.head = null;
		this.tail = null;
		this.size = 0;
		return dropped;
	}

	int size() {
		return this.size;
	}

	Assignment<R> assignment() {
		return this.assignment;
	}

	@Nullable Object key() {
		return this.key;
	}

	/** This lane serves another key from now on. Owner thread, while it is idle. */
	void key(@Nullable Object key) {
		this.key = key;
	}

	State state() {
		return this.state;
	}

	void state(State state) {
		this.state = state;
	}

	long dueNanos() {
		return this.dueNanos;
	}

	void park(long dueNanos, int repeat) {
		this.dueNanos = dueNanos;
		this.repeat = repeat;
		this.state = State.PARKED;
	}

	int takeRepeat() {
		int taken = this.repeat;
		this.repeat = 0;
		return taken;
	}

}
