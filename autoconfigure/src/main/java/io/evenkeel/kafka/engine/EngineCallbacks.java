package io.evenkeel.kafka.engine;

import java.util.Collection;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * The application's side of a rebalance. Called on the owner thread, inside the
 * consumer's callback, with the consumer itself. What these methods throw is logged; it
 * never leaves partition state half made.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public interface EngineCallbacks<K, V> {

	/**
	 * Partitions were assigned; their state is ready.
	 * @param consumer the consumer
	 * @param assigned what came, possibly nothing
	 */
	default void assigned(Consumer<K, V> consumer, Collection<AssignedPartition> assigned) {
	}

	/**
	 * Partitions are about to be handed over: their records in hand are done or
	 * abandoned, their offsets not yet committed.
	 * @param consumer the consumer
	 * @param partitions what goes
	 */
	default void beforeCommit(Consumer<K, V> consumer, Collection<TopicPartition> partitions) {
	}

	/**
	 * Partitions were handed over: committed and fenced.
	 * @param consumer the consumer
	 * @param revoked what went
	 */
	default void revoked(Consumer<K, V> consumer, Collection<AssignedPartition> revoked) {
	}

	/**
	 * Partitions were taken away: fenced, nothing committed.
	 * @param consumer the consumer
	 * @param lost what went
	 */
	default void lost(Consumer<K, V> consumer, Collection<AssignedPartition> lost) {
	}

	/**
	 * A poll returned.
	 * @param consumer the consumer
	 * @param records how many records it brought
	 */
	default void polled(Consumer<K, V> consumer, int records) {
	}

}
