package io.evenkeel.kafka.producer.line;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * All waiting lines of one producer: one per topic that is not ready, and one per
 * explicit partition that a ready topic does not have.
 * <p>
 * <b>Threading.</b> Any thread asks {@link #mustWait}, joins, and helps; a scheduler
 * calls {@link #doWork()}, one timer thread {@link #expire()}. Each says how long it may
 * sleep; the owner signals both when the listener hears that a line has begun, and the
 * scheduler after {@link #changed()} and when a line was released. Whoever hands records
 * over has claimed their line and holds no lock: user code in a hand-over may send, wait
 * and throw, and while it does, another thread may call {@code doWork()} for the other
 * lines.
 * <p>
 * <b>Invariants.</b> (1) A thread's later record never overtakes its earlier one on the
 * way to the client: while a line exists, all sends to it join it, and it goes only when
 * it is empty. (2) Every record that joined is handed over or failed, once. (3) A
 * deadline fires even while a hand-over is stuck, except for the very record being handed
 * over. (4) A missing partition holds only the records for it. (5) One record of a line
 * at a time is handed over.
 * <p>
 * <b>Why.</b> {@code closed} is volatile and read after a line was found: closing sets it
 * before it walks the lines, so a joining record either sees it or is seen.
 * {@code changes} is a counter, not a flag, so that each line can tell for itself whether
 * it has looked since the last change. Senders help because a line that exists takes in
 * whatever comes: one that sends as fast as the scheduler hands over would keep it for
 * ever, and fill it up, long after the topic is ready.
 *
 * @param <C> the type of a cause
 * @param <W> the type of a waiting record
 */
public final class Lines<C, W extends Waiter<C>> {

	private static final int BURST = 512;

	private static final int HELP = 8;

	/** So long may one line keep the one who serves it from the others. */
	private static final long SLICE = 10_000_000;

	/** After so long somebody should know what is waited for. */
	private static final long SLOW = 3_000_000_000L;

	private static final long RECHECK_TAKEN = 10_000_000;

	/** A hand-over that ends by itself does so sooner. */
	private static final long HAND_OVER_GRACE = 100_000_000;

	private static final long RECHECK_MEMORY = 5_000_000;

	/** The client tells of each record; to look so often is enough. */
	private static final long MEMORY_PAUSE = 1_000_000;

	private final LineTable<C, W> table = new LineTable<>(this::newLine);

	private final AtomicLong changes = new AtomicLong();

	private final HeldCallers held = new HeldCallers();

	private final LineClient<C, W> client;

	private final Function<String, LineSettings> settings;

	private final Backlog backlog;

	private final LongSupplier clock;

	private final DoubleSupplier random;

	private final LineListener listener;

	private final AtomicReference<@Nullable Long> firstBegan = new AtomicReference<>();

	private volatile boolean closed;

	private volatile boolean waitsForMemory;

	/** Plain: any recent one will do. */
	private @Nullable Long freedAt;

	/**
	 * Make the lines of a producer.
	 * @param client the client behind them
	 * @param settings the limits of each topic
	 * @param maxRecords the most records that may wait, positive
	 * @param maxBytes the most bytes that may wait, positive
	 * @param clock nanoseconds, as {@link System#nanoTime()}
	 * @param random numbers from 0 to 1, for jitter
	 * @param listener hears what happens
	 */
	public Lines(LineClient<C, W> client, Function<String, LineSettings> settings, long maxRecords, long maxBytes,
			LongSupplier clock, DoubleSupplier random, LineListener listener) {
		this.client = client;
		this.settings = settings;
		this.backlog = new Backlog(maxRecords, maxBytes);
		this.clock = clock;
		this.random = random;
		this.listener = listener;
	}

	/**
	 * Whether a send has to join a line, because others wait for the same.
	 * @param topic the topic
	 * @param partition the explicit partition, or -1
	 * @return true if it must not go to the client directly
	 */
	public boolean mustWait(String topic, int partition) {
		return this.table.concerns(topic, partition);
	}

	/**
	 * Let a record wait.
	 * @param waiter the record
	 * @param partitionMissing whether its topic is known and only the partition is not
	 * @return {@code null} if it waits now, otherwise why it may not
	 */
	public @Nullable LineEnd<C> join(W waiter, boolean partitionMissing) {
		return join(waiter, partitionMissing, false);
	}

	/**
	 * The same beyond the bounds, for a record whose topic is ready: it only passes.
	 * @param waiter the record
	 * @param partitionMissing whether its topic is known and only the partition is not
	 * @return {@code null} if it waits now, otherwise why it may not
	 */
	public @Nullable LineEnd<C> joinBeyond(W waiter, boolean partitionMissing) {
		return join(waiter, partitionMissing, true);
	}

	private @Nullable LineEnd<C> join(W waiter, boolean partitionMissing, boolean beyond) {
		if (this.firstBegan.get() == null) {
			this.firstBegan.compareAndSet(null, waiter.startedAt());
		}
		while (true) {
			Line<C, W> line = this.table.lineFor(waiter, partitionMissing);
			Admission<C> admission = line.join(waiter, beyond, this.clock.getAsLong());
			if (admission.gone()) {
				this.table.remove(line);
				continue;
			}
			if (this.closed) {
				line.failClosed(this.clock.getAsLong());
			}
			if (admission.first()) {
				this.listener.begun(waiter.topic());
			}
			return admission.refusal();
		}
	}

	private Line<C, W> newLine(String topic, int partition) {
		LineSettings limits = this.settings.apply(topic);
		long first = limits.backoff().delayNanos(1, this.random.getAsDouble());
		return new Line<>(topic, partition, limits, this.backlog, this.listener, this.clock.getAsLong() + first);
	}

	/**
	 * Note that the client may know more than before; the scheduler is to be signalled.
	 */
	public void changed() {
		this.changes.incrementAndGet();
		this.held.signalAll();
	}

	/**
	 * The senders that are held because too much waits.
	 * @return the senders
	 */
	public HeldCallers held() {
		return this.held;
	}

	/**
	 * Whether records wait here for the client's memory.
	 * @return true if some do
	 */
	public boolean isShortOfMemory() {
		return this.table.anyMatch(Line::isShortOfMemory);
	}

	/**
	 * Whether they were closed.
	 * @return true from then on
	 */
	public boolean isClosed() {
		return this.closed;
	}

	/**
	 * Note that the client has freed memory.
	 * @return whether a line waits for it, so that the scheduler is to be signalled
	 */
	public boolean memoryFreed() {
		if (!this.waitsForMemory) {
			return false;
		}
		long now = this.clock.getAsLong();
		Long before = this.freedAt;
		if (before != null && now - before < MEMORY_PAUSE) {
			return false;
		}
		this.freedAt = now;
		// A line that waits for memory looks in each turn.
		this.waitsForMemory = false;
		return true;
	}

	/**
	 * One turn of the scheduler: look where a look is due, hand over what can be. A line
	 * that somebody else serves is left to him.
	 * @return how long to wait for the next turn in nanoseconds, 0 for not at all
	 */
	public long doWork() {
		long seen = this.changes.get();
		return this.table.shortest((line) -> serveAlone(line, seen));
	}

	/**
	 * Hand over some of a topic's records on the thread of a sender that has just joined
	 * them, unless somebody does so already.
	 * @param topic the topic
	 * @param knownPartitions its partitions, as the client has known them a moment ago
	 */
	public void help(String topic, int knownPartitions) {
		Line<C, W> line = this.table.ofTopic(topic);
		if (line == null || !line.claimIfFree()) {
			return;
		}
		try {
			drain(line, knownPartitions, Turn.LOOK, HELP);
		}
		finally {
			release(line);
		}
	}

	private long serveAlone(Line<C, W> line, long seen) {
		if (!line.claim()) {
			// Whoever serves it says when it is free.
			return LineWorker.UNTIL_SIGNALLED;
		}
		try {
			return serve(line, seen);
		}
		finally {
			release(line);
		}
	}

	private void release(Line<C, W> line) {
		this.held.signal();
		if (line.release()) {
			this.listener.released(line.topic);
		}
	}

	private long serve(Line<C, W> line, long seen) {
		long now = this.clock.getAsLong();
		if (line.retire(now, false)) {
			this.table.remove(line);
			return LineWorker.UNTIL_SIGNALLED;
		}
		Turn turn = line.turn(now, seen);
		switch (turn) {
			case WAIT -> {
				return Math.max(1, line.nextTurnAt() - now);
			}
			case EXHAUSTED -> {
				failHead(line, LineEnd.Kind.ATTEMPTS_EXHAUSTED);
				return 0;
			}
			case ATTEMPT -> this.listener.retried(line.topic);
			case LOOK -> {
			}
		}
		W head = line.head();
		Probe<C> probe = this.client.probe(line.topic, (head != null) ? head.startedAt() : now);
		if (probe.refusal() != null && head != null) {
			line.fail(head, LineEnd.Kind.REFUSED, probe.refusal(), false, this.clock.getAsLong());
			return 0;
		}
		// A hand-over is the only way to ask for a partition; a look at the topic is not.
		boolean ask = turn == Turn.ATTEMPT && line.partition >= 0 && probe.partitions() > 0;
		if (line.unknown(probe.confirmed() && !probe.serves(line.partition), this.clock.getAsLong())) {
			this.listener.hurried(line.topic);
		}
		if (!probe.serves(line.partition) && (!ask || head == null)) {
			return blocked(line, Obstacle.METADATA, turn, false);
		}
		return drain(line, probe.partitions(), turn, BURST);
	}

	private long drain(Line<C, W> line, int knownPartitions, Turn turn, int most) {
		long end = this.clock.getAsLong() + SLICE;
		for (int done = 0; done < most; done++) {
			W head = line.head();
			if (head == null) {
				if (line.retire(this.clock.getAsLong(), true)) {
					this.table.remove(line);
				}
				line.lookAgain();
				return 0;
			}
			if (!head.take()) {
				// Given up while it was being handed over: it is still here, and its
				// share.
				line.removeHead(head, true);
				continue;
			}
			if (line.partition < 0 && head.partition() >= 0 && belongsBehindOthers(head, knownPartitions)) {
				if (moveToPartition(line, head)) {
					continue;
				}
				giveBack(line, head);
				line.lookAgain();
				return LineWorker.UNTIL_SIGNALLED;
			}
			head.attempts(line.attemptsFor(head));
			line.handing();
			switch (this.client.handOver(head)) {
				case DONE -> {
					long now = this.clock.getAsLong();
					this.listener.handedOver(line.topic, now - head.startedAt());
					line.removeHead(head, true);
					if (now - end > 0) {
						line.lookAgain();
						return 0;
					}
				}
				case NO_METADATA -> {
					giveBack(line, head);
					return blocked(line, Obstacle.METADATA, turn, done > 0);
				}
				case NO_MEMORY -> {
					boolean announced = this.waitsForMemory;
					this.waitsForMemory = true;
					giveBack(line, head);
					if (!announced) {
						// What was freed before the note woke nobody: ask once more.
						line.lookAgain();
						this.listener.released(line.topic);
						return 0;
					}
					return blocked(line, Obstacle.MEMORY, turn, done > 0);
				}
			}
		}
		line.lookAgain();
		return 0;
	}

	/** A producer that was closed meanwhile could not fail it, because it was taken. */
	private void giveBack(Line<C, W> line, W head) {
		head.giveBack();
		if (this.closed) {
			line.failClosed(this.clock.getAsLong());
		}
	}

	private long blocked(Line<C, W> line, Obstacle obstacle, Turn turn, boolean progress) {
		long now = this.clock.getAsLong();
		line.blockedBy(obstacle, turn, progress, now, this.random.getAsDouble());
		W head = line.head();
		if (turn == Turn.ATTEMPT && head != null && line.exhausted(head)) {
			failHead(line, LineEnd.Kind.ATTEMPTS_EXHAUSTED);
			return 0;
		}
		long wait = Math.max(1, line.nextTurnAt() - now);
		if (obstacle == Obstacle.MEMORY) {
			// The client tells of a batch that it is done before it frees its memory.
			line.lookAgain();
			wait = Math.min(wait, RECHECK_MEMORY);
		}
		return wait;
	}

	/** Its partition is missing, or was and earlier records for it wait still. */
	private boolean belongsBehindOthers(W head, int knownPartitions) {
		return head.partition() >= knownPartitions || this.table.hasPartition(head.topic(), head.partition());
	}

	/** Move it; false if somebody serves its partition's line, who says when he has. */
	private boolean moveToPartition(Line<C, W> line, W head) {
		while (true) {
			Line<C, W> target = this.table.partitionLine(line.topic, head.partition());
			if (!target.claim()) {
				return false;
			}
			try {
				if (target.adopt(head)) {
					line.removeHead(head, false);
					giveBack(target, head);
					target.adopted(this.clock.getAsLong());
					return true;
				}
			}
			finally {
				release(target);
			}
			this.table.remove(target);
		}
	}

	/**
	 * One turn of the timer: fail the lines whose head has waited for too long.
	 * @return the time to the next deadline in nanoseconds
	 */
	public long expire() {
		return this.table.shortest(this::expire);
	}

	private long expire(Line<C, W> line) {
		W head = line.head();
		if (head == null) {
			return LineWorker.UNTIL_SIGNALLED;
		}
		long now = this.clock.getAsLong();
		long left = line.deadline(head) - now;
		if (left <= 0) {
			return (failHead(line, line.kind(head)) || failBehind(line, head)) ? 1 : RECHECK_TAKEN;
		}
		long untilSlow = head.startedAt() + SLOW - now;
		if (untilSlow > 0) {
			return Math.min(left, untilSlow);
		}
		if (line.becomesSlow()) {
			this.listener.slow(line.topic, line.partition, head.startedAt(), line.obstacle());
		}
		return left;
	}

	/** The head is taken, and user code in its hand-over does not return in time. */
	private boolean failBehind(Line<C, W> line, W head) {
		W next = line.second();
		long now = this.clock.getAsLong();
		if (next == null || now - line.deadline(next) < HAND_OVER_GRACE) {
			return false;
		}
		line.failBehind(head, LineEnd.Kind.TIMED_OUT,
				this.client.diagnose(line.topic, line.partition, next.startedAt(), Obstacle.HAND_OVER), now);
		return true;
	}

	private boolean failHead(Line<C, W> line, LineEnd.Kind kind) {
		W head = line.head();
		if (head == null) {
			return true;
		}
		Obstacle obstacle = this.client.obstacle(line.obstacle(), head.startedAt());
		C cause = this.client.diagnose(line.topic, line.partition, head.startedAt(), obstacle);
		boolean failed = line.fail(head, kind, cause, obstacle == Obstacle.METADATA && hasHadItsChance(line),
				this.clock.getAsLong());
		this.held.signal();
		return failed;
	}

	/**
	 * A cluster that is just being started has not answered anybody: nothing may fail at
	 * once before the first wait could have been over.
	 */
	private boolean hasHadItsChance(Line<C, W> line) {
		Long began = this.firstBegan.get();
		return this.client.hasAnswered() || began == null
				|| this.clock.getAsLong() - began >= line.settings.timeoutNanos();
	}

	/**
	 * Fail what still waits, and from now on whatever joins.
	 * @return how many records were failed
	 */
	public int close() {
		this.closed = true;
		this.held.signalAll();
		long now = this.clock.getAsLong();
		AtomicInteger failed = new AtomicInteger();
		this.table.forEach((line) -> failed.addAndGet(line.failClosed(now)));
		return failed.get();
	}

	/**
	 * The records that wait.
	 * @return the number
	 */
	public long waitingRecords() {
		return this.backlog.records();
	}

	/**
	 * What waits now, line by line in order.
	 * @return the records
	 */
	public List<W> waiting() {
		List<W> result = new ArrayList<>();
		this.table.forEach((line) -> line.addWaiting(result));
		return result;
	}

	/**
	 * The bytes that wait.
	 * @return the size
	 */
	public long waitingBytes() {
		return this.backlog.bytes();
	}

	/**
	 * The lines as they are now.
	 * @return one snapshot per line
	 */
	public List<LineSnapshot<C>> snapshots() {
		List<LineSnapshot<C>> result = new ArrayList<>();
		this.table.forEach((line) -> result.add(line.snapshot()));
		return result;
	}

}
