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
final class PausePlan<K, V> {

	private final Consumer<K, V> consumer;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final PauseRequests requests;

	private final EngineSettings settings;

	private final LongSupplier clock;

	private boolean full;

	/** The most records that a poll has brought. */
	private int largestPoll = 1;

	private boolean holdingBack;

	PausePlan(Consumer<K, V> consumer, Dispatcher<ConsumerRecord<K, V>> dispatcher, PauseRequests requests,
			EngineSettings settings, LongSupplier clock) {
		this.clock = clock;
		this.consumer = consumer;
		this.dispatcher = dispatcher;
		this.requests = requests;
		this.settings = settings;
	}

	/**
	 * Make the consumer's pauses what they should be.
	 * @param states the live assignments
	 * @param stopping whether nothing is wanted any more
	 */
	void apply(Collection<PartitionState<K, V>> states, boolean stopping) {
		int pending = 0;
		for (PartitionState<K, V> state : states) {
			pending += state.assignment().tracker().unfinished();
		}
		this.full = BackPressure.full(pending, this.settings.maxPendingRecords(), this.full);
		boolean starving = this.dispatcher.isStarving();
		boolean over = pending + states.size() >= this.settings.maxPendingRecords() + this.largestPoll;
		this.holdingBack = false;
		Set<TopicPartition> wanted = new HashSet<>();
		boolean all = this.requests.all();
		for (PartitionState<K, V> state : states) {
			state.userPaused(all || this.requests.partition(state.partition()));
			hold(state);
			state.backPressure(heldBack(state, states.size(), starving, over));
			state.room((starving && this.full) ? 1 : Integer.MAX_VALUE);
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

	/** A poll has brought so many records. */
	void polled(int records) {
		this.largestPoll = Math.max(this.largestPoll, records);
	}

	private boolean heldBack(PartitionState<K, V> state, int partitions, boolean starving, boolean over) {
		return BackPressure.holds(state.assignment().tracker().unfinished(), this.settings.maxPendingRecords(),
				partitions, state.isBackPressure(), this.full, starving, over)
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

}
