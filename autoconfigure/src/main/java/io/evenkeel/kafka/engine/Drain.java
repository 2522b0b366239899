package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.ToIntBiFunction;

import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the records in hand of assignments that are about to go. Owner thread only,
 * inside a callback or between two polls.
 */
final class Drain<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(Drain.class);

	private static final long STEP_NANOS = Duration.ofMillis(10).toNanos();

	/** For an acknowledgment that another thread is about to make. */
	private static final long ACKNOWLEDGMENT_NANOS = Duration.ofSeconds(1).toNanos();

	private final String id;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final Completions<K, V> completions;

	private final EngineSettings settings;

	private final EngineObserver listener;

	private final LongSupplier clock;

	private final OwnerWait ownerWait;

	private final Positions<K, V> positions;

	/** What is left when the listener stops; used once it does. */
	private long stopDeadline;

	private long stopStart;

	/** What the assignments had in hand, and had dropped, when the stop began. */
	private final Map<PartitionState<K, V>, Counts> atStop = new HashMap<>();

	private boolean stopping;

	private boolean failing;

	/** How long what is in hand is waited for once the consumer has failed. */
	private long failingNanos;

	Drain(String id, Consumer<K, V> consumer, Dispatcher<ConsumerRecord<K, V>> dispatcher,
			Completions<K, V> completions, EngineSettings settings, EngineObserver listener, LongSupplier clock,
			OwnerWait ownerWait) {
		this.id = id;
		this.dispatcher = dispatcher;
		this.completions = completions;
		this.settings = settings;
		this.listener = listener;
		this.clock = clock;
		this.ownerWait = ownerWait;
		this.positions = new Positions<>(id, consumer);
	}

	/**
	 * The listener stops: from here on everything is drained against one deadline, and
	 * the drain has begun, although the owner goes on polling meanwhile.
	 */
	void stopping(long deadline, List<PartitionState<K, V>> states) {
		this.stopping = true;
		this.stopDeadline = deadline;
		this.stopStart = this.clock.getAsLong();
		this.dispatcher.stop(AssignmentTable.assignments(states));
		this.dispatcher.loads(states, PartitionState::assignment,
				(state, load) -> this.atStop.put(state, counts(state, load)));
	}

	private Counts counts(PartitionState<K, V> state, Dispatcher.Load load) {
		return new Counts(outstanding(state, load), load.dropped());
	}

	/** When the drain of what goes has begun: with the stop, if there is one. */
	long begin(long now) {
		return this.stopping ? this.stopStart : now;
	}

	boolean isStopping() {
		return this.stopping;
	}

	/** The consumer has failed: what is in hand is waited for so long and no longer. */
	void failing(long nanos) {
		this.failing = true;
		this.failingNanos = nanos;
	}

	boolean isFailing() {
		return this.failing;
	}

	/**
	 * Stop starting records of some assignments, drop what is queued and wait for what is
	 * in hand, with the workers going on for all others.
	 * @param states what goes
	 * @param start when the callback began, nanoseconds of the clock
	 * @return what became of the records
	 */
	Result drain(List<PartitionState<K, V>> states, long start) {
		this.completions.apply();
		if (!this.failing) {
			this.positions.learn(states);
		}
		int droppedBefore = this.stopping ? 0 : dropped(states);
		this.dispatcher.stop(AssignmentTable.assignments(states));
		// Workers went on until now: what they have ended is done, whatever is waited
		// for.
		this.completions.apply();
		int droppedFirst = 0;
		int inHandFirst = 0;
		for (PartitionState<K, V> state : states) {
			Counts known = this.atStop.get(state);
			Counts first = (known != null) ? known : counts(state, this.dispatcher.load(state.assignment()));
			droppedFirst += first.dropped();
			inHandFirst += first.inHand();
		}
		int inHand = outstanding(states);
		long deadline = deadline(start);
		while (inHand > 0 && this.clock.getAsLong() - deadline < 0) {
			step(deadline);
			inHand = outstanding(states);
		}
		if (inHand == 0 && this.settings.coverEarlier()) {
			long now = this.clock.getAsLong();
			long until = now + Math.max(0, Math.min(ACKNOWLEDGMENT_NANOS, deadline - now));
			while (unacknowledged(states) > 0 && this.clock.getAsLong() - until < 0) {
				step(until);
			}
		}
		int notBegun = notBegun(states);
		if (inHand > notBegun) {
			abandon(states, inHand - notBegun);
		}
		int droppedLast = dropped(states);
		Result result = new Result(Math.max(0, inHandFirst - inHand - (droppedLast - droppedFirst)),
				droppedLast - droppedBefore + notBegun, inHand - notBegun);
		long nanos = this.clock.getAsLong() - start;
		if (!states.isEmpty()) {
			this.listener.drained(result.abandoned == 0, nanos, result.drained, result.dropped, result.abandoned);
		}
		return result;
	}

	private void step(long until) {
		this.dispatcher.tick();
		this.ownerWait.await(Math.min(STEP_NANOS, until - this.clock.getAsLong()));
		this.completions.apply();
	}

	private long deadline(long start) {
		if (this.stopping) {
			return this.stopDeadline;
		}
		return start + (this.failing ? this.failingNanos : this.settings.drainTimeout().toNanos());
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

	/**
	 * How many records of stopping assignments a drain must wait for: those inside a
	 * call, and those whose acknowledgment may come any moment. Where one acknowledgment
	 * covers the earlier records the latter are waited for a moment only: one that is on
	 * its way from another thread arrives, one that was to come with a later record will
	 * not, as that is not delivered here any more.
	 */
	int outstanding(List<PartitionState<K, V>> states) {
		return sum(states, this::outstanding);
	}

	private int outstanding(PartitionState<K, V> state, Dispatcher.Load load) {
		return this.settings.coverEarlier() ? load.inHand() : Math.max(load.inHand(), open(state, load));
	}

	private int open(PartitionState<K, V> state, Dispatcher.Load load) {
		return state.assignment().tracker().unfinished() - load.dropped();
	}

	/** How many records a worker has taken along that it will not begin any more. */
	int notBegun(List<PartitionState<K, V>> states) {
		return sum(states, (state, load) -> Math.max(0, load.inHand() - load.inFlight()));
	}

	/** How many records were delivered and have not ended. */
	private int unacknowledged(List<PartitionState<K, V>> states) {
		return sum(states, this::open);
	}

	/** How many records of assignments were given up before they were begun. */
	int dropped(List<PartitionState<K, V>> states) {
		return sum(states, (state, load) -> load.dropped());
	}

	private int sum(List<PartitionState<K, V>> states, ToIntBiFunction<PartitionState<K, V>, Dispatcher.Load> count) {
		int[] sum = new int[1];
		this.dispatcher.loads(states, PartitionState::assignment,
				(state, load) -> sum[0] += count.applyAsInt(state, load));
		return sum[0];
	}

	private record Counts(int inHand, int dropped) {
	}

	/**
	 * What became of the records of assignments that went.
	 *
	 * @param drained ended while they were waited for
	 * @param dropped given up before they were begun
	 * @param abandoned still in hand
	 */
	record Result(int drained, int dropped, int abandoned) {
	}

}
