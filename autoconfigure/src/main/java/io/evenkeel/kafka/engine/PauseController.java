package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.ChangedStates.Reader;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Pauses and resumes partitions of the consumer so that they agree with what is wanted. A
 * turn looks at the partitions that something has happened to. All of them are looked at,
 * and the consumer's own pauses are asked for, when partitions have come or gone (an
 * eager rebalance forgets the consumer's pauses and a cooperative one keeps them, and
 * this is right in both), when the user has paused or resumed, when the room of the
 * listener as a whole has filled up or come back, and every five seconds in any case.
 * Owner thread only.
 */
final class PauseController<K, V> {

	private static final long LOOK_AT_ALL_NANOS = TimeUnit.SECONDS.toNanos(5);

	private final Consumer<K, V> consumer;

	private final AssignmentTable<K, V> table;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final PauseRequests requests;

	private final EngineSettings settings;

	private final LongSupplier clock;

	private final Room records;

	private final Room bytes;

	/** What is held back because too much of it is pending. */
	private final Set<PartitionState<K, V>> heldBack = new LinkedHashSet<>();

	private final List<PartitionState<K, V>> pause = new ArrayList<>();

	private final List<PartitionState<K, V>> resume = new ArrayList<>();

	/** What the last look at all partitions went by; they are looked at again if not. */
	private long tableChanges = -1;

	private long requestChanges;

	private boolean allPaused;

	private boolean stopping;

	private long lookedAtAll;

	private boolean starving;

	/** Whether something has happened to one that is held back. */
	private boolean moving;

	/** Whether one waits for the records in hand of the one that it replaces. */
	private boolean oneWaits;

	PauseController(Consumer<K, V> consumer, AssignmentTable<K, V> table, Dispatcher<ConsumerRecord<K, V>> dispatcher,
			PauseRequests requests, EngineSettings settings, LongSupplier clock) {
		this.clock = clock;
		this.consumer = consumer;
		this.table = table;
		this.dispatcher = dispatcher;
		this.requests = requests;
		this.settings = settings;
		this.records = new Room(settings.maxPendingRecords());
		this.bytes = new Room(settings.maxPendingBytes());
	}

	/**
	 * Make the consumer's pauses what they should be.
	 * @param stopping whether nothing is wanted any more
	 */
	void apply(boolean stopping) {
		boolean before = this.starving;
		this.starving = this.dispatcher.weigh(this.table::touch);
		if (isOutdated(stopping)) {
			lookAtAll(stopping);
		}
		List<PartitionState<K, V>> changed = this.table.changed().take(Reader.PAUSES);
		for (PartitionState<K, V> state : changed) {
			count(state);
		}
		boolean forAll = this.records.look(this.table.size(), this.starving)
				| this.bytes.look(this.table.size(), this.starving);
		this.oneWaits = false;
		this.moving = false;
		if (forAll) {
			this.table.view().forEach(this::decide);
		}
		else {
			changed.forEach(this::decide);
			if (this.starving != before) {
				// It makes a difference to these only.
				List.copyOf(this.heldBack).forEach(this::decide);
			}
		}
		change();
	}

	private boolean isOutdated(boolean stopping) {
		return this.tableChanges != this.table.changes() || this.requestChanges != this.requests.changes()
				|| this.allPaused != this.requests.all() || this.stopping != stopping
				|| this.clock.getAsLong() - this.lookedAtAll >= LOOK_AT_ALL_NANOS;
	}

	private void lookAtAll(boolean stopping) {
		this.tableChanges = this.table.changes();
		// Before the requests themselves: a change in between is seen in the next turn.
		this.requestChanges = this.requests.changes();
		this.allPaused = this.requests.all();
		this.stopping = stopping;
		this.lookedAtAll = this.clock.getAsLong();
		this.records.held = 0;
		this.bytes.held = 0;
		this.heldBack.clear();
		Set<TopicPartition> paused = this.consumer.paused();
		for (PartitionState<K, V> state : this.table.view()) {
			state.counted(0, 0);
			state.paused(paused.contains(state.partition()));
			this.table.changed().touch(Reader.PAUSES, state);
		}
	}

	private void count(PartitionState<K, V> state) {
		long heldRecords = state.assignment().heldRecords();
		long heldBytes = state.assignment().heldBytes();
		this.records.held += heldRecords - state.countedRecords();
		this.bytes.held += heldBytes - state.countedBytes();
		state.counted(heldRecords, heldBytes);
	}

	private void decide(PartitionState<K, V> state) {
		state.userPaused(this.allPaused || this.requests.partition(state.partition()));
		hold(state);
		boolean held = isHeldBack(state);
		this.moving |= held;
		if (held && this.heldBack.add(state)) {
			int partitions = this.table.size();
			state.comesBack(this.records.back(state.assignment().heldRecords(), partitions),
					this.bytes.back(state.assignment().heldBytes(), partitions));
		}
		else if (!held && this.heldBack.remove(state)) {
			state.comesBack(0, 0);
		}
		state.backPressure(held);
		boolean wanted = this.stopping || state.isUserPaused() || state.isBackPressure() || !state.isRestored();
		if (wanted != state.isPaused()) {
			state.paused(wanted);
			(wanted ? this.pause : this.resume).add(state);
		}
	}

