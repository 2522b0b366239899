package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.EngineObserver.RebalanceEvent;
import io.evenkeel.kafka.engine.EngineObserver.ResetCause;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
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
 * {@link #restore} asks again in the next turns.
 */
final class Rebalancer<K, V> implements ConsumerRebalanceListener {

	private static final Logger logger = LoggerFactory.getLogger(Rebalancer.class);

	private final String id;

	private final Consumer<K, V> consumer;

	private final AssignmentTable<K, V> table;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final Committer<K, V> committer;

	private final EngineSettings settings;

	private final EngineCallbacks<K, V> callbacks;

	private final EngineObserver listener;

	private final LongSupplier clock;

	private final RebalanceLog log;

	private final Runnable pauses;

	private final Runnable publish;

	private final Drain<K, V> drain;

	private final CommittedOffsets<K, V> committedOffsets;

	private boolean changed;

	/** Read by other threads: they ask whether a callback is running. */
	private volatile boolean active;

	Rebalancer(String id, Consumer<K, V> consumer, AssignmentTable<K, V> table,
			Dispatcher<ConsumerRecord<K, V>> dispatcher, Committer<K, V> committer, Completions<K, V> completions,
			EngineSettings settings, EngineCallbacks<K, V> callbacks, EngineObserver listener, LongSupplier clock,
			OwnerWait ownerWait, RebalanceLog log, Runnable pauses, Runnable publish) {
		this.id = id;
		this.consumer = consumer;
		this.table = table;
		this.dispatcher = dispatcher;
		this.committer = committer;
		this.settings = settings;
		this.callbacks = callbacks;
		this.listener = listener;
		this.clock = clock;
		this.log = log;
		this.pauses = pauses;
		this.publish = publish;
		this.drain = new Drain<>(id, consumer, dispatcher, completions, settings, listener, clock, ownerWait);
		this.committedOffsets = new CommittedOffsets<>(id, consumer, table, settings, listener);
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
		if (this.drain.isStopping()) {
			this.dispatcher.stop(AssignmentTable.assignments(opened));
		}
		try {
			// The rest of the time is the application's.
			this.committedOffsets.restore(this.settings.commitTimeout().multipliedBy(3).dividedBy(4));
		}
		catch (RuntimeException ex) {
			// The callback must not end half-way: the next turn asks again, and fails in
			// its
			// place if it must.
			logger.warn("{}: the committed offsets of {} could not be read", this.id, partitions, ex);
		}
		// Before the same poll can bring records of a partition that should be paused.
		this.pauses.run();
		// Whatever the callback is told can be seen by then.
		this.publish.run();
		List<AssignedPartition> assigned = AssignmentTable.assigned(opened);
		guarded("assigned", () -> this.callbacks.assigned(this.consumer, assigned));
		long nanos = this.clock.getAsLong() - start;
		this.listener.assigned(assigned, nanos);
		if (!partitions.isEmpty()) {
			this.log.add(RebalanceEvent.ASSIGNED, partitions, nanos, 0, 0, 0);
			logger.info("{}: assigned {}", this.id, opened.stream().map(PartitionState::assignment).toList());
		}
	}

	@Override
	public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
		long start = this.drain.begin(this.clock.getAsLong());
		List<PartitionState<K, V>> revoked = this.table.of(partitions);
		if (revoked.isEmpty() && (this.drain.isStopping() || this.drain.isFailing())) {
			// The client closes; everything was handed over before.
			return;
		}
		this.active = true;
		try {
			Drain.Result drained = this.drain.drain(revoked, start);
			guarded("revoked", () -> this.callbacks.beforeCommit(this.consumer, partitions));
			commit(revoked);
			finish(revoked, partitions, RebalanceEvent.REVOKED, start, drained);
		}
		finally {
			this.active = false;
		}
	}

	@Override
	public void onPartitionsLost(Collection<TopicPartition> partitions) {
		long start = this.clock.getAsLong();
		List<PartitionState<K, V>> lost = this.table.of(partitions);
		if (lost.isEmpty() && (this.drain.isStopping() || this.drain.isFailing())) {
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
		int before = this.drain.dropped(lost);
		fence(lost);
		int notBegun = this.drain.notBegun(lost);
		Drain.Result givenUp = new Drain.Result(0, this.drain.dropped(lost) - before + notBegun,
				this.drain.outstanding(lost) - notBegun);
		if (!lost.isEmpty()) {
			this.listener.reset(cause, lost.size());
			this.listener.gaveUp(givenUp.dropped(), givenUp.abandoned());
		}
		finish(lost, partitions, RebalanceEvent.LOST, start, givenUp);
	}

	/**
	 * Begin a stop: drain everything against one deadline. The polling goes on meanwhile.
	 * @param deadline nanoseconds of the clock
	 */
	void stopping(long deadline) {
		this.drain.stopping(deadline, this.table.all());
	}

	/**
	 * The consumer is to be replaced: what is in hand may end within a time, what is done
	 * is committed.
	 */
	void failing(Duration drain) {
		this.drain.failing(drain.toNanos());
	}

	private void commit(List<PartitionState<K, V>> states) {
		Duration timeout = this.settings.commitTimeout();
		if (this.drain.isFailing() && timeout.compareTo(Duration.ofSeconds(1)) > 0) {
			timeout = Duration.ofSeconds(1);
		}
		this.committer.commitNow(states, timeout);
	}

	private void finish(List<PartitionState<K, V>> states, Collection<TopicPartition> partitions, RebalanceEvent event,
			long start, Drain.Result result) {
		fence(states);
		this.publish.run();
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
		this.listener.unassigned(gone, event, nanos);
		this.changed = true;
		if (!partitions.isEmpty()) {
			this.log.add(event, partitions, nanos, result.drained(), result.dropped(), result.abandoned());
			logger.info("{}: {} {} in {} ms: {} drained, {} dropped, {} abandoned", this.id,
					(event == RebalanceEvent.LOST) ? "lost" : "revoked",
					states.stream().map(PartitionState::assignment).toList(), nanos / 1_000_000, result.drained(),
					result.dropped(), result.abandoned());
		}
	}

	/** Close assignments for good: nothing of them counts any more. */
	void fence(List<PartitionState<K, V>> states) {
		if (!states.isEmpty()) {
			this.dispatcher.stop(AssignmentTable.assignments(states));
			states.forEach(this.table::close);
		}
	}

	/**
	 * Read committed offsets for assignments that do not have theirs yet.
	 * @param timeout the longest wait
	 */
	void restore(Duration timeout) {
		this.committedOffsets.restore(timeout);
	}

	/** How many records of stopping assignments a drain must wait for. */
	int outstanding(List<PartitionState<K, V>> states) {
		return this.drain.outstanding(states);
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
	 * What the application does in a callback must not leave partition state half made,
	 * whatever it throws: an error here would end the callback before the commit or the
	 * fence. The listener guards itself.
	 */
	private void guarded(String event, Runnable action) {
		try {
			action.run();
		}
		catch (Throwable ex) {
			logger.error("{}: the {} callback of the application failed", this.id, event, ex);
		}
	}

}
