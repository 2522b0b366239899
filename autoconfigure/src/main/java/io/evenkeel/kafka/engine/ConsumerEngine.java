package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.dispatch.Call;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The engine of one listener from its start to its end: one owner thread, which makes a
 * consumer, runs its loop, and when the consumer fails clears all state and makes a new
 * one after a back-off. It ends when it is asked to, or for a reason that no new consumer
 * can mend; it never ends silently.
 *
 * <h2>Threading</h2> {@link #run} is the owner thread; its side is {@link OwnerThread}.
 * Everything else may be called from any thread and only hands over: to the owner's
 * commands, to the dispatcher, or to what the owner has published.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public final class ConsumerEngine<K, V> implements Runnable {

	private final OwnerCommands<K, V> commands;

	private final OwnerThread<K, V> owner;

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final Acknowledgments<K, V> acknowledgments;

	private final LongSupplier clock;

	/**
	 * Make an engine; nothing runs yet.
	 * @param config its collaborators and settings
	 */
	public ConsumerEngine(EngineConfig<K, V> config) {
		this.clock = config.clock();
		this.commands = new OwnerCommands<>(config.id());
		this.owner = new OwnerThread<>(config, this.commands);
		this.dispatcher = this.owner.parts().dispatcher();
		this.acknowledgments = new Acknowledgments<>(config.settings().coverEarlier());
	}

	/**
	 * Make the first consumer on the calling thread, before the owner starts, so that the
	 * caller hears of what the client refuses. May be left out.
	 */
	public void prepare() {
		this.owner.prepare();
	}

	@Override
	public void run() {
		this.owner.run();
	}

	/**
	 * Ask for the end: records in hand are waited for, then everything is committed and
	 * the group is left. Returns at once.
	 * @param drainTimeout the longest wait for records in hand
	 */
	public void stop(Duration drainTimeout) {
		this.owner.stop(drainTimeout);
	}

	/**
	 * A handler of this listener has asked for its end, and may wait for that with its
	 * record in hand: it is told once nothing else is in hand. Inside a call only.
	 * @param grace how long the handler may need to return by itself
	 * @param told run on the owner thread, unless the engine ends before; must be
	 * harmless when run again
	 */
	public void calledInside(Duration grace, Runnable told) {
		this.owner.calledInside(grace, told);
	}

	/**
	 * Run something with the consumer on the owner thread, between two polls.
	 * @param action what to do
	 * @param <T> the type of the result
	 * @return completed on the owner thread
	 */
	public <T extends @Nullable Object> CompletableFuture<T> execute(Function<Consumer<K, V>, T> action) {
		CompletableFuture<T> result = this.commands.read(action);
		this.owner.signal();
		if (this.owner.hasEnded()) {
			this.commands.cancelAll();
		}
		return result;
	}

	/**
	 * Commit what the application wants committed, as far as it may be: never beyond a
	 * record that has not ended, and only what is assigned here. Done by the owner in
	 * order with the listener's own commits.
	 * @param offsets the next offsets
	 * @param byHand whether the listener acknowledges by hand: the commit then says that
	 * the records delivered below these offsets are done
	 * @param wait whether somebody is going to wait for the answer
	 * @return completed when the broker has answered
	 */
	public CompletableFuture<Void> commit(Map<TopicPartition, OffsetAndMetadata> offsets, boolean byHand,
			boolean wait) {
		Call<ConsumerRecord<K, V>> call = this.dispatcher.current();
		if (byHand && call != null) {
			acknowledge(call, offsets);
		}
		ConsumerLoop<K, V> here = this.owner.loop();
		if (here != null && isOwner()) {
			CompletableFuture<Void> result = new CompletableFuture<>();
			here.userCommits().add(offsets, true, result);
			here.userCommits().commit();
			return result;
		}
		CompletableFuture<Void> result = this.commands.commit(offsets, wait);
		this.owner.signal();
		if (this.owner.hasEnded()) {
			this.commands.cancelAll();
		}
		return result;
	}

	private void acknowledge(Call<ConsumerRecord<K, V>> call, Map<TopicPartition, OffsetAndMetadata> offsets) {
		OffsetAndMetadata own = offsets
			.get(new TopicPartition(call.assignment().topic(), call.assignment().partition()));
		int last = call.size() - 1;
		while (last >= 0 && (own == null || call.delivery(last).offset() >= own.offset())) {
			last--;
		}
		if (last >= 0) {
			this.acknowledgments.acknowledge(call, last);
		}
	}

	/**
	 * Whether the calling thread is inside a call of this listener's handler.
	 * @return true on a worker that handles a record just now
	 */
	public boolean isInCall() {
		return this.dispatcher.current() != null;
	}

	/**
	 * Move a partition: see {@code ConsumerSeekAware}. Takes effect at once inside a
	 * callback on the owner thread, otherwise before the next poll.
	 * @param partition an assigned partition
	 * @param move does the seek, given the consumer
	 */
	public void seek(TopicPartition partition, java.util.function.Consumer<Consumer<K, V>> move) {
		ConsumerLoop<K, V> here = this.owner.loop();
		if (here != null && isOwner() && here.seek(partition, move)) {
			return;
		}
		this.commands.seek(partition, move);
	}

	/**
	 * Where the application is in a partition: its lowest record that has not ended,
	 * whatever the client has fetched beyond. Owner thread only.
	 * @param partition an assigned partition
	 * @param timeout the longest wait for the client, when it was asked for no record yet
	 * @return empty when it is not known
	 */
	public OptionalLong position(TopicPartition partition, Duration timeout) {
		ConsumerLoop<K, V> here = this.owner.loop();
		return (here != null && isOwner()) ? here.position(partition, timeout) : OptionalLong.empty();
	}

	/**
	 * Whether records of a partition are inside a call. Owner thread only.
	 * @param partition an assigned partition
	 * @return false when none is, or it is not assigned
	 */
	public boolean isRunning(TopicPartition partition) {
		ConsumerLoop<K, V> here = this.owner.loop();
		return here != null && isOwner() && here.isRunning(partition);
	}

	/**
	 * What is known of the consumer as of its owner's last turn or callback.
	 * @return nothing assigned while there is no consumer
	 */
	public ConsumerView view() {
		ConsumerLoop<K, V> here = this.owner.loop();
		return (here != null) ? here.view() : ConsumerView.EMPTY;
	}

	/**
	 * Change the most calls at once. Takes effect immediately; calls already begun end.
	 * @param limit at least 1
	 */
	public void limit(int limit) {
		this.dispatcher.limit(limit);
	}

	/**
	 * The most calls at once now.
	 * @return at least 1
	 */
	public int limit() {
		return this.dispatcher.limit();
	}

	/**
	 * The calls not finished.
	 * @return 0 or more
	 */
	public int used() {
		return this.dispatcher.used();
	}

	/**
	 * The calls that threads are inside just now.
	 * @return in no order; those of abandoned records included, asynchronous ones not
	 */
	public List<RunningCall> running() {
		List<RunningCall> running = new ArrayList<>();
		long now = this.clock.getAsLong();
		this.dispatcher.running((call, thread) -> running.add(new RunningCall(call, thread, now)));
		return running;
	}

	/**
	 * The state at the end of a recent turn.
	 * @return empty before the first turn and after the end
	 */
	public EngineSnapshot snapshot() {
		return this.owner.snapshot();
	}

	/**
	 * Whether a rebalance callback is running.
	 * @return true inside one
	 */
	public boolean isRebalancing() {
		ConsumerLoop<K, V> current = this.owner.loop();
		return current != null && current.rebalancer().isActive();
	}

	/**
	 * When the last poll returned.
	 * @return {@link System#nanoTime()}, 0 before the first
	 */
	public long lastPollNanos() {
		return this.owner.lastPollNanos();
	}

	/**
	 * The last rebalances.
	 * @return at most 50, oldest first
	 */
	public RebalanceLog rebalances() {
		return this.owner.parts().log();
	}

	/**
	 * Whether the calling thread is the owner.
	 * @return true inside callbacks
	 */
	public boolean isOwner() {
		return this.owner.isCurrent();
	}

	/**
	 * Run something on the owner thread: at once when called there, otherwise between two
	 * polls.
	 * @param action given the consumer
	 */
	public void onOwner(java.util.function.Consumer<Consumer<K, V>> action) {
		ConsumerLoop<K, V> here = this.owner.loop();
		if (here != null && isOwner()) {
			action.accept(here.consumer());
		}
		else {
			execute((consumer) -> {
				action.accept(consumer);
				return null;
			});
		}
	}

	/**
	 * Wait until the owner has heard of a stop, which it does not while a callback of its
	 * runs.
	 * @param timeout the longest wait
	 * @return whether it has
	 * @throws InterruptedException when interrupted while waiting
	 */
	public boolean awaitHeard(Duration timeout) throws InterruptedException {
		return this.owner.awaitHeard(timeout);
	}

	/**
	 * Wait for the end.
	 * @param timeout the longest wait
	 * @return whether the engine has ended
	 * @throws InterruptedException when interrupted while waiting
	 */
	public boolean awaitEnd(Duration timeout) throws InterruptedException {
		return this.owner.awaitEnd(timeout);
	}

}