	/**
	 * Let nothing of a partition start while the user has paused it, or while records are
	 * in hand that were polled before it was moved.
	 */
	void hold(PartitionState<K, V> state) {
		// Nearly none has one.
		boolean waits = state.hasPredecessor()
				&& state.waitsForPredecessor((before) -> this.dispatcher.load(before).inHand(), this.clock.getAsLong());
		if (waits) {
			this.oneWaits = true;
			this.table.changed().touch(Reader.PAUSES, state);
		}
		boolean hold = waits || state.isUserPaused();
		if (hold != state.assignment().isHeld()) {
			this.dispatcher.hold(state.assignment(), hold);
		}
	}

	/** A poll has brought so much. */
	void polled(int records, long bytes) {
		this.records.largestPoll = Math.max(this.records.largestPoll, records);
		this.bytes.largestPoll = Math.max(this.bytes.largestPoll, bytes);
	}

	/** How many records of each partition the next poll may keep. */
	int room() {
		return (this.starving && (this.records.full || this.bytes.full)) ? 1 : Integer.MAX_VALUE;
	}

	private boolean isHeldBack(PartitionState<K, V> state) {
		int partitions = this.table.size();
		return this.records.holds(state.assignment().heldRecords(), partitions, state.recordsBack(), this.starving)
				|| this.bytes.holds(state.assignment().heldBytes(), partitions, state.bytesBack(), this.starving)
				|| (this.settings.saveCompleted()
						&& state.assignment().tracker().mapTooLarge(EngineSettings.MAX_METADATA));
	}

	private void change() {
		if (this.pause.isEmpty() && this.resume.isEmpty()) {
			return;
		}
		Set<TopicPartition> owned = this.consumer.assignment();
		List<TopicPartition> toPause = owned(this.pause, owned);
		List<TopicPartition> toResume = owned(this.resume, owned);
		if (!toPause.isEmpty()) {
			this.consumer.pause(toPause);
		}
		if (!toResume.isEmpty()) {
			this.consumer.resume(toResume);
		}
	}

	/**
	 * A partition may be the consumer's no more before its callback has closed the
	 * assignment of it: the next turn tries again if it is there still.
	 */
	private List<TopicPartition> owned(List<PartitionState<K, V>> states, Set<TopicPartition> owned) {
		List<TopicPartition> result = new ArrayList<>(states.size());
		for (PartitionState<K, V> state : states) {
			if (owned.contains(state.partition())) {
				result.add(state.partition());
			}
			else {
				state.paused(!state.isPaused());
				this.table.changed().touch(Reader.PAUSES, state);
			}
		}
		states.clear();
		return result;
	}

	/** Whether a partition is held back, so that the owner should look again soon. */
	boolean isHoldingBack() {
		return this.oneWaits || !this.heldBack.isEmpty();
	}

	/** Whether a partition that is held back may have room soon. */
	boolean isMoving() {
		return this.oneWaits || (this.moving && !this.heldBack.isEmpty());
	}

	/** Whether nothing can be fetched before records end. */
	boolean isAllHeldBack() {
		return !this.heldBack.isEmpty() && this.heldBack.size() == this.table.size();
	}

	/** How few records must be held for partitions to come back. */
	long comesBackAt() {
		return this.records.full ? this.records.limit - this.records.limit / 4 - 1
				: this.records.held - this.records.held / 4;
	}

	/** How much room there is by one measure: records or bytes. */
	private static final class Room {

		private final long limit;

		/** What is held over all partitions. */
		private long held;

		private boolean full;

		private boolean over;

		/** What the last look found that concerns each partition, whatever it holds. */
		private boolean fullForAll;

		private boolean overForAll;

		/** The most that a poll has brought. */
		private long largestPoll = 1;

		Room(long limit) {
			this.limit = limit;
		}

		/**
		 * See how things are as a whole.
		 * @return whether that has changed for each partition, whatever it holds itself
		 */
		boolean look(int partitions, boolean starving) {
			this.full = BackPressure.full(this.held, this.limit, this.full);
			this.over = this.held + partitions - this.largestPoll >= this.limit;
			boolean fullNow = this.full && !starving;
			boolean overNow = this.over && starving;
			boolean changed = fullNow != this.fullForAll || overNow != this.overForAll;
			this.fullForAll = fullNow;
			this.overForAll = overNow;
			return changed;
		}

		/** What a partition must fall below that is held back from now on. */
		long back(long held, int partitions) {
			return Math.max(1, Math.max(this.limit / partitions, held) / 2);
		}

		boolean holds(long held, int partitions, long back, boolean starving) {
			long share = BackPressure.share(this.held, this.limit, partitions);
			return BackPressure.holds(held, share, back, this.full, starving, this.over);
		}

	}

}
