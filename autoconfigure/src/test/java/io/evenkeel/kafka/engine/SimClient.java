package io.evenkeel.kafka.engine;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * A simulated consumer: callbacks inside polls, pauses that an eager rebalance forgets,
 * commits that are answered late, refused, or stored without an answer.
 */
final class SimClient implements InvocationHandler {

	private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

	final SimMember member;

	final Set<TopicPartition> owned = new LinkedHashSet<>();

	final Consumer<String, String> consumer;

	boolean evicted;

	boolean closed;

	/** KIP-848: a heartbeat has not brought the new epoch yet. */
	boolean staleEpoch;

	/** Whether the last synchronous commit failed, and when. */
	boolean commitFailed;

	private final SimWorld world;

	private final SimBroker broker;

	private final Random random;

	private final ConsumerRebalanceListener listener;

	private final Map<TopicPartition, Long> positions = new HashMap<>();

	private final Set<TopicPartition> paused = new HashSet<>();

	private final ArrayDeque<Sent> sent = new ArrayDeque<>();

	private boolean waiting;

	private int generation;

	/** How often the group has taken this member in anew. */
	private int joins;

	private Set<TopicPartition> answer;

	private int answerGeneration;

	/** A callback that failed and must be repeated. */
	private Set<TopicPartition> unfinishedAssign = Set.of();

	@SuppressWarnings("unchecked")
	SimClient(SimMember member, SimWorld world, ConsumerRebalanceListener[] listener) {
		this.member = member;
		this.world = world;
		this.broker = world.broker;
		this.random = world.random;
		this.listener = new ConsumerRebalanceListener() {

			@Override
			public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
				listener[0].onPartitionsRevoked(partitions);
			}

			@Override
			public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
				listener[0].onPartitionsAssigned(partitions);
			}

