package io.evenkeel.kafka.producer.line;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * The records of one topic, or of one missing partition, that wait in the order in which
 * they were sent; and, after the line timed out, the window in which sends fail at once.
 * <p>
 * <b>Threading.</b> Senders join, whoever has claimed the line takes the head and removes
 * it, the timer and the scheduler fail the line, all under the line's lock. Nothing under
 * the lock waits for anything. A claim is no lock: nobody waits for it, and it excludes
 * its own holder, too, so that user code in a hand-over may send to the same topic.
 * <p>
 * <b>Invariants.</b> (1) Only the head is ever taken, and it stays in the queue until it
 * was handed over: while a record is on its way the line is not empty, so nobody
 * overtakes it. (2) A line that has retired admits nobody; the sender looks for the next
 * one. (3) A line fails from its head on and as a whole, or not at all; a taken head is
 * not failed. (4) Whoever ends or hands over a record releases its share of the backlog,
 * once. (5) One at a time has claimed the line; whoever is refused and has said that he
 * has to come back is told when it is free.
 * <p>
 * <b>Why.</b> This is the slow path, where a record waits for the network anyway: a plain
 * lock that can be read in a minute is worth more than a lock-free queue.
 */
final class Line<C, W extends Waiter<C>> {

	final String topic;

	final int partition;

	final LineSettings settings;

	private final ReentrantLock lock = new ReentrantLock();

	private final AtomicBoolean claimed = new AtomicBoolean();

	private final ArrayDeque<W> queue = new ArrayDeque<>();

	private final Backlog backlog;

	private final LineListener listener;

	private volatile boolean refused;

	private @Nullable W moving;

	private boolean retired;

	private final FailFastWindow<C> window;

	private int attempts;

	private int streak = 1;

	private long nextAttemptAt;

	private long seenChanges = -1;

	private volatile Obstacle obstacle = Obstacle.METADATA;

	/** Since when the cluster has said that it does not know what is waited for. */
	private volatile @Nullable Long unknownSince;

	private boolean slow;

	Line(String topic, int partition, LineSettings settings, Backlog backlog, LineListener listener,
			long nextAttemptAt) {
		this.topic = topic;
		this.partition = partition;
		this.settings = settings;
		this.backlog = backlog;
		this.listener = listener;
		this.nextAttemptAt = nextAttemptAt;
		this.window = new FailFastWindow<>(topic, settings.failFastNanos(), listener);
	}

