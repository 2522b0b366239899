package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Commits that the application asks for with the consumer it was given. Where it
 * acknowledges by hand such a commit says that the delivered records below it are done.
 * What is committed then is what may be: never beyond a record that has not ended, never
 * for a partition that is not here any more, and in order with the commits of the
 * listener.
 *
 * <h2>Threading</h2> Owner thread only. Each result is completed once, here.
 */
final class UserCommits<K, V> {

	private final AssignmentTable<K, V> table;

	private final Completions<K, V> completions;

	private final Committer<K, V> committer;

	private final boolean coverEarlier;

	private final Duration timeout;

	private final List<Committer.Wanted<K, V>> waiting = new ArrayList<>();

	UserCommits(AssignmentTable<K, V> table, Completions<K, V> completions, Committer<K, V> committer,
			EngineSettings settings) {
		this.table = table;
		this.completions = completions;
		this.committer = committer;
		this.coverEarlier = settings.coverEarlier();
		this.timeout = settings.commitTimeout();
	}

	/**
	 * Take in what is to be committed.
	 * @param offsets where to
	 * @param wait whether somebody waits for the answer; otherwise the next commit in the
	 * background is not put off
	 * @param result completed when the broker has answered
	 */
	void add(Map<TopicPartition, OffsetAndMetadata> offsets, boolean wait, CompletableFuture<Void> result) {
		Map<PartitionState<K, V>, Long> targets = new HashMap<>();
		for (Map.Entry<TopicPartition, OffsetAndMetadata> offset : offsets.entrySet()) {
			PartitionState<K, V> state = this.table.get(offset.getKey());
			if (state == null) {
				result.completeExceptionally(
						new CommitFailedException(offset.getKey() + " is not assigned to this listener any more"));
				return;
			}
			targets.put(state, offset.getValue().offset());
		}
		if (this.coverEarlier) {
			targets.forEach((state, target) -> state.assignment().unacknowledged().endUpTo(target - 1));
		}
		this.completions.apply();
		if (wait) {
			this.waiting.add(new Committer.Wanted<>(targets.keySet(), result));
		}
		else {
			this.committer.soon(targets.keySet(), result);
		}
	}

	/**
	 * Commit all that was taken in and is waited for, with one question to the broker.
	 */
	void commit() {
		// While it waits the owner is asked for the next one already.
		if (this.waiting.isEmpty() || this.committer.isWaiting()) {
			return;
		}
		List<Committer.Wanted<K, V>> all = List.copyOf(this.waiting);
		this.waiting.clear();
		Set<PartitionState<K, V>> states = new LinkedHashSet<>();
		all.forEach((wanted) -> states.addAll(wanted.states()));
		states.removeIf((state) -> state.assignment().isClosed());
		boolean done;
		try {
			done = this.committer.commitNow(states, this.timeout);
		}
		catch (RuntimeException | Error ex) {
			all.forEach((wanted) -> wanted.result().completeExceptionally(ex));
			throw ex;
		}
		RuntimeException failure = done ? null : failure();
		all.forEach((wanted) -> wanted.answer(failure));
	}

	private RuntimeException failure() {
		RuntimeException known = this.committer.takeFailure();
		return (known != null) ? known : new TimeoutException("The commit was not answered in time");
	}

	/** Whether something was taken in and is not committed yet. */
	boolean isWaiting() {
		return !this.waiting.isEmpty();
	}

	/** The consumer goes: nobody answers any more. */
	void cancel() {
		this.waiting.forEach((wanted) -> wanted.answer(new CommitFailedException("The listener has stopped")));
		this.waiting.clear();
	}

}
