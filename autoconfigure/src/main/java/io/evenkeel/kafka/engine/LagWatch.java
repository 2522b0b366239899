package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the client where the logs end, which it knows from its fetches: after each poll
 * that brought records, and once a second where none came. Owner thread only, between two
 * polls.
 *
 * <p>
 * A client that has fetched nothing of a partition would ask the brokers. So it is asked
 * after it has had the time for a fetch, and not for what is paused.
 */
final class LagWatch<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(LagWatch.class);

	private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

	private static final int IN_A_TURN = 64;

	private static final long FIRST_NANOS = TimeUnit.SECONDS.toNanos(2);

	private final Consumer<K, V> consumer;

	private final EngineObserver listener;

	private final LongSupplier clock;

	/** What is still to be looked at in this round. */
	private List<PartitionState<K, V>> round = List.of();

	private int next;

	private long lastNanos;

	LagWatch(Consumer<K, V> consumer, EngineObserver listener, LongSupplier clock) {
		this.consumer = consumer;
		this.listener = listener;
		this.clock = clock;
		this.lastNanos = clock.getAsLong();
	}

	/** A poll has brought records; nothing of them is taken in yet. */
	void polled(ConsumerRecords<K, V> records, AssignmentTable<K, V> table) {
		if (records.isEmpty()) {
			return;
		}
		long now = this.clock.getAsLong();
		Map<TopicPartition, OffsetAndMetadata> next = records.nextOffsets();
		for (TopicPartition partition : records.partitions()) {
			PartitionState<K, V> state = table.get(partition);
			OffsetAndMetadata position = next.get(partition);
			if (state != null) {
				OptionalLong lag = ask(state, now);
				state.view().lag(lag);
				if (position != null && lag.isPresent()) {
					measured(state, position.offset(), lag.getAsLong(), false);
				}
			}
		}
	}

	/**
	 * A turn is over: look at those that no poll has brought records of. A round over
	 * thousands of partitions is spread over some turns.
	 */
	void turn(AssignmentTable<K, V> table) {
		long now = this.clock.getAsLong();
		if (this.next >= this.round.size()) {
			if (now - this.lastNanos < EVERY_NANOS / 4) {
				return;
			}
			this.lastNanos = now;
			this.round = table.round();
			this.next = 0;
		}
		int until = Math.min(this.next + IN_A_TURN, this.round.size());
		look(this.round.subList(this.next, until), now);
		this.next = until;
	}

	private void look(List<PartitionState<K, V>> states, long now) {
		for (PartitionState<K, V> state : states) {
			if (state.assignment().isClosed()) {
				continue;
			}
			boolean known = state.lag().isKnown();
			boolean fetched = known || !(state.isUserPaused() || state.isBackPressure());
			if (state.lag().isOlder(known ? EVERY_NANOS : FIRST_NANOS, now) && fetched
					&& !state.assignment().isStopping()) {
				measure(state, now);
			}
		}
	}

	private void measure(PartitionState<K, V> state, long now) {
		try {
			long position = this.consumer.position(state.partition(), Duration.ZERO);
			OptionalLong lag = ask(state, now);
			if (lag.isPresent()) {
				measured(state, position, lag.getAsLong(), true);
			}
		}
		catch (RuntimeException ex) {
			// What is wrong for longer is said by the next poll.
			logger.trace("The position of {} is not known yet", state.partition(), ex);
		}
	}

	private OptionalLong ask(PartitionState<K, V> state, long now) {
		state.lag().asked(now);
		try {
			return this.consumer.currentLag(state.partition());
		}
		catch (RuntimeException ex) {
			// Revoked within the poll that brought its records.
			return OptionalLong.empty();
		}
	}

	private void measured(PartitionState<K, V> state, long position, long lag, boolean settled) {
		boolean known = state.lag().isKnown();
		if (state.lag().measured(position, lag, settled)) {
			state.touch();
		}
		if (!known) {
			this.listener.lagKnown(state.partition());
		}
	}

}
