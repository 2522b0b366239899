package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * The simulated side of the brokers: logs with gaps, committed offsets, and the group
 * with its three kinds of rebalance.
 */
final class SimBroker {

	enum Protocol {

		EAGER, COOPERATIVE, CONSUMER

	}

	private static final long REBALANCE_TIMEOUT = TimeUnit.SECONDS.toNanos(60);

	final Protocol protocol;

	final Map<TopicPartition, Log> logs = new LinkedHashMap<>();

	final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();

	final List<SimClient> members = new ArrayList<>();

	private final Random random;

	private final SimWorld world;

	int generation;

	private boolean preparing;

	private long deadline;

	private final Map<SimClient, Set<TopicPartition>> joined = new LinkedHashMap<>();

	private final Map<TopicPartition, SimClient> target = new HashMap<>();

	/** KIP-848: who holds what until it has given it back. */
	private final Map<TopicPartition, SimClient> holder = new HashMap<>();

	SimBroker(SimWorld world, Random random, Protocol protocol, int partitions) {
		this.world = world;
		this.random = random;
		this.protocol = protocol;
		for (int i = 0; i < partitions; i++) {
			this.logs.put(new TopicPartition("t", i), new Log());
		}
	}

	/** Records of one partition; compaction and markers leave gaps. */
	static final class Log {

		final TreeSet<Long> offsets = new TreeSet<>();

		/** Records that cannot be deserialized. */
		final TreeSet<Long> poisoned = new TreeSet<>();

		long end;

		void produce(Random random, int records, int poison) {
			for (int i = 0; i < records; i++) {
				if (random.nextInt(4) == 0) {
					this.end += 1 + random.nextInt(3);
				}
				if (random.nextInt(100) < poison) {
					this.poisoned.add(this.end);
				}
				this.offsets.add(this.end++);
			}
			if (random.nextInt(3) == 0) {
				this.end += 1 + random.nextInt(2);
			}
		}

	}

	void join(SimClient client) {
		this.members.add(client);
		trigger();
	}

	/** A member left or was evicted. */
	void remove(SimClient client) {
		if (this.members.remove(client)) {
			this.joined.remove(client);
			this.holder.values().removeIf((holder) -> holder == client);
			trigger();
			completeIfAllJoined();
		}
	}

	/** The coordinator takes a member for dead. */
	void evict(SimClient client) {
		if (this.members.contains(client)) {
			client.evicted = true;
			this.world.oracle.ended(client.member, null);
			remove(client);
		}
	}

	void trigger() {
		if (this.protocol == Protocol.CONSUMER) {
			this.generation++;
			assignTargets();
			this.members.forEach((member) -> member.staleEpoch = this.world.faults && this.random.nextInt(3) == 0);
		}
		else if (!this.preparing && !this.members.isEmpty()) {
			this.preparing = true;
			this.joined.clear();
			this.deadline = this.world.now + REBALANCE_TIMEOUT;
		}
	}

	boolean mustJoin(SimClient client) {
		return this.preparing && !this.joined.containsKey(client) && !client.evicted;
	}

	void joinRound(SimClient client, Set<TopicPartition> owned) {
		this.joined.put(client, new LinkedHashSet<>(owned));
		completeIfAllJoined();
	}

	private void completeIfAllJoined() {
		if (this.preparing && !this.members.isEmpty() && this.joined.keySet().containsAll(this.members)) {
			complete();
		}
	}

	/** What the coordinator does by its own clock. */
	void tick() {
		if (this.preparing && this.world.now - this.deadline > 0) {
			for (SimClient member : List.copyOf(this.members)) {
				if (!this.joined.containsKey(member)) {
					evict(member);
				}
			}
			completeIfAllJoined();
		}
	}

	private void complete() {
		this.preparing = false;
		this.generation++;
		assignTargets();
		Map<TopicPartition, SimClient> owner = new HashMap<>();
		this.joined.forEach((member, owned) -> owned.forEach((partition) -> owner.put(partition, member)));
		for (SimClient member : this.members) {
			Set<TopicPartition> assigned = new LinkedHashSet<>();
			this.target.forEach((partition, wanted) -> {
				SimClient current = owner.get(partition);
				// What another member still owns is withheld until it has given it back.
				if (wanted == member && (current == null || current == member)) {
					assigned.add(partition);
				}
			});
			member.answer(this.generation, assigned);
		}
		this.joined.clear();
	}

	private void assignTargets() {
		this.target.values().removeIf((member) -> !this.members.contains(member));
		if (this.members.isEmpty()) {
			return;
		}
		boolean shuffle = this.random.nextInt(4) == 0;
		int most = (this.logs.size() + this.members.size() - 1) / this.members.size();
		Map<SimClient, Integer> counts = new HashMap<>();
		for (TopicPartition partition : this.logs.keySet()) {
			SimClient current = this.target.get(partition);
			if (current == null || shuffle || counts.getOrDefault(current, 0) >= most) {
				List<SimClient> free = this.members.stream()
					.filter((member) -> counts.getOrDefault(member, 0) < most)
					.toList();
				current = free.get(this.random.nextInt(free.size()));
				this.target.put(partition, current);
			}
			counts.merge(current, 1, Integer::sum);
		}
	}

	/** KIP-848: what a member holds and shall give back. */
	Set<TopicPartition> toRevoke(SimClient client) {
		Set<TopicPartition> revoke = new LinkedHashSet<>(client.owned);
		revoke.removeIf((partition) -> this.target.get(partition) == client);
		return revoke;
	}

	/** KIP-848: what is free for a member. */
	Set<TopicPartition> toAssign(SimClient client) {
		Set<TopicPartition> free = new LinkedHashSet<>();
		this.target.forEach((partition, wanted) -> {
			if (wanted == client && this.holder.get(partition) == null) {
				free.add(partition);
			}
		});
		return free;
	}

	void hold(SimClient client, Set<TopicPartition> partitions) {
		partitions.forEach((partition) -> this.holder.put(partition, client));
	}

	void release(SimClient client, Set<TopicPartition> partitions) {
		partitions.forEach((partition) -> this.holder.remove(partition, client));
	}

	boolean isStable() {
		return !this.preparing;
	}

	void store(SimClient client, Map<TopicPartition, OffsetAndMetadata> offsets) {
		offsets.forEach((partition, offset) -> {
			this.world.oracle.stored(client, partition, this.committed.get(partition), offset);
			this.committed.put(partition, offset);
		});
	}

}
