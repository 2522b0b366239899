package io.evenkeel.kafka.container;

import java.util.Collection;

import io.evenkeel.kafka.engine.AssignedPartition;

/**
 * Partitions of a listener were handed over: their records in hand were drained or
 * abandoned, their offsets committed. Published on the listener's owner thread, inside
 * the rebalance: an event listener should be quick.
 */
public class PartitionsRevokedEvent extends PartitionsEvent {

	private static final long serialVersionUID = 1L;

	PartitionsRevokedEvent(Object source, String listenerId, Collection<AssignedPartition> partitions) {
		super(source, listenerId, partitions);
	}

}
