package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.ChangedStates.Reader;
import io.evenkeel.kafka.engine.EngineObserver.CommitResult;
import io.evenkeel.kafka.engine.offset.CommitPoint;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.FencedMemberEpochException;
import org.apache.kafka.common.errors.IllegalGenerationException;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits the offsets of live assignments: in the background while the listener runs, and
 * with a bounded wait when partitions are handed over.
 *
 * <h2>Threading</h2> Owner thread only; the client calls commit callbacks on the thread
 * that polls.
 *
 * <h2>Invariants</h2>
 * <ol>
 * <li>At most one background commit is in flight. What was applied late on another
 * connection can therefore not overtake a newer one.</li>
 * <li>What to commit is computed from the tracker at the moment of sending and never
 * stored for a repetition: a failed commit is superseded by whatever is true by then, so
 * an old offset can never replace a newer one.</li>
 * <li>An offset counts as committed only after the broker has said so, and only for an
 * assignment that is still open.</li>
 * </ol>
 */
final class Committer<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(Committer.class);

	private static final Duration RETRY_PAUSE = Duration.ofMillis(50);

	private final Consumer<K, V> consumer;

	private final EngineSettings settings;

	private final EngineObserver listener;

	private final LongSupplier clock;

	private final OwnerWait ownerWait;

	private final String id;

	/** What the background commit in flight is about; empty when there is none. */
	private Set<TopicPartition> inFlight = Set.of();

	private long lastNanos;

	private boolean ownershipInDoubt;

	/** Who wants to hear of the next background commit, which is not put off then. */
	private final List<Wanted<K, V>> soon = new ArrayList<>();

	/** Who hears of the one in flight. */
	private List<Wanted<K, V>> sent = List.of();

	/** A commit is being waited for: what is asked for meanwhile comes after it. */
	private boolean waiting;

	/** Why the last commit that was waited for failed. */
	private @Nullable RuntimeException lastFailure;

	private @Nullable RuntimeException fatal;

	private long committedNanos;

	Committer(String id, Consumer<K, V> consumer, EngineSettings settings, EngineObserver listener, LongSupplier clock,
			OwnerWait ownerWait) {
		this.id = id;
		this.consumer = consumer;
		this.settings = settings;
		this.listener = listener;
		this.clock = clock;
		this.ownerWait = ownerWait;
		this.lastNanos = clock.getAsLong();
	}

	/** Nanoseconds until the next background commit may be due; never negative. */
	long untilDue() {
		return Math.max(0, this.lastNanos + this.settings.commitInterval().toNanos() - this.clock.getAsLong());
	}

	/**
	 * Send a background commit if it is time and the broker lacks something. What was
	 * touched since the last one may have something to commit, and what the last one
	 * could not bring to the broker; all else cannot.
	 * @param changed the live assignments that have changed
	 */
	void turn(ChangedStates<K, V> changed) {
		throwIfFatal();
		if (!this.inFlight.isEmpty() || (this.soon.isEmpty() && untilDue() > 0)) {
			return;
		}
		this.lastNanos = this.clock.getAsLong();
		Map<PartitionState<K, V>, CommitPoint> points = points(changed.take(Reader.COMMITS));
		List<Wanted<K, V>> told = List.copyOf(this.soon);
		this.soon.clear();
		if (points.isEmpty()) {
			told.forEach((one) -> one.answer(null));
			return;
		}
		this.sent = told;
		Map<TopicPartition, OffsetAndMetadata> wanted = offsets(points);
		this.inFlight = wanted.keySet();
		long sent = this.lastNanos;
		boolean accepted = false;
		try {
			this.consumer.commitAsync(wanted, (offsets, failure) -> answered(points, failure, sent));
			accepted = true;
		}
		catch (RebalanceInProgressException ex) {
			this.listener.committed(CommitResult.REBALANCE, 0);
		}
		finally {
			if (!accepted) {
				this.inFlight = Set.of();
				again(points);
				tellSent(new RetriableCommitFailedException("The commit could not be sent"));
			}
		}
	}

	/** What a failed commit was about is looked at again. */
	private void again(Map<PartitionState<K, V>, CommitPoint> points) {
		points.keySet().forEach(PartitionState::touch);
	}

	private void answered(Map<PartitionState<K, V>, CommitPoint> points, @Nullable Exception failure, long sent) {
		this.inFlight = Set.of();
		long nanos = this.clock.getAsLong() - sent;
		if (failure == null) {
			apply(points);
			this.listener.committed(CommitResult.OK, nanos);
			tellSent(null);
			return;
		}
		again(points);
		CommitResult result = classify(failure);
		this.listener.committed(result, nanos);
		logger.debug("{}: commit failed ({}), to be superseded", this.id, result, failure);
		tellSent(failure);
		if (failure instanceof OffsetMetadataTooLarge) {
			points.keySet().forEach(PartitionState::shrinkMetadata);
		}
		else if (failure instanceof FencedInstanceIdException fenced) {
			this.fatal = fenced;
		}
		else if (result == CommitResult.FENCED) {
			this.ownershipInDoubt = true;
		}
		else if (result == CommitResult.ERROR) {
			this.fatal = (failure instanceof RuntimeException unchecked) ? unchecked
					: new IllegalStateException("Commit failed", failure);
		}
	}

	/**
	 * Commit what is about to be handed over, and wait for the answer. A background
	 * commit of it that is not answered yet is waited for too, even when nothing is left
	 * to commit: it must not arrive after the new owner's first one.
	 * @param states drained assignments
	 * @param timeout the longest wait
	 * @return whether the broker has everything
	 */
	boolean commitNow(Collection<PartitionState<K, V>> states, Duration timeout) {
		this.lastFailure = null;
		this.waiting = true;
		try {
			return commitAndWait(states, timeout);
		}
		finally {
			this.waiting = false;
		}
	}

	/** Whether a commit is being waited for just now. */
	boolean isWaiting() {
		return this.waiting;
	}

	private boolean commitAndWait(Collection<PartitionState<K, V>> states, Duration timeout) {
		long start = this.clock.getAsLong();
		long deadline = start + timeout.toNanos();
		int refused = 0;
		while (true) {
			Map<PartitionState<K, V>, CommitPoint> points = points(states);
			if (points.isEmpty() && !isInFlight(states)) {
				return true;
			}
			long left = deadline - this.clock.getAsLong();
			if (left <= 0) {
				logger.warn("{}: the commit of {} was not answered within {} ms; their last completed "
						+ "records may be handled again", this.id, assignments(states), timeout.toMillis());
				return false;
			}
			long sent = this.clock.getAsLong();
			try {
				this.consumer.commitSync(offsets(points), Duration.ofNanos(left));
				apply(points);
				this.listener.committed(CommitResult.OK, this.clock.getAsLong() - sent);
				return true;
			}
			catch (WakeupException ex) {
				// Aimed at a poll that had just ended; the commit is simply sent again.
				logger.debug("{}: woken inside a commit", this.id);
			}
			catch (RuntimeException ex) {
				CommitResult result = classify(ex);
				this.listener.committed(result, this.clock.getAsLong() - sent);
				if (ex instanceof OffsetMetadataTooLarge) {
					points.keySet().forEach(PartitionState::shrinkMetadata);
				}
				else if (result == CommitResult.ERROR || ex instanceof FencedInstanceIdException
						|| (result == CommitResult.FENCED && !this.settings.consumerProtocol() && ++refused > 1)) {
					this.lastFailure = ex;
					logger.warn("{}: the commit of {} failed; their last completed records may be handled again",
							this.id, assignments(states), ex);
					return false;
				}
			}
			this.ownerWait.await(Math.min(RETRY_PAUSE.toNanos(), Math.max(0, deadline - this.clock.getAsLong())));
		}
	}

	private boolean isInFlight(Collection<PartitionState<K, V>> states) {
		for (PartitionState<K, V> state : states) {
			if (this.inFlight.contains(state.partition())) {
				return true;
			}
		}
		return false;
	}

	/**
	 * The next background commit is sent with the next turn, and somebody wants to hear
	 * of it.
	 */
	void soon(Set<PartitionState<K, V>> states, CompletableFuture<Void> result) {
		this.soon.add(new Wanted<>(states, result));
	}

	private void tellSent(@Nullable Exception failure) {
		List<Wanted<K, V>> told = this.sent;
		this.sent = List.of();
		told.forEach((one) -> one.answer(failure));
	}

	/** The consumer goes: no commit is answered any more. */
	void cancel() {
		tellSent(new RetriableCommitFailedException("The listener has stopped"));
		this.sent = List.copyOf(this.soon);
		this.soon.clear();
		tellSent(new RetriableCommitFailedException("The listener has stopped"));
	}

	/** Why the last commit that was waited for failed; null when no answer came. */
	@Nullable RuntimeException takeFailure() {
		RuntimeException failure = this.lastFailure;
		this.lastFailure = null;
		return failure;
	}

	/** Whether a commit was refused in a way that asks who owns what; asked once. */
	boolean takeOwnershipInDoubt() {
		boolean doubt = this.ownershipInDoubt;
		this.ownershipInDoubt = false;
		return doubt;
	}

	void throwIfFatal() {
		RuntimeException failure = this.fatal;
		if (failure != null) {
			this.fatal = null;
			throw failure;
		}
	}

	private Map<PartitionState<K, V>, CommitPoint> points(Collection<PartitionState<K, V>> states) {
		Map<PartitionState<K, V>, CommitPoint> points = new LinkedHashMap<>();
		if (!this.settings.hasGroup()) {
			return points;
		}
		for (PartitionState<K, V> state : states) {
			CommitPoint point = state.toCommit(this.settings.saveCompleted());
			if (point != null) {
				points.put(state, point);
			}
		}
		return points;
	}

	private Map<TopicPartition, OffsetAndMetadata> offsets(Map<PartitionState<K, V>, CommitPoint> points) {
		Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
		points.forEach((state, point) -> offsets.put(state.partition(), state.offset(point)));
		return offsets;
	}

	private List<?> assignments(Collection<PartitionState<K, V>> states) {
		return states.stream().map(PartitionState::assignment).toList();
	}

	/** When a commit last succeeded, nanoseconds of the clock; 0 before the first. */
	long committedNanos() {
		return this.committedNanos;
	}

	private void apply(Map<PartitionState<K, V>, CommitPoint> points) {
		this.committedNanos = this.clock.getAsLong();
		List<String> late = new ArrayList<>();
		points.forEach((state, point) -> {
			if (state.assignment().isClosed()) {
				late.add(state.assignment().toString());
			}
			else {
				state.committed(point);
			}
		});
		if (!late.isEmpty()) {
			logger.debug("{}: the answer to a commit came after {} had gone", this.id, late);
		}
	}

	/** Somebody wants to hear of a commit of these. */
	record Wanted<K, V>(Set<PartitionState<K, V>> states, CompletableFuture<Void> result) {

		void answer(@Nullable Exception failure) {
			if (failure != null) {
				this.result.completeExceptionally(failure);
			}
			else if (this.states.stream().anyMatch((state) -> state.assignment().isClosed())) {
				this.result.completeExceptionally(
						new CommitFailedException("A partition is not assigned to this listener any more"));
			}
			else {
				this.result.complete(null);
			}
		}

	}

	static CommitResult classify(Throwable failure) {
		if (failure instanceof RebalanceInProgressException) {
			return CommitResult.REBALANCE;
		}
		if (failure instanceof CommitFailedException || failure instanceof FencedInstanceIdException
				|| failure instanceof UnknownMemberIdException || failure instanceof IllegalGenerationException
				|| failure instanceof StaleMemberEpochException || failure instanceof FencedMemberEpochException) {
			return CommitResult.FENCED;
		}
		if (failure instanceof RetriableCommitFailedException || failure instanceof RetriableException
				|| failure instanceof TimeoutException || failure instanceof OffsetMetadataTooLarge) {
			return CommitResult.RETRIABLE;
		}
		return CommitResult.ERROR;
	}

}