	/**
	 * A sender wants to wait here.
	 * @param waiter the record
	 * @param beyond whether it is let in beyond the bounds
	 * @param now the time
	 */
	Admission<C> join(W waiter, boolean beyond, long now) {
		this.lock.lock();
		try {
			if (this.retired) {
				return Admission.retired();
			}
			if (this.window.closeIfOver(now)) {
				this.seenChanges = -1;
			}
			if (this.window.isOpen()) {
				return Admission.refused(new LineEnd<>(LineEnd.Kind.FAIL_FAST, this.window.cause(), 0));
			}
			if (beyond) {
				this.backlog.admit(waiter.bytes());
			}
			else if (!this.backlog.reserve(waiter.bytes())) {
				return Admission.refused(new LineEnd<>(LineEnd.Kind.BUFFER_FULL, null, 0));
			}
			waiter.attemptsBefore(this.attempts);
			this.queue.add(waiter);
			return Admission.joined(this.queue.size() == 1);
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Begin to serve the line, unless somebody does. */
	boolean claimIfFree() {
		return !this.claimed.get() && this.claimed.compareAndSet(false, true);
	}

	/** The same; if somebody does, {@link #release()} says that the caller was here. */
	boolean claim() {
		if (claimIfFree()) {
			return true;
		}
		this.refused = true;
		// Released in between: nobody has seen the note.
		return claimIfFree();
	}

	/** End serving; true if the scheduler has to look because a claim was refused. */
	boolean release() {
		this.claimed.set(false);
		boolean told = this.refused;
		if (told) {
			this.refused = false;
		}
		return told;
	}

	/**
	 * Whoever has claimed this line moves a taken record here from the topic's line,
	 * together with its share of the backlog.
	 */
	boolean adopt(W waiter) {
		this.lock.lock();
		try {
			if (this.retired) {
				return false;
			}
			waiter.attemptsBefore(this.attempts);
			this.queue.add(waiter);
			this.moving = waiter;
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The move is over; what was adopted while sends fail at once fails, too. */
	void adopted(long now) {
		this.lock.lock();
		try {
			this.moving = null;
			if (this.window.isOpen(now)) {
				C cause = this.window.cause();
				this.queue.removeIf((waiter) -> end(waiter, LineEnd.Kind.FAIL_FAST, cause, this.attempts, now));
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	@Nullable W head() {
		this.lock.lock();
		try {
			return this.queue.peek();
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The head is about to be handed over. */
	void handing() {
		if (this.obstacle != Obstacle.HAND_OVER) {
			this.obstacle = Obstacle.HAND_OVER;
		}
	}

	/** The record behind the head. */
	@Nullable W second() {
		this.lock.lock();
		try {
			Iterator<W> waiters = this.queue.iterator();
			if (waiters.hasNext()) {
				waiters.next();
			}
			return waiters.hasNext() ? waiters.next() : null;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The head was handed over, or moved to another line together with its share. */
	void removeHead(W head, boolean release) {
		this.lock.lock();
		try {
			if (this.queue.peek() == head) {
				this.queue.remove();
				if (release) {
					this.backlog.release(head.bytes());
				}
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * The cluster knows what is waited for, or does not, or says nothing.
	 * @return whether it says for the first time that it does not
	 */
	boolean unknown(boolean unknown, long now) {
		boolean known = this.unknownSince != null;
		if (known != unknown) {
			this.unknownSince = unknown ? now : null;
		}
		return unknown && !known;
	}

	/** When a head fails that waits for what the cluster does not know, or not at all. */
	long deadline(W head) {
		long last = head.startedAt() + this.settings.timeoutNanos();
		Long since = this.unknownSince;
		if (since == null) {
			return last;
		}
		// The first answer after an outage may be of a broker that knows nothing yet.
		long sure = since + this.settings.unknownNanos() / 2;
		long unknown = head.startedAt() + this.settings.unknownNanos();
		unknown = (sure - unknown > 0) ? sure : unknown;
		return (unknown - last < 0) ? unknown : last;
	}

	/** Which rule fails a head at its deadline. */
	LineEnd.Kind kind(W head) {
		boolean whole = deadline(head) == head.startedAt() + this.settings.timeoutNanos();
		return whole ? LineEnd.Kind.TIMED_OUT : LineEnd.Kind.UNKNOWN_TOPIC;
	}

	/** Whether its slowness has yet to be told; for the timer. */
	boolean becomesSlow() {
		boolean first = !this.slow;
		this.slow = true;
		return first;
	}

	/** Whether somebody waits here for the client's memory. */
	boolean isShortOfMemory() {
		return this.obstacle == Obstacle.MEMORY && head() != null;
	}

	/** Retire if nobody waits and no window is open. */
	boolean retire(long now, boolean closeWindow) {
		this.lock.lock();
		try {
			if (closeWindow) {
				this.window.close();
			}
			this.window.closeIfOver(now);
			return retireIfIdle();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Fail everything that waits, if the head is still the expected one and not taken.
	 */
	boolean fail(W expectedHead, LineEnd.Kind kind, C cause, boolean openWindow, long now) {
		List<W> rest;
		int made;
		this.lock.lock();
		try {
			if (this.queue.peek() != expectedHead || !end(expectedHead, kind, cause, this.attempts, now)) {
				return false;
			}
			this.queue.remove();
			rest = removeAll();
			made = this.attempts;
			if (openWindow) {
				this.window.open(cause, now);
			}
			// What joins after that is not to inherit the waits of those that failed.
			retireIfIdle();
		}
		finally {
			this.lock.unlock();
		}
		// Without the lock: nobody else knows them any more, and joining must not wait.
		rest.forEach((waiter) -> end(waiter, kind, cause, made, now));
		return true;
	}

	private List<W> removeAll() {
		List<W> all = new ArrayList<>(this.queue);
		this.queue.clear();
		W arriving = this.moving;
		if (arriving != null && all.remove(arriving)) {
			// It is still taken, so it cannot end: whoever moves it looks again.
			this.queue.add(arriving);
		}
		return all;
	}

	/** Fail what waits behind a taken head that does not come back. */
	void failBehind(W head, LineEnd.Kind kind, C cause, long now) {
		List<W> rest;
		int made;
		this.lock.lock();
		try {
			if (this.queue.peek() != head) {
				return;
			}
			this.queue.remove();
			rest = removeAll();
			made = this.attempts;
			this.queue.addFirst(head);
		}
		finally {
			this.lock.unlock();
		}
		rest.forEach((waiter) -> end(waiter, kind, cause, made, now));
	}

	private boolean retireIfIdle() {
		this.retired |= this.queue.isEmpty() && !this.window.isOpen();
		return this.retired;
	}

	/** Fail what waits because the producer is closed; a taken head stays. */
	int failClosed(long now) {
		this.lock.lock();
		try {
			int before = this.queue.size();
			this.queue.removeIf((waiter) -> end(waiter, LineEnd.Kind.CLOSED, null, this.attempts, now));
			return before - this.queue.size();
		}
		finally {
			this.lock.unlock();
		}
	}

	private boolean end(W waiter, LineEnd.Kind kind, @Nullable C cause, int attemptsMade, long now) {
		if (!waiter.fail(new LineEnd<>(kind, cause, attemptsOf(waiter, attemptsMade)))) {
			return false;
		}
		this.backlog.release(waiter.bytes());
		this.listener.failed(this.topic, kind, now - waiter.startedAt());
		return true;
	}

	/**
	 * Whether the client is to be asked now. A change since the last look always is a
	 * reason, and is no attempt of its own; otherwise the back-off decides.
	 */
	Turn turn(long now, long changes) {
		this.lock.lock();
		try {
			if (now - this.nextAttemptAt >= 0) {
				this.seenChanges = changes;
				W head = this.queue.peek();
				if (head != null && attemptsOf(head, this.attempts) >= this.settings.maxAttempts()) {
					return Turn.EXHAUSTED;
				}
				this.attempts++;
				return Turn.ATTEMPT;
			}
			if (this.seenChanges != changes) {
				this.seenChanges = changes;
				return Turn.LOOK;
			}
			return Turn.WAIT;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The look was in vain: wait for longer than last time if it was an attempt. */
	void blockedBy(Obstacle obstacle, Turn turn, boolean progress, long now, double random) {
		this.lock.lock();
		try {
			this.obstacle = obstacle;
			if (progress) {
				this.streak = 1;
			}
			else if (turn == Turn.ATTEMPT) {
				this.streak++;
			}
			if (progress || turn != Turn.LOOK) {
				this.nextAttemptAt = now + this.settings.backoff().delayNanos(this.streak, random);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The line was left while it moved: look at it in the next turn, change or not. */
	void lookAgain() {
		this.lock.lock();
		try {
			this.seenChanges = -1;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The attempts made for a record that waits here, its sender's own look included. */
	int attemptsFor(W waiter) {
		this.lock.lock();
		try {
			return attemptsOf(waiter, this.attempts);
		}
		finally {
			this.lock.unlock();
		}
	}

	boolean exhausted(W head) {
		this.lock.lock();
		try {
			return attemptsOf(head, this.attempts) >= this.settings.maxAttempts();
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The next attempt, or the end of a window that nobody waits behind. */
	long nextTurnAt() {
		this.lock.lock();
		try {
			return this.window.endsBefore(this.nextAttemptAt) ? this.window.end() : this.nextAttemptAt;
		}
		finally {
			this.lock.unlock();
		}
	}

	void addWaiting(List<? super W> target) {
		this.lock.lock();
		try {
			target.addAll(this.queue);
		}
		finally {
			this.lock.unlock();
		}
	}

	Obstacle obstacle() {
		return this.obstacle;
	}

	LineSnapshot<C> snapshot() {
		this.lock.lock();
		try {
			W head = this.queue.peek();
			return new LineSnapshot<>(this.topic, this.partition, this.queue.size(),
					(head != null) ? head.startedAt() : 0, this.obstacle, this.window.isOpen(), this.window.cause());
		}
		finally {
			this.lock.unlock();
		}
	}

	private int attemptsOf(W waiter, int attemptsMade) {
		return 1 + attemptsMade - waiter.attemptsBefore();
	}

}
