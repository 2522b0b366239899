package io.evenkeel.kafka.test;

import java.util.Set;

import org.apache.kafka.common.TopicPartition;

/**
 * Partitions that go elsewhere. The listener gives them up when the calls in progress
 * have ended, or the drain timeout has passed by the test's clock; what is lost goes at
 * once. Any thread.
 */
public final class Handover {

	private final FakeCluster cluster;

	private final Set<TopicPartition> partitions;

	Handover(FakeCluster cluster, Set<TopicPartition> partitions) {
		this.cluster = cluster;
		this.partitions = partitions;
	}

	/**
	 * Whether no listener has any of them.
	 * @return at once
	 */
	public boolean isDone() {
		return !this.cluster.isHeld(this.partitions);
	}

	/**
	 * Wait until no listener has any of them.
	 * @throws AssertionError after ten seconds
	 */
	public void await() {
		this.cluster.await(
				() -> "The listener still has partitions of " + this.partitions
						+ ": a call is in progress; end it, or let the drain timeout pass with advance(...)",
				this::isDone);
	}

}
