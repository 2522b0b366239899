package io.evenkeel.kafka.container;

import java.util.Collection;

import io.evenkeel.kafka.engine.AssignedPartition;

/**
 * Partitions were assigned to a listener; their state is ready, their records are about
 * to come. Published on the listener's owner thread, inside the rebalance: an event
 * listener should be quick.
 */
public class PartitionsAssignedEvent extends PartitionsEvent {

	private static final long serialVersionUID = 1L;

	PartitionsAssignedEvent(Object source, String listenerId, Collection<AssignedPartition> partitions) {
		super(source, listenerId, partitions);
	}

}
