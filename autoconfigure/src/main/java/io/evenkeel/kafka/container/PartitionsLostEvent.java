package io.evenkeel.kafka.container;

import java.util.Collection;

import io.evenkeel.kafka.engine.AssignedPartition;

/**
 * Partitions of a listener were taken away: nothing was committed for them. Published on
 * the listener's owner thread, inside the rebalance: an event listener should be quick.
 */
public class PartitionsLostEvent extends PartitionsEvent {

	private static final long serialVersionUID = 1L;

	public PartitionsLostEvent(Object source, String listenerId, Collection<AssignedPartition> partitions) {
		super(source, listenerId, partitions);
	}

}
