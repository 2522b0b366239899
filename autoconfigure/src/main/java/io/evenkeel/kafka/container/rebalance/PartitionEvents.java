package io.evenkeel.kafka.container.rebalance;

import java.util.Collection;

import io.evenkeel.kafka.engine.AssignedPartition;
import org.springframework.context.ApplicationEvent;

/**
 * Makes the events that say what happened to a listener's assignment.
 *
 * @param assigned partitions were assigned
 * @param revoked partitions were handed over
 * @param lost partitions were taken away
 */
public record PartitionEvents(Maker assigned, Maker revoked, Maker lost) {

	/**
	 * Makes one kind of event.
	 */
	@FunctionalInterface
	public interface Maker {

		ApplicationEvent make(Object source, String listenerId, Collection<AssignedPartition> partitions);

	}

}
