package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiConsumer;
import java.util.function.Function;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What other threads want done with the consumer, until the owner does it between two
 * polls.
 *
 * <h2>Threading</h2> Commands are added by any thread. {@link #runAll} and
 * {@link #runReads} are the owner's; {@link #cancelAll} is for whoever finds that the
 * engine has ended, after adding one.
 *
 * <h2>Invariant</h2> A future is completed exactly once, by the owner or by a
 * cancellation: a command leaves the queue before it is either run or cancelled.
 */
final class OwnerCommands<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(OwnerCommands.class);

	private final String id;

	private final Queue<Command<K, V>> commands = new ConcurrentLinkedQueue<>();

	/** What could not be done yet and is asked for again in the next turn. Owner only. */
	private final List<Runnable> deferred = new ArrayList<>();

	OwnerCommands(String id) {
		this.id = id;
	}

	/** Ask something of the consumer; may be answered in the midst of a drain. */
	<T extends @Nullable Object> CompletableFuture<T> read(Function<Consumer<K, V>, T> action) {
		CompletableFuture<T> result = new CompletableFuture<>();
		this.commands.add(new Command<>((consumer, loop) -> {
			try {
				result.complete(action.apply(consumer));
			}
			catch (Throwable ex) {
				result.completeExceptionally(ex);
			}
		}, () -> result.completeExceptionally(new IllegalStateException("The listener has stopped")), true));
		return result;
	}

	/** Commit; may be done in the midst of a drain. */
	CompletableFuture<Void> commit(Map<TopicPartition, OffsetAndMetadata> offsets, boolean wait) {
		CompletableFuture<Void> result = new CompletableFuture<>();
		this.commands.add(new Command<>((consumer, loop) -> loop.userCommits().add(offsets, wait, result),
				() -> result.completeExceptionally(new IllegalStateException("The listener has stopped")), true));
		return result;
	}

	/** Move a partition, between two polls only. */
	void seek(TopicPartition partition, java.util.function.Consumer<Consumer<K, V>> move) {
		this.commands.add(new Command<>((consumer, loop) -> {
			if (!loop.seek(partition, move)) {
				this.deferred.add(() -> seek(partition, move));
			}
		}, () -> {
		}, false));
	}

	/**
	 * Do all that was asked for.
	 * @return whether there was something
	 */
	boolean runAll(ConsumerLoop<K, V> loop) {
		Command<K, V> command = this.commands.poll();
		if (command == null && !loop.userCommits().isWaiting()) {
			return false;
		}
		while (command != null) {
			try {
				command.action.accept(loop.consumer(), loop);
			}
			catch (RuntimeException ex) {
				logger.error("{}: what was asked of the consumer failed", this.id, ex);
			}
			command = this.commands.poll();
		}
		this.deferred.forEach(Runnable::run);
		this.deferred.clear();
		loop.userCommits().commit();
		return true;
	}

	/** Do what changes no partition. */
	void runReads(ConsumerLoop<K, V> loop) {
		if (this.commands.isEmpty()) {
			return;
		}
		for (Iterator<Command<K, V>> pending = this.commands.iterator(); pending.hasNext();) {
			Command<K, V> command = pending.next();
			if (command.isRead) {
				pending.remove();
				command.action.accept(loop.consumer(), loop);
			}
		}
		loop.userCommits().commit();
	}

	/** Nobody will do it any more. */
	void cancelAll() {
		Command<K, V> command = this.commands.poll();
		while (command != null) {
			command.cancel.run();
			command = this.commands.poll();
		}
	}

	private record Command<K, V>(BiConsumer<Consumer<K, V>, ConsumerLoop<K, V>> action, Runnable cancel,
			boolean isRead) {
	}

}
