package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The owner's loop around one consumer: apply completions, commit, pause or resume, poll,
 * queue what came. A thread drives it in production, a test steps it by hand; it has no
 * thread and no lock of its own.
 *
 * <p>
 * The consumer is never woken from outside. A poll waits {@code pollTimeout} at most, and
 * a few milliseconds while a partition is held back, so whatever other threads want is
 * seen soon enough, and no wake-up can hit a commit or a callback and lose it. While all
 * partitions are held back the owner waits for room and not inside a poll.
 */
final class ConsumerLoop<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(ConsumerLoop.class);

	private static final Duration SHORT_POLL = Duration.ofMillis(5);

	/** While partitions that are held back are being worked off. */
	private static final Duration SHORTEST_POLL = Duration.ofMillis(1);

	/** Between two polls; the callback itself may wait longer. */
	private static final Duration RESTORE_WAIT = Duration.ofMillis(250);

	/** How long after a question the next one is expected. */
	private static final long ASKED_NANOS = TimeUnit.SECONDS.toNanos(1);

	private static final long SNAPSHOT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

	private final String id;

	private final Consumer<K, V> consumer;

	private final AssignmentTable<K, V> table;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final Completions<K, V> completions;

	private final Committer<K, V> committer;

	private final Rebalancer<K, V> rebalancer;

	private final Intake<K, V> intake;

	private final Positions<K, V> positions;

	private final PauseController<K, V> pauses;

	private final Views<K, V> views;

	private final LagWatch<K, V> lags;

	private final Snapshots<K, V> snapshots;

	private final UserCommits<K, V> userCommits;

	/** Until when polls are short, because somebody waits for the owner. */
	private long askedUntil;

	private final RecordHandler<K, V> handler;

	private final EngineCallbacks<K, V> callbacks;

	private final EngineSettings settings;

	private final LongSupplier clock;

	private final OwnerWait ownerWait;

	/** Whether the last poll did. */
	private boolean broughtRecords;

	private EngineSnapshot snapshot = EngineSnapshot.EMPTY;

	private boolean stopping;

	ConsumerLoop(String id, Consumer<K, V> consumer, EngineParts<K, V> parts) {
		this.id = id;
		this.consumer = consumer;
		this.table = parts.table();
		this.dispatcher = parts.dispatcher();
		this.completions = parts.completions();
		this.handler = parts.handler();
		this.callbacks = parts.callbacks();
		this.settings = parts.settings();
		this.clock = parts.clock();
		this.ownerWait = parts.ownerWait();
		this.committer = new Committer<>(id, consumer, this.settings, parts.listener(), this.clock, parts.ownerWait());
		this.rebalancer = new Rebalancer<>(id, consumer, this.table, this.dispatcher, this.committer, this.completions,
				this.settings, this.callbacks, parts.listener(), this.clock, parts.ownerWait(), parts.log(),
				this::applyPauses, this::publish);
		this.intake = new Intake<>(id, this.table, this.dispatcher, parts.laneKeys(), this::renew, this.handler,
				consumer::seek, this::publish);
		this.views = new Views<>(consumer, this.table);
		this.lags = new LagWatch<>(consumer, parts.listener(), this.clock);
		this.snapshots = new Snapshots<>(consumer, this.dispatcher, this.table);
		this.userCommits = new UserCommits<>(this.table, this.completions, this.committer, this.settings);
		this.askedUntil = this.clock.getAsLong();
		this.positions = new Positions<>(id, consumer);
		this.pauses = new PauseController<>(consumer, this.table, this.dispatcher, parts.pauseRequests(), this.settings,
				this.clock);
	}

	/** What the consumer is to be subscribed with. */
	Rebalancer<K, V> rebalancer() {
		return this.rebalancer;
	}

	/** Partitions were assigned by hand: there will be no callback. */
	void assignedByHand() {
		this.rebalancer.onPartitionsAssigned(this.consumer.assignment());
	}

	/**
	 * One turn.
	 * @return how much was done, 0 for nothing
	 */
	int doWork() {
		if (waitsForRoom()) {
			awaitRoom(this.pauses.isAllHeldBack() ? SHORT_POLL : SHORTEST_POLL);
		}
		int work = this.completions.apply();
		this.rebalancer.restore(RESTORE_WAIT);
		this.positions.turn(this.table, this.committer.untilDue() == 0);
		if (this.committer.takeOwnershipInDoubt()) {
			checkOwnership();
		}
		this.committer.turn(this.table.changed());
		applyPauses();
		this.dispatcher.tick();
		work += poll();
		work += this.completions.apply();
		this.completions.retireLanes();
		this.lags.turn(this.table);
		takeSnapshot();
		return work;
	}

	private void applyPauses() {
		this.pauses.apply(this.stopping);
		this.intake.room(this.pauses.room());
	}

	private int poll() {
		try {
			ConsumerRecords<K, V> polled = this.consumer.poll(pollTimeout());
			// A consumer that an application has mocked or wrapped may have no answer.
			ConsumerRecords<K, V> records = (polled != null) ? polled : ConsumerRecords.empty();
			this.lags.polled(records, this.table);
			this.broughtRecords = !records.isEmpty();
			int queued = this.intake.accept(records, this.clock.getAsLong());
			this.pauses.polled(records.count(), this.intake.polledBytes());
			this.callbacks.polled(this.consumer, records.count());
			return queued;
		}
		catch (RecordDeserializationException ex) {
			poison(ex);
			return 1;
		}
		catch (WakeupException ex) {
			logger.debug("{}: woken from a poll", this.id);
			return 0;
		}
	}

	private void poison(RecordDeserializationException failure) {
		TopicPartition partition = failure.topicPartition();
		if (this.table.get(partition) == null) {
			return;
		}
		if (this.intake.acceptPoison(this.handler.undeserializable(failure), failure, this.clock.getAsLong())) {
			this.consumer.seek(partition, failure.offset() + 1);
		}
	}

	/**
	 * A poll would bring nothing and keep the owner until its time is over, while the
	 * workers go through what is queued: wait for them, so that the next fetch is under
	 * way before they have nothing left.
	 */
	private void awaitRoom(Duration most) {
		this.dispatcher.signalAt(this.pauses.comesBackAt());
		this.ownerWait.awaitSignal(most.toNanos());
	}

	/** Where some can be fetched that have brought nothing it is a short wait. */
	private boolean waitsForRoom() {
		return !this.stopping && (this.pauses.isAllHeldBack() || (this.pauses.isMoving() && !this.broughtRecords));
	}

	private Duration pollTimeout() {
		if (!this.stopping && (this.pauses.isAllHeldBack() || this.pauses.isMoving())) {
			return Duration.ZERO;
		}
		if (this.stopping || this.pauses.isHoldingBack() || this.clock.getAsLong() - this.askedUntil < 0) {
			return SHORT_POLL;
		}
		long untilCommit = TimeUnit.NANOSECONDS.toMillis(this.committer.untilDue());
		long millis = Math.min(this.settings.pollTimeout().toMillis(), Math.max(SHORT_POLL.toMillis(), untilCommit));
		return Duration.ofMillis(millis);
	}

	/**
	 * A commit was refused: what the consumer still owns keeps its state, the rest is
	 * reset.
	 */
	private void checkOwnership() {
		Collection<TopicPartition> owned = this.consumer.assignment();
		List<PartitionState<K, V>> gone = new ArrayList<>();
		for (PartitionState<K, V> state : this.table.view()) {
			if (!owned.contains(state.partition())) {
				gone.add(state);
			}
		}
		if (!gone.isEmpty()) {
			logger.warn("{}: a commit was refused and {} partition(s) are not owned any more: their state is reset",
					this.id, gone.size());
			this.rebalancer.disowned(gone);
		}
	}

	private PartitionState<K, V> renew(PartitionState<K, V> state) {
		boolean seen = state.assignment().tracker().position() >= 0;
		this.rebalancer.fence(List.of(state));
		PartitionState<K, V> fresh = seen ? this.table.open(state.partition()) : this.table.reopen(state);
		// What had ended before it was moved may not be committed yet, and no record may
		// come any more that would show where it stands.
		fresh.restoredEmpty(true);
		fresh.atBroker(state);
		fresh.follows(state, this.clock.getAsLong() + this.settings.drainTimeout().toNanos());
		this.pauses.hold(fresh);
		return fresh;
	}

	/**
	 * Move a partition: whatever is pending of it is given up, what is completed counts
	 * for nothing any more, and a new assignment begins at the given offset. As long as
	 * nothing was seen of the assignment, the new one has its epoch.
	 * @param partition an assigned partition; another one is ignored
	 * @param move does the seek; a time-out means that it cannot be done yet
	 * @return false when it has to be tried again
	 */
	boolean seek(TopicPartition partition, java.util.function.Consumer<Consumer<K, V>> move) {
		PartitionState<K, V> state = this.table.get(partition);
		if (state == null) {
			logger.warn("{}: seek of {} ignored: it is not assigned here", this.id, partition);
			return true;
		}
		if (state.assignment().isStopping()) {
			// A new assignment now would outlive the hand-over.
			logger.warn("{}: seek of {} ignored: it is being handed over", this.id, partition);
			return true;
		}
		try {
			move.accept(this.consumer);
		}
		catch (TimeoutException ex) {
			logger.warn("{}: seek of {} cannot be done yet ({}); it is tried again", this.id, partition,
					ex.getMessage());
			return false;
		}
		renew(state);
		publish();
		return true;
	}

	/**
	 * Where the application is in a partition: its lowest record that has not ended.
	 * Where none was seen yet that is where the client begins, which is asked for.
	 * @param timeout the longest wait for that
	 * @return empty when it is not known, or the partition is not assigned
	 */
	OptionalLong position(TopicPartition partition, Duration timeout) {
		PartitionState<K, V> state = this.table.get(partition);
		if (state == null) {
			return OptionalLong.empty();
		}
		this.completions.apply();
		long known = state.assignment().tracker().committable();
		if (known >= 0) {
			return OptionalLong.of(known);
		}
		OptionalLong fetched = fetched(partition, Duration.ZERO);
		if (fetched.isPresent()) {
			return fetched;
		}
		// Where it goes on, which the client may only find out in its next poll.
		return (state.restoredOffset() >= 0) ? OptionalLong.of(state.restoredOffset()) : fetched(partition, timeout);
	}

	private OptionalLong fetched(TopicPartition partition, Duration timeout) {
		try {
			return OptionalLong.of(this.consumer.position(partition, timeout));
		}
		catch (RuntimeException ex) {
			// What is wrong for longer is said by the next poll.
			logger.debug("{}: the position of {} is not known yet", this.id, partition, ex);
			return OptionalLong.empty();
		}
	}

	/**
	 * Whether records of a partition are inside a call, those included that were polled
	 * before it was moved.
	 */
	boolean isRunning(TopicPartition partition) {
		PartitionState<K, V> state = this.table.get(partition);
		return state != null && (state.hasPredecessor() || this.dispatcher.load(state.assignment()).inFlight() > 0);
	}

	/** Somebody waited for the owner, and may do so again soon. */
	void asked() {
		this.askedUntil = this.clock.getAsLong() + ASKED_NANOS;
	}

	UserCommits<K, V> userCommits() {
		return this.userCommits;
	}

	private void publish() {
		this.views.publish();
	}

	/** What other threads may know. Any thread. */
	ConsumerView view() {
		return this.views.current();
	}

	/**
	 * Begin to stop: no record starts any more.
	 * @param deadline nanoseconds of the clock until when records in hand are waited for
	 */
	void stop(long deadline) {
		this.positions.learn(this.table.view());
		this.stopping = true;
		this.rebalancer.stopping(deadline);
	}

	/** Whether nothing is left that a stop should wait for. */
	boolean isDrained() {
		this.completions.apply();
		return this.rebalancer.outstanding(this.table.all()) == 0;
	}

	/**
	 * Whether nothing is left that a stop should wait for but what some threads have in
	 * hand themselves.
	 */
	boolean isDrainedBut(Collection<Thread> threads) {
		this.completions.apply();
		List<PartitionState<K, V>> all = this.table.all();
		return this.rebalancer.outstanding(all) <= this.dispatcher.heldBy(AssignmentTable.assignments(all), threads);
	}

	/**
	 * Commit, leave the group and close the consumer. All assignments are gone
	 * afterwards.
	 * @param timeout the longest wait for the client to close
	 */
	void close(Duration timeout) {
		List<TopicPartition> assigned = this.table.all().stream().map(PartitionState::partition).toList();
		try {
			// While the consumer is whole: closing calls back only when it is in a group.
			this.rebalancer.onPartitionsRevoked(assigned);
		}
		finally {
			try {
				this.consumer.close(CloseOptions.timeout(timeout));
			}
			finally {
				this.rebalancer.fence(this.table.all());
				this.userCommits.cancel();
				this.committer.cancel();
				takeSnapshot();
			}
		}
	}

	/**
	 * Another member has taken this one's place, and may own its partitions already: they
	 * are lost.
	 */
	void fenced() {
		this.rebalancer.failing(Duration.ZERO);
		if (this.table.size() > 0) {
			this.rebalancer.disowned(this.table.all());
		}
	}

	/**
	 * The consumer has failed: save what can be saved and clear all state.
	 * @param drain how long records in hand may end, at most; they would be handled again
	 * @param timeout the longest wait for the client to close
	 */
	void abandon(Duration drain, Duration timeout) {
		this.rebalancer.failing(drain);
		try {
			close(timeout);
		}
		catch (Throwable ex) {
			logger.warn("{}: the failed consumer could not be closed cleanly", this.id, ex);
		}
	}

	private void takeSnapshot() {
		long now = this.clock.getAsLong();
		if (this.rebalancer.takeChanged() || now - this.snapshot.atNanos() > SNAPSHOT_NANOS) {
			this.snapshot = this.snapshots.take(now, this.committer.committedNanos());
		}
	}

	Consumer<K, V> consumer() {
		return this.consumer;
	}

	EngineSnapshot snapshot() {
		return this.snapshot;
	}

	int assignments() {
		return this.table.size();
	}

}