			@Override
			public void onPartitionsLost(Collection<TopicPartition> partitions) {
				listener[0].onPartitionsLost(partitions);
			}

		};
		this.consumer = (Consumer<String, String>) Proxy.newProxyInstance(SimClient.class.getClassLoader(),
				new Class<?>[] { Consumer.class }, this);
	}

	private record Sent(Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback, int generation,
			int joins, long due) {
	}

	@Override
	@SuppressWarnings({ "unchecked", "removal" })
	public Object invoke(Object proxy, Method method, Object[] args) {
		if (this.closed && !method.getName().equals("close") && !method.getName().equals("groupMetadata")) {
			throw new IllegalStateException("This consumer has already been closed.");
		}
		return switch (method.getName()) {
			case "poll" -> poll((Duration) args[0]);
			case "assignment" -> Set.copyOf(this.owned);
			case "paused" -> Set.copyOf(this.paused);
			case "pause" -> {
				owning((Collection<TopicPartition>) args[0]);
				this.paused.addAll((Collection<TopicPartition>) args[0]);
				yield null;
			}
			case "resume" -> {
				owning((Collection<TopicPartition>) args[0]);
				this.paused.removeAll((Collection<TopicPartition>) args[0]);
				yield null;
			}
			case "committed" -> committed((Set<TopicPartition>) args[0], (Duration) args[1]);
			case "position" -> position((TopicPartition) args[0]);
			case "seek" -> {
				owning(Set.of((TopicPartition) args[0]));
				this.positions.put((TopicPartition) args[0], (Long) args[1]);
				yield null;
			}
			case "commitAsync" -> {
				commitAsync((Map<TopicPartition, OffsetAndMetadata>) args[0], (OffsetCommitCallback) args[1]);
				yield null;
			}
			case "commitSync" -> {
				commitSync((Map<TopicPartition, OffsetAndMetadata>) args[0], (Duration) args[1]);
				yield null;
			}
			case "groupMetadata" -> new ConsumerGroupMetadata("g", this.generation, "m", java.util.Optional.empty());
			case "subscription" -> Set.of("t");
			case "metrics" -> Map.of();
			case "currentLag" -> java.util.OptionalLong.empty();
			case "close" -> {
				close();
				yield null;
			}
			case "hashCode" -> System.identityHashCode(this);
			case "equals" -> proxy == args[0];
			case "toString" -> "SimClient of " + this.member;
			default -> throw new UnsupportedOperationException(method.getName());
		};
	}

	private void owning(Collection<TopicPartition> partitions) {
		if (!this.owned.containsAll(partitions)) {
			throw new IllegalStateException("No current assignment for one of " + partitions);
		}
	}

	private ConsumerRecords<String, String> poll(Duration timeout) {
		answers(false);
		this.world.pass(timeout.toNanos());
		this.broker.tick();
		if (this.world.faults && this.random.nextInt(400) == 0) {
			throw new KafkaException("Unexpected");
		}
		rebalance();
		answers(false);
		return fetch();
	}

	private void rebalance() {
		if (this.evicted) {
			lost();
			return;
		}
		if (this.broker.protocol == SimBroker.Protocol.CONSUMER) {
			reconcile();
			return;
		}
		if (this.answer == null && this.broker.mustJoin(this)) {
			if (this.broker.protocol == SimBroker.Protocol.EAGER) {
				revoke(new LinkedHashSet<>(this.owned));
			}
			if (this.evicted) {
				return;
			}
			this.waiting = true;
			this.broker.joinRound(this, this.owned);
		}
		if (this.answer != null) {
			synced();
		}
	}

	void answer(int generation, Set<TopicPartition> assigned) {
		this.answerGeneration = generation;
		this.answer = assigned;
	}

	private void synced() {
		Set<TopicPartition> assigned = this.answer;
		this.answer = null;
		this.waiting = false;
		this.generation = this.answerGeneration;
		Set<TopicPartition> gone = new LinkedHashSet<>(this.owned);
		gone.removeAll(assigned);
		Set<TopicPartition> added = new LinkedHashSet<>(assigned);
		added.removeAll(this.owned);
		if (!gone.isEmpty()) {
			revoke(gone);
		}
		if (this.evicted) {
			return;
		}
		this.owned.addAll(added);
		this.listener.onPartitionsAssigned(added);
		if (!gone.isEmpty()) {
			this.broker.trigger();
		}
	}

	private void reconcile() {
		this.generation = this.broker.generation;
		this.staleEpoch &= this.random.nextBoolean();
		if (!this.unfinishedAssign.isEmpty()) {
			assign(this.unfinishedAssign);
			return;
		}
		Set<TopicPartition> gone = this.broker.toRevoke(this);
		if (!gone.isEmpty()) {
			revoke(gone);
			this.broker.release(this, gone);
			return;
		}
		Set<TopicPartition> added = this.broker.toAssign(this);
		if (!added.isEmpty()) {
			this.broker.hold(this, added);
			this.owned.addAll(added);
			assign(added);
		}
	}

	/** A callback that fails is repeated before its partitions can be fetched. */
	private void assign(Set<TopicPartition> added) {
		Set<TopicPartition> mine = new LinkedHashSet<>(added);
		mine.retainAll(this.owned);
		this.unfinishedAssign = mine;
		this.listener.onPartitionsAssigned(mine);
		this.unfinishedAssign = (this.world.faults && this.random.nextInt(20) == 0) ? mine : Set.of();
	}

	private void revoke(Set<TopicPartition> gone) {
		this.commitFailed = false;
		long start = this.world.now;
		this.world.oracle.callbackBegins(this.member);
		this.listener.onPartitionsRevoked(gone);
		this.world.oracle.callbackEnds(this.member, this.world.now - start);
		forget(gone);
	}

	private void lost() {
		Set<TopicPartition> gone = new LinkedHashSet<>(this.owned);
		this.unfinishedAssign = Set.of();
		if (!gone.isEmpty()) {
			this.listener.onPartitionsLost(gone);
		}
		forget(gone);
		this.answer = null;
		this.waiting = false;
		this.evicted = false;
		this.joins++;
		this.broker.join(this);
	}

	private void forget(Set<TopicPartition> gone) {
		this.owned.removeAll(gone);
		this.positions.keySet().removeAll(gone);
		this.paused.removeAll(gone);
	}

	private ConsumerRecords<String, String> fetch() {
		Map<TopicPartition, List<ConsumerRecord<String, String>>> fetched = new LinkedHashMap<>();
		Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
		int room = this.world.maxPoll;
		List<TopicPartition> order = new ArrayList<>(this.owned);
		Collections.shuffle(order, this.random);
		for (TopicPartition partition : order) {
			boolean silent = this.paused.contains(partition) || this.unfinishedAssign.contains(partition)
					|| (this.waiting && this.broker.protocol == SimBroker.Protocol.EAGER)
					|| (this.world.faults && this.random.nextInt(4) == 0);
			if (silent || room == 0) {
				continue;
			}
			long position = locate(partition);
			SimBroker.Log log = this.broker.logs.get(partition);
			List<ConsumerRecord<String, String>> records = new ArrayList<>();
			for (long offset : log.offsets.tailSet(position)) {
				if (room == 0) {
					break;
				}
				records.add(new ConsumerRecord<>(partition.topic(), partition.partition(), offset,
						this.world.key(offset), "v"));
				position = offset + 1;
				room--;
			}
			if (log.offsets.ceiling(position) == null) {
				position = log.end;
			}
			if (!records.isEmpty()) {
				fetched.put(partition, records);
			}
			if (position != this.positions.put(partition, position)) {
				next.put(partition, new OffsetAndMetadata(position));
			}
		}
		return new ConsumerRecords<>(fetched, next);
	}

	private long locate(TopicPartition partition) {
		return this.positions.computeIfAbsent(partition, (key) -> {
			OffsetAndMetadata offset = this.broker.committed.get(partition);
			return (offset != null) ? offset.offset() : 0;
		});
	}

	private long position(TopicPartition partition) {
		if (this.world.faults && this.random.nextBoolean()) {
			throw new TimeoutException("not yet");
		}
		return locate(partition);
	}

	private Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions, Duration timeout) {
		if (this.world.faults && this.random.nextInt(10) == 0) {
			this.world.pass(timeout.toNanos());
			throw new TimeoutException("no answer");
		}
		this.world.pass(MILLI);
		Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>();
		partitions.forEach((partition) -> found.put(partition, this.broker.committed.get(partition)));
		return found;
	}

	private void commitAsync(Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
		this.world.oracle.commitBegins(this, offsets.keySet());
		if (!this.sent.isEmpty()) {
			throw new AssertionError(this.member + " has two commits in flight");
		}
		long due = this.world.now + (this.world.faults ? this.random.nextInt(3000) * MILLI : 0);
		this.sent.add(new Sent(Map.copyOf(offsets), callback, this.generation, this.joins, due));
	}

	/** Answers to commits in the background come inside calls of the consumer. */
	private void answers(boolean all) {
		while (!this.sent.isEmpty() && (all || this.sent.peek().due - this.world.now <= 0)) {
			Sent commit = this.sent.remove();
			Exception failure = (commit.joins == this.joins) ? refusal(commit.generation, false)
					: new CommitFailedException();
			boolean unanswered = failure == null && this.world.faults && this.random.nextInt(10) == 0;
			if (failure == null && !(unanswered && this.random.nextBoolean())) {
				this.broker.store(this, commit.offsets);
			}
			commit.callback.onComplete(commit.offsets,
					unanswered ? new RetriableCommitFailedException("no answer") : failure);
		}
	}

	private RuntimeException refusal(int commitGeneration, boolean sync) {
		if (this.evicted) {
			return new CommitFailedException();
		}
		if (this.broker.protocol == SimBroker.Protocol.CONSUMER) {
			if (this.staleEpoch) {
				return sync ? new CommitFailedException() : new StaleMemberEpochException("stale");
			}
			return null;
		}
		if (this.waiting || this.answer != null) {
			return new RebalanceInProgressException();
		}
		if (commitGeneration != this.generation) {
			return new CommitFailedException();
		}
		// KAFKA-19242
		if (this.world.faults && this.random.nextInt(30) == 0) {
			return new CommitFailedException();
		}
		return (this.world.faults && this.random.nextInt(20) == 0) ? new RebalanceInProgressException() : null;
	}

	private void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
		this.world.oracle.commitBegins(this, offsets.keySet());
		this.commitFailed = true;
		answers(true);
		this.world.pass(MILLI * 5);
		RuntimeException refusal = refusal(this.generation, true);
		if (refusal != null) {
			if (this.random.nextBoolean()) {
				this.staleEpoch = false;
			}
			throw refusal;
		}
		if (this.world.faults && this.random.nextInt(12) == 0) {
			boolean stored = this.random.nextBoolean();
			if (stored) {
				this.broker.store(this, offsets);
			}
			this.world.pass(this.random.nextBoolean() ? timeout.toNanos() : 100 * MILLI);
			throw new TimeoutException("no answer");
		}
		this.broker.store(this, offsets);
		this.commitFailed = false;
	}

	private void close() {
		if (this.closed) {
			return;
		}
		answers(true);
		if (!this.owned.isEmpty()) {
			Set<TopicPartition> gone = new LinkedHashSet<>(this.owned);
			if (this.evicted) {
				this.listener.onPartitionsLost(gone);
			}
			else {
				this.listener.onPartitionsRevoked(gone);
			}
			forget(gone);
		}
		this.closed = true;
		this.broker.remove(this);
	}

	/** Positions past everything that was fetched, for the oracle. */
	boolean hasLag(TopicPartition partition) {
		return this.broker.logs.get(partition).offsets.ceiling(locate(partition)) != null;
	}

	boolean isPaused(TopicPartition partition) {
		return this.paused.contains(partition);
	}

	boolean isAssignUnfinished() {
		return !this.unfinishedAssign.isEmpty();
	}

}
