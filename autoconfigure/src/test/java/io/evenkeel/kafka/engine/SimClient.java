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
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
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
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.IllegalGenerationException;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.record.TimestampType;

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

	/** Another member has taken this one's identity. */
	boolean fenced;

	/** Whether the last synchronous commit of a hand-over failed, */
	boolean commitFailed;

	/** and for good; */
	private boolean failedForGood;

	/** since when the hand-over tries; */
	private long tryingSince;

	/** how often the group has refused it. */
	private int refused;

	/** What this client has thrown, or told, and the engine may pass on. */
	final Set<Throwable> simulated = Collections.newSetFromMap(new IdentityHashMap<>());

	/** To where the application, or the log, has moved back what is owned. */
	final Map<TopicPartition, Long> movedBackTo = new HashMap<>();

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
			case "currentLag" -> OptionalLong.empty();
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
		if (this.fenced) {
			throw simulated(new FencedInstanceIdException("fenced"));
		}
		if (this.world.faults && this.random.nextInt(400) == 0) {
			throw simulated(new KafkaException("Unexpected"));
		}
		rebalance();
		answers(false);
		if (this.world.faults && this.random.nextInt(1000) < this.world.moves) {
			moveBack();
		}
		return fetch();
	}

	private <T extends Throwable> T simulated(T failure) {
		this.simulated.add(failure);
		return failure;
	}

	/** The log is another one, or a reset went to an earlier offset. */
	private void moveBack() {
		List<TopicPartition> located = this.owned.stream().filter(this.positions::containsKey).toList();
		if (!located.isEmpty() && !this.evicted) {
			TopicPartition partition = located.get(this.random.nextInt(located.size()));
			long target = (long) (this.random.nextDouble() * this.positions.get(partition));
			this.world.oracle.moved(this, partition, target, false);
			this.positions.put(partition, target);
		}
	}

	/** Whether a hand-over that could not commit had to give up. */
	boolean isExcused() {
		return this.commitFailed && (this.failedForGood
				|| this.world.now - this.tryingSince >= this.world.settings.commitTimeout().toNanos());
	}

	void handOver() {
		this.commitFailed = false;
		this.failedForGood = false;
		this.refused = 0;
		this.tryingSince = -1;
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
		handOver();
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
		this.movedBackTo.keySet().removeAll(gone);
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
				if (log.poisoned.contains(offset)) {
					// What was read before it comes first.
					if (fetched.isEmpty() && records.isEmpty()) {
						this.positions.put(partition, offset);
						throw poison(partition, offset);
					}
					room = 0;
					break;
				}
				records.add(new ConsumerRecord<>(partition.topic(), partition.partition(), offset,
						this.world.key(offset), "v"));
				position = offset + 1;
				room--;
			}
			if (log.offsets.ceiling(position) == null && room > 0) {
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

	private static RecordDeserializationException poison(TopicPartition partition, long offset) {
		return new RecordDeserializationException(RecordDeserializationException.DeserializationExceptionOrigin.VALUE,
				partition, offset, 0, TimestampType.CREATE_TIME, null, null, null, "poison",
				new IllegalArgumentException());
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
		if (this.world.faults && this.random.nextInt(60) == 0) {
			throw this.random.nextInt(4) > 0 ? new RebalanceInProgressException()
					: simulated(new KafkaException("Unexpected"));
		}
		long due = this.world.now + (this.world.faults ? this.random.nextInt(3000) * MILLI : 0);
		this.sent.add(new Sent(Map.copyOf(offsets), callback, this.generation, this.joins, due));
	}

	/** Answers to commits in the background come inside calls of the consumer. */
	private void answers(boolean all) {
		while (!this.sent.isEmpty() && (all || this.sent.peek().due - this.world.now <= 0)) {
			Sent commit = this.sent.remove();
			Exception failure = (commit.joins == this.joins) ? refusal(commit.offsets, commit.generation, false)
					: new CommitFailedException();
			boolean unanswered = failure == null && this.world.faults && this.random.nextInt(10) == 0;
			if (failure == null && !(unanswered && this.random.nextBoolean())) {
				this.broker.store(this, commit.offsets);
			}
			commit.callback.onComplete(commit.offsets,
					unanswered ? new RetriableCommitFailedException("no answer") : failure);
		}
	}

	private RuntimeException refusal(Map<TopicPartition, OffsetAndMetadata> offsets, int commitGeneration,
			boolean sync) {
		if (this.fenced) {
			return simulated(new FencedInstanceIdException("fenced"));
		}
		if (this.evicted) {
			return notAMember();
		}
		boolean fits = offsets.values()
			.stream()
			.allMatch((offset) -> offset.metadata().length() <= this.world.mostMetadata);
		if (!fits) {
			return new OffsetMetadataTooLarge("too large");
		}
		if (this.world.faults && this.random.nextInt(200) == 0) {
			return simulated(GroupAuthorizationException.forGroupId("g"));
		}
		if (this.broker.protocol == SimBroker.Protocol.CONSUMER) {
			if (this.staleEpoch) {
				return (sync && this.random.nextBoolean()) ? new CommitFailedException()
						: new StaleMemberEpochException("stale");
			}
			return null;
		}
		if (this.waiting || this.answer != null) {
			return new RebalanceInProgressException();
		}
		if (commitGeneration != this.generation) {
			return notAMember();
		}
		// KAFKA-19242
		if (this.world.faults && this.random.nextInt(30) == 0) {
			return notAMember();
		}
		return (this.world.faults && this.random.nextInt(20) == 0) ? new RebalanceInProgressException() : null;
	}

	/** The client calls it one or the other, depending on where it finds out. */
	private RuntimeException notAMember() {
		return switch (this.random.nextInt(3)) {
			case 0 -> new UnknownMemberIdException("unknown");
			case 1 -> new IllegalGenerationException("illegal");
			default -> new CommitFailedException();
		};
	}

	private void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
		this.world.oracle.commitBegins(this, offsets.keySet());
		this.commitFailed = true;
		if (this.tryingSince < 0) {
			this.tryingSince = this.world.now;
		}
		answers(true);
		this.world.pass(MILLI * 5);
		RuntimeException refusal = refusal(offsets, this.generation, true);
		if (refusal != null) {
			boolean classic = this.broker.protocol != SimBroker.Protocol.CONSUMER;
			boolean again = refusal instanceof OffsetMetadataTooLarge
					|| refusal instanceof RebalanceInProgressException;
			this.failedForGood |= this.simulated.contains(refusal) || (!again && classic && ++this.refused > 1);
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
		boolean fails = this.world.faults && this.random.nextInt(15) == 0;
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
		if (fails) {
			throw simulated(new KafkaException("Failed to close kafka consumer"));
		}
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
