package io.evenkeel.kafka.engine;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Pauses and resumes partitions of the consumer so that they agree with what is wanted.
 * Both sides are asked anew each turn: an eager rebalance forgets the consumer's pauses
 * and a cooperative one keeps them, and this is right in both. Owner thread only.
 */
final class PauseController<K, V> {

	private final Consumer<K, V> consumer;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final PauseRequests requests;

	private final EngineSettings settings;

	private final LongSupplier clock;

	private final Room records;

	private final Room bytes;

	private boolean holdingBack;

	PauseController(Consumer<K, V> consumer, Dispatcher<ConsumerRecord<K, V>> dispatcher, PauseRequests requests,
			EngineSettings settings, LongSupplier clock) {
		this.clock = clock;
		this.consumer = consumer;
		this.dispatcher = dispatcher;
		this.requests = requests;
		this.settings = settings;
		this.records = new Room(settings.maxPendingRecords());
		this.bytes = new Room(settings.maxPendingBytes());
	}

	/**
	 * Make the consumer's pauses what they should be.
	 * @param states the live assignments
	 * @param stopping whether nothing is wanted any more
	 */
	void apply(Collection<PartitionState<K, V>> states, boolean stopping) {
		boolean starving = this.dispatcher.weigh(states, PartitionState::assignment);
		long heldRecords = 0;
		long heldBytes = 0;
		for (PartitionState<K, V> state : states) {
			heldRecords += state.assignment().heldRecords();
			heldBytes += state.assignment().heldBytes();
		}
		this.records.look(heldRecords, states.size());
		this.bytes.look(heldBytes, states.size());
		int room = (starving && (this.records.full || this.bytes.full)) ? 1 : Integer.MAX_VALUE;
		this.holdingBack = false;
		Set<TopicPartition> wanted = new HashSet<>();
		boolean all = this.requests.all();
		for (PartitionState<K, V> state : states) {
			state.userPaused(all || this.requests.partition(state.partition()));
			hold(state);
			state.backPressure(heldBack(state, states.size(), starving));
			state.room(room);
			this.holdingBack |= state.isBackPressure();
			if (stopping || state.isUserPaused() || state.isBackPressure() || !state.isRestored()) {
				wanted.add(state.partition());
			}
		}
		change(states, wanted);
	}

	/**
	 * Let nothing of a partition start while the user has paused it, or while records are
	 * in hand that were polled before it was moved.
	 */
	void hold(PartitionState<K, V> state) {
		// Nearly none has one, and this is asked of all in each turn.
		boolean waits = state.hasPredecessor()
				&& state.waitsForPredecessor((before) -> this.dispatcher.load(before).inHand(), this.clock.getAsLong());
		this.holdingBack |= waits;
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

	private boolean heldBack(PartitionState<K, V> state, int partitions, boolean starving) {
		return this.records.holds(state.assignment().heldRecords(), partitions, state.isBackPressure(), starving)
				|| this.bytes.holds(state.assignment().heldBytes(), partitions, state.isBackPressure(), starving)
				|| (this.settings.saveCompleted()
						&& state.assignment().tracker().mapTooLarge(EngineSettings.MAX_METADATA));
	}

	private void change(Collection<PartitionState<K, V>> states, Set<TopicPartition> wanted) {
		Set<TopicPartition> paused = this.consumer.paused();
		if (paused.isEmpty() && wanted.isEmpty()) {
			return;
		}
		Set<TopicPartition> resume = new HashSet<>(paused);
		resume.removeAll(wanted);
		wanted.removeAll(paused);
		// A partition may be the consumer's before its callback has made an assignment of
		// it.
		Set<TopicPartition> owned = this.consumer.assignment();
		wanted.retainAll(owned);
		resume.removeIf((partition) -> states.stream().noneMatch((state) -> state.partition().equals(partition)));
		resume.retainAll(owned);
		if (!wanted.isEmpty()) {
			this.consumer.pause(wanted);
		}
		if (!resume.isEmpty()) {
			this.consumer.resume(resume);
		}
	}

	/** Whether a partition is held back, so that the owner should look again soon. */
	boolean isHoldingBack() {
		return this.holdingBack;
	}

	/** How much room there is by one measure: records or bytes. */
	private static final class Room {

		private final long limit;

		private boolean full;

		private boolean over;

		/** The most that a poll has brought. */
		private long largestPoll = 1;

		Room(long limit) {
			this.limit = limit;
		}

		void look(long held, int partitions) {
			this.full = BackPressure.full(held, this.limit, this.full);
			this.over = held + partitions - this.largestPoll >= this.limit;
		}

		boolean holds(long held, int partitions, boolean now, boolean starving) {
			return BackPressure.holds(held, this.limit, partitions, now, this.full, starving, this.over);
		}

	}

}
