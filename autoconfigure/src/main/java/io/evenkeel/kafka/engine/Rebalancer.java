package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.EngineListener.RebalanceEvent;
import io.evenkeel.kafka.engine.EngineListener.ResetCause;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.offset.CompletedOffsets;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when partitions come and go. All of it runs on the owner thread, inside
 * the consumer's callbacks.
 *
 * <h2>Revoked</h2> Stop starting the partitions' records, drop those that are queued,
 * wait for those in hand (workers go on serving all other partitions from their queues
 * meanwhile), commit, fence, tell the application. Drain first, fence second: fencing
 * first would throw finished work away and hand it over as duplicates.
 *
 * <h2>Lost</h2> Somebody else may own the partitions already: fence at once, commit
 * nothing.
 *
 * <h2>Assigned</h2> Each partition gets a new assignment. The committed offsets are read
 * here with a bounded wait; when they cannot be had the partition stays paused and
 * {@link #restore} asks again in the next turns, because handling records whose
 * completion is only recorded in the metadata would make duplicates.
 */
final class Rebalancer<K, V> implements ConsumerRebalanceListener {

	private static final Logger logger = LoggerFactory.getLogger(Rebalancer.class);

	private static final long DRAIN_STEP_NANOS = Duration.ofMillis(10).toNanos();

	private final String id;

	private final Consumer<K, V> consumer;

	private final AssignmentTable<K, V> table;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final Committer<K, V> committer;

	private final Completions<K, V> completions;

	private final EngineSettings settings;

	private final EngineCallbacks<K, V> callbacks;

	private final EngineListener listener;

	private final LongSupplier clock;

	private final OwnerWait ownerWait;

	private final RebalanceLog log;

	private final Runnable pauses;

	private final Positions<K, V> positions;

	/** What is left for draining when the listener stops; negative while it does not. */
	private long stopDeadline = -1;

	private boolean stopping;

	private boolean failing;

	private boolean changed;

	/** Read by other threads: they ask whether a callback is running. */
	private volatile boolean active;

	Rebalancer(String id, Consumer<K, V> consumer, AssignmentTable<K, V> table,
			Dispatcher<ConsumerRecord<K, V>> dispatcher, Committer<K, V> committer, Completions<K, V> completions,
			EngineSettings settings, EngineCallbacks<K, V> callbacks, EngineListener listener, LongSupplier clock,
			OwnerWait ownerWait, RebalanceLog log, Runnable pauses) {
		this.id = id;
		this.consumer = consumer;
		this.table = table;
		this.dispatcher = dispatcher;
		this.committer = committer;
		this.completions = completions;
		this.settings = settings;
		this.callbacks = callbacks;
		this.listener = listener;
		this.clock = clock;
		this.ownerWait = ownerWait;
		this.log = log;
		this.pauses = pauses;
		this.positions = new Positions<>(id, consumer);
	}

	@Override
	public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
		this.active = true;
		try {
			assigned(partitions);
		}
		finally {
			this.active = false;
		}
	}

	private void assigned(Collection<TopicPartition> partitions) {
		long start = this.clock.getAsLong();
		// A callback that failed may be repeated: what it left is replaced, never
		// doubled.
		fence(this.table.of(partitions));
		List<PartitionState<K, V>> opened = new ArrayList<>(partitions.size());
		for (TopicPartition partition : partitions) {
			opened.add(this.table.open(partition));
		}
		this.changed = true;
		if (this.stopping) {
			this.dispatcher.stop(AssignmentTable.assignments(opened));
		}
		try {
			restore(this.settings.commitTimeout());
		}
		catch (RuntimeException ex) {
			// The callback must not end half-way: the next turn asks again, and fails in
			// its
			// place if it must.
			logger.warn("{}: the committed offsets of {} could not be read", this.id, partitions, ex);
		}
		// Before the same poll can bring records of a partition that should be paused.
		this.pauses.run();
		List<AssignedPartition> assigned = AssignmentTable.assigned(opened);
		guarded("assigned", () -> this.callbacks.assigned(this.consumer, assigned));
		long nanos = this.clock.getAsLong() - start;
		guarded("assigned", () -> this.listener.assigned(assigned, nanos));
		if (!partitions.isEmpty()) {
			this.log.add(RebalanceEvent.ASSIGNED, partitions, nanos, 0, 0, 0);
			logger.info("{}: assigned {}", this.id, opened.stream().map(PartitionState::assignment).toList());
		}
	}

	@Override
	public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
		long start = this.clock.getAsLong();
		List<PartitionState<K, V>> revoked = this.table.of(partitions);
		if (revoked.isEmpty() && (this.stopping || this.failing)) {
			// The client closes; everything was handed over before.
			return;
		}
		this.active = true;
		try {
			Drain drain = drain(revoked, start);
			guarded("revoked", () -> this.callbacks.beforeCommit(this.consumer, partitions));
			commit(revoked);
			finish(revoked, partitions, RebalanceEvent.REVOKED, start, drain);
		}
		finally {
			this.active = false;
		}
	}

	@Override
	public void onPartitionsLost(Collection<TopicPartition> partitions) {
		long start = this.clock.getAsLong();
		List<PartitionState<K, V>> lost = this.table.of(partitions);
		if (lost.isEmpty() && (this.stopping || this.failing)) {
			return;
		}
		lost(lost, partitions, ResetCause.LOST, start);
	}

	/** A commit was refused and the consumer does not own these any more. */
	void disowned(List<PartitionState<K, V>> gone) {
		lost(gone, gone.stream().map(PartitionState::partition).toList(), ResetCause.FENCED, this.clock.getAsLong());
	}

	private void lost(List<PartitionState<K, V>> lost, Collection<TopicPartition> partitions, ResetCause cause,
			long start) {
		int before = dropped(lost);
		fence(lost);
		Drain drain = new Drain(0, dropped(lost) - before, outstanding(lost));
		if (!lost.isEmpty()) {
			guarded("lost", () -> {
				this.listener.reset(cause, lost.size());
				this.listener.gaveUp(drain.dropped, drain.abandoned);
			});
		}
		finish(lost, partitions, RebalanceEvent.LOST, start, drain);
	}

	/**
	 * Read committed offsets for assignments that do not have theirs yet.
	 * @param timeout the longest wait
	 */
	void restore(Duration timeout) {
		Set<TopicPartition> missing = new HashSet<>();
		for (PartitionState<K, V> state : this.table.view()) {
			// Nothing of one that stops will start, so there is nothing to wait for.
			if (!state.isRestored() && !state.assignment().isStopping()) {
				missing.add(state.partition());
			}
		}
		if (missing.isEmpty()) {
			return;
		}
		if (!this.settings.hasGroup()) {
			this.table.of(missing).forEach((state) -> state.restoredEmpty(false));
			return;
		}
		try {
			Map<TopicPartition, OffsetAndMetadata> committed = this.consumer.committed(missing, timeout);
			this.table.of(missing).forEach((state) -> restore(state, committed));
		}
		catch (WakeupException | RetriableException ex) {
			if (!this.settings.saveCompleted() && !this.settings.commitInitialPosition()) {
				// Good to know, but nothing depends on it.
				this.table.of(missing).forEach((state) -> state.restoredEmpty(false));
				return;
			}
			logger.warn("{}: the committed offsets of {} could not be read yet; the partitions wait", this.id, missing,
					ex);
		}
	}

	private void restore(PartitionState<K, V> state, Map<TopicPartition, OffsetAndMetadata> all) {
		OffsetAndMetadata committed = all.get(state.partition());
		if (committed == null) {
			state.restoredEmpty(this.settings.commitInitialPosition());
			return;
		}
		CompletedOffsets completed = CompletedOffsets
			.decode(this.settings.saveCompleted() ? committed.metadata() : null, committed.offset());
		switch (completed.status()) {
			case ABSENT, OK -> logger.debug("{}: {} continues at {}", this.id, state.assignment(), committed.offset());
			case FOREIGN, DAMAGED, HUGE -> {
				logger.warn(
						"{}: the metadata of the committed offset of {} is not used ({}): records that its "
								+ "previous owner completed out of order may be handled again",
						this.id, state.partition(), completed.status());
				guarded("assigned", this.listener::metadataIgnored);
			}
		}
		state.restore(committed.offset(), this.settings.saveCompleted() ? committed.metadata() : "", completed);
	}

	/**
	 * Begin a stop: drain everything against one deadline. The polling goes on meanwhile.
	 * @param deadline nanoseconds of the clock
	 */
	void stopping(long deadline) {
		this.stopping = true;
		this.stopDeadline = deadline;
		this.dispatcher.stop(AssignmentTable.assignments(this.table.all()));
	}

	/** The consumer is to be replaced: commit what is done, wait for nothing. */
	void failing() {
		this.failing = true;
	}

	private Drain drain(List<PartitionState<K, V>> states, long start) {
		this.completions.apply();
		if (!this.failing) {
			this.positions.learn(states);
		}
		int droppedBefore = this.stopping ? 0 : dropped(states);
		this.dispatcher.stop(AssignmentTable.assignments(states));
		int droppedFirst = dropped(states);
		int inHandFirst = outstanding(states);
		int inHand = inHandFirst;
		long deadline = deadline(start);
		while (inHand > 0 && this.clock.getAsLong() - deadline < 0) {
			this.dispatcher.tick();
			this.ownerWait.await(Math.min(DRAIN_STEP_NANOS, deadline - this.clock.getAsLong()));
			this.completions.apply();
			inHand = outstanding(states);
		}
		this.completions.apply();
		inHand = outstanding(states);
		if (inHand > 0) {
			abandon(states, inHand);
		}
		int droppedLast = dropped(states);
		Drain drain = new Drain(Math.max(0, inHandFirst - inHand - (droppedLast - droppedFirst)),
				droppedLast - droppedBefore, inHand);
		long nanos = this.clock.getAsLong() - start;
		if (!states.isEmpty()) {
			guarded("revoked", () -> this.listener.drained(drain.abandoned == 0, nanos, drain.drained, drain.dropped,
					drain.abandoned));
		}
		return drain;
	}

	private long deadline(long start) {
		if (this.failing) {
			return start;
		}
		return this.stopping ? this.stopDeadline : start + this.settings.drainTimeout().toNanos();
	}

	private void abandon(List<PartitionState<K, V>> states, int inHand) {
		if (this.failing) {
			logger.warn("{}: the consumer failed with {} record(s) in hand; their results will not count", this.id,
					inHand);
			return;
		}
		logger.warn(
				"{}: {} record(s) were still in hand after the drain timeout of {} ms; their results will not "
						+ "count, and their next owner handles them again",
				this.id, inHand, this.settings.drainTimeout().toMillis());
		if (this.settings.onDrainTimeout() == OnDrainTimeout.INTERRUPT) {
			states.forEach((state) -> this.dispatcher.interrupt(state.assignment()));
		}
	}

	private void commit(List<PartitionState<K, V>> states) {
		Duration timeout = this.settings.commitTimeout();
		if (this.failing && timeout.compareTo(Duration.ofSeconds(1)) > 0) {
			timeout = Duration.ofSeconds(1);
		}
		this.committer.commitNow(states, timeout);
	}

	private void finish(List<PartitionState<K, V>> states, Collection<TopicPartition> partitions, RebalanceEvent event,
			long start, Drain drain) {
		fence(states);
		List<AssignedPartition> gone = AssignmentTable.assigned(states);
		guarded(event.name(), () -> {
			if (event == RebalanceEvent.LOST) {
				this.callbacks.lost(this.consumer, gone);
			}
			else {
				this.callbacks.revoked(this.consumer, gone);
			}
		});
		long nanos = this.clock.getAsLong() - start;
		guarded(event.name(), () -> this.listener.unassigned(gone, event, nanos));
		this.changed = true;
		if (!partitions.isEmpty()) {
			this.log.add(event, partitions, nanos, drain.drained, drain.dropped, drain.abandoned);
			logger.info("{}: {} {} in {} ms: {} drained, {} dropped, {} abandoned", this.id,
					(event == RebalanceEvent.LOST) ? "lost" : "revoked",
					states.stream().map(PartitionState::assignment).toList(), nanos / 1_000_000, drain.drained,
					drain.dropped, drain.abandoned);
		}
	}

	/** Close assignments for good: nothing of them counts any more. */
	void fence(List<PartitionState<K, V>> states) {
		if (!states.isEmpty()) {
			this.dispatcher.stop(AssignmentTable.assignments(states));
			states.forEach(this.table::close);
		}
	}

	/** Whether a callback is running. Any thread. */
	boolean isActive() {
		return this.active;
	}

	/** Whether assignments have come or gone since the last call. */
	boolean takeChanged() {
		boolean taken = this.changed;
		this.changed = false;
		return taken;
	}

	/**
	 * How many records of stopping assignments a drain must wait for: those inside a
	 * call, and those whose acknowledgment may come any moment. Where one acknowledgment
	 * covers the earlier records the latter are not waited for: the next one would come
	 * with a record that will not be delivered here any more.
	 */
	int outstanding(List<PartitionState<K, V>> states) {
		int outstanding = 0;
		for (PartitionState<K, V> state : states) {
			Dispatcher.Load load = this.dispatcher.load(state.assignment());
			int open = state.assignment().tracker().unfinished() - load.dropped();
			outstanding += this.settings.coverEarlier() ? load.inHand() : Math.max(load.inHand(), open);
		}
		return outstanding;
	}

	private int dropped(List<PartitionState<K, V>> states) {
		int dropped = 0;
		for (PartitionState<K, V> state : states) {
			dropped += this.dispatcher.load(state.assignment()).dropped();
		}
		return dropped;
	}

	/**
	 * What others do in a callback must not leave partition state half made, whatever
	 * they throw: an error here would end the callback before the commit or the fence.
	 */
	private void guarded(String event, Runnable action) {
		try {
			action.run();
		}
		catch (Throwable ex) {
			logger.error("{}: the {} callback of the application failed", this.id, event, ex);
		}
	}

	private record Drain(int drained, int dropped, int abandoned) {
	}

}
