package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.Collection;
import java.util.List;

import io.evenkeel.kafka.engine.ChangedStates.Reader;
import io.evenkeel.kafka.engine.offset.OffsetTracker;
import org.apache.kafka.clients.consumer.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the consumer where it stands when no record tells: before the first record of a
 * partition, and after its position was moved over what is no longer there. The next
 * owner of the partition would otherwise be reset anew, to a later offset, past records
 * that nobody has handled. Owner thread only, between polls or in a revoke, where every
 * record below the position has begun.
 */
final class Positions<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(Positions.class);

	/** A round over thousands of partitions is spread over some turns. */
	private static final int IN_A_TURN = 16;

	private final String id;

	private final Consumer<K, V> consumer;

	/** What is still to be looked at in this round. */
	private List<PartitionState<K, V>> round = List.of();

	private int next;

	Positions(String id, Consumer<K, V> consumer) {
		this.id = id;
		this.consumer = consumer;
	}

	/**
	 * Look at the partitions without a committed offset that wait for one, and at some of
	 * the others: nothing tells when a position moves without a record.
	 * @param table the live assignments
	 * @param due whether a commit is due: it shall have what there is to learn
	 */
	void turn(AssignmentTable<K, V> table, boolean due) {
		for (PartitionState<K, V> state : table.changed().take(Reader.POSITIONS)) {
			if (state.wantsPosition()) {
				learn(state);
				if (state.wantsPosition()) {
					table.changed().touch(Reader.POSITIONS, state);
				}
			}
		}
		if (due && this.next >= this.round.size()) {
			this.round = table.round();
			this.next = 0;
		}
		if (this.next < this.round.size()) {
			int until = Math.min(this.next + IN_A_TURN, this.round.size());
			learn(this.round.subList(this.next, until));
			this.next = until;
		}
	}

	/**
	 * Look at every partition that has something to commit or wants to. Not for what has
	 * been told to stop: records that came after that are not begun.
	 */
	void learn(Collection<PartitionState<K, V>> states) {
		for (PartitionState<K, V> state : states) {
			boolean committable = state.committedOffset() >= 0 || state.assignment().tracker().committable() >= 0;
			if ((committable || state.wantsPosition()) && state.isRestored() && !state.assignment().isStopping()) {
				learn(state);
			}
		}
	}

	private void learn(PartitionState<K, V> state) {
		OffsetTracker tracker = state.assignment().tracker();
		try {
			long position = this.consumer.position(state.partition(), Duration.ZERO);
			// After a seek back only what is handled there counts.
			if (position >= state.atBroker()) {
				if (position > tracker.position()) {
					state.touch();
				}
				tracker.position(position);
			}
			state.positionKnown();
		}
		catch (RuntimeException ex) {
			// What is wrong for longer is said by the next poll.
			logger.trace("{}: position of {} not known yet", this.id, state.partition(), ex);
		}
	}

}
