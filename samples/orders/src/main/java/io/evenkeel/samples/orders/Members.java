package io.evenkeel.samples.orders;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

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
		change(member, "takes over", (all) -> all.addAll(partitions));
	}

	private synchronized void gone(String member, String verb, Collection<TopicPartition> partitions) {
		change(member, verb, (all) -> all.removeAll(partitions));
	}

	private void change(String member, String verb, Predicate<Set<TopicPartition>> change) {
		Set<TopicPartition> all = this.held.computeIfAbsent(member, (name) -> new HashSet<>());
		int before = all.size();
		if (change.test(all)) {
			this.narrator.tell("  %s member %s %d partitions, holds %d", member, verb, Math.abs(all.size() - before),
					all.size());
		}
		changed();
	}

}
