package io.evenkeel.samples.orders;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;

/**
 * Who holds which partitions, as the members of the group were told. Threads: any; one
 * lock guards everything.
 */
class Members extends Watched {

	private final Narrator narrator;

	private final Map<String, Set<TopicPartition>> held = new HashMap<>();

	private final Set<Integer> generations = new HashSet<>();

	Members(Narrator narrator) {
		this.narrator = narrator;
	}

	/**
	 * Follow a member.
	 * @param member the member's name
	 * @return what its listener container has to call
	 */
	ConsumerAwareRebalanceListener follow(String member) {
		return new ConsumerAwareRebalanceListener() {

			@Override
			public void onPartitionsAssigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
				assigned(member, consumer.groupMetadata().generationId(), partitions);
			}

			@Override
			public void onPartitionsRevokedAfterCommit(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
				gone(member, "hands over", partitions);
			}

			@Override
			public void onPartitionsLost(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
				gone(member, "loses", partitions);
			}

		};
	}

	/**
	 * How many partitions a member holds.
	 * @param member the member's name
	 * @return the number of partitions
	 */
	synchronized int partitionsOf(String member) {
		return this.held.getOrDefault(member, Set.of()).size();
	}

	/**
	 * How often the group was rebalanced: the number of its generations, the first one
	 * included, that any member was assigned partitions in.
	 * @return the number of rebalances
	 */
	synchronized int rebalances() {
		return this.generations.size();
	}

	private synchronized void assigned(String member, int generation, Collection<TopicPartition> partitions) {
		this.generations.add(generation);
		Set<TopicPartition> all = this.held.computeIfAbsent(member, (name) -> new HashSet<>());
		all.addAll(partitions);
		tell(member, "takes over", partitions, all.size());
	}

	private synchronized void gone(String member, String verb, Collection<TopicPartition> partitions) {
		Set<TopicPartition> all = this.held.computeIfAbsent(member, (name) -> new HashSet<>());
		all.removeAll(partitions);
		tell(member, verb, partitions, all.size());
	}

	private void tell(String member, String verb, Collection<TopicPartition> partitions, int total) {
		if (!partitions.isEmpty()) {
			this.narrator.tell("  %s member %s %d partitions, holds %d", member, verb, partitions.size(), total);
		}
		changed();
	}

}
