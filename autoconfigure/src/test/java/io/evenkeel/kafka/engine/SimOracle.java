package io.evenkeel.kafka.engine;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.offset.CompletedOffsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Knows what has truly happened to each record and checks the guarantees after each
 * event. A violated guarantee is an {@link AssertionError} that begins with its name.
 */
final class SimOracle {

	private static final boolean TRACE = Long.getLong("evenkeel.seed") != null;

	private final SimWorld world;

	private final Map<TopicPartition, TreeMap<Long, Rec>> records = new HashMap<>();

	private final Map<Assignment<?>, Life> lives = new IdentityHashMap<>();

	private final Set<SimMember> replacing = new HashSet<>();

	private AssertionError violation;

	int duplicates;

	int handled;

	int ends;

	SimOracle(SimWorld world) {
		this.world = world;
	}

	private static final class Rec {

		boolean ended;

		long endedAt;

		int open;

		/** Whether one more assignment may call it although it ended or is in hand. */
		boolean permit;

	}

	private static final class Life {

		final SimMember member;

		final SimClient client;

		final TopicPartition partition;

		final Map<Object, Long> lastBegun = new HashMap<>();

		final Map<Object, Attempt<String, String>> calls = new HashMap<>();

		final Set<Long> begun = new HashSet<>();

		final Set<Long> endedHere = new HashSet<>();

		boolean over;

		Life(SimMember member, TopicPartition partition) {
			this.member = member;
			this.client = member.client;
			this.partition = partition;
		}

	}

	private Rec rec(TopicPartition partition, long offset) {
		return this.records.computeIfAbsent(partition, (key) -> new TreeMap<>())
			.computeIfAbsent(offset, (key) -> new Rec());
	}

	private static TopicPartition partition(ConsumerRecord<?, ?> record) {
		return new TopicPartition(record.topic(), record.partition());
	}

	private Object lane(ConsumerRecord<String, String> record) {
		return switch (this.world.settings.ordering()) {
			case PARTITION -> "";
			case KEY -> (record.key() != null) ? record.key() : "";
			case NONE -> record.offset();
		};
	}

	/** The engine catches what handlers and callbacks throw: so it is remembered too. */
	void check(boolean holds, String message) {
		if (!holds) {
			AssertionError failure = new AssertionError(message);
			this.violation = (this.violation != null) ? this.violation : failure;
			throw failure;
		}
	}

	/** For the history of a single seed. */
	private void trace(Supplier<String> event) {
		if (TRACE) {
			System.out.println(this.world.now / 1_000_000 + " " + event.get());
		}
	}

	void throwIfViolated() {
		if (this.violation != null) {
			throw this.violation;
		}
	}

	void began(SimMember member, Attempt<String, String> attempt) {
		Assignment<ConsumerRecord<String, String>> assignment = attempt.assignment();
		TopicPartition partition = partition(attempt.record());
		Life life = this.lives.computeIfAbsent(assignment, (key) -> new Life(member, partition));
		check(!assignment.isStopping(), "G8 a record of stopping " + assignment + " begins");
		PartitionState<String, String> state = member.table.get(partition);
		check(state == null || state.assignment() != assignment || !state.isUserPaused(),
				"pause: a record of " + partition + " begins");
		check(member.dispatcher.used() <= this.world.settings.concurrency(), "concurrency exceeded");
		Object lane = lane(attempt.record());
		check(life.calls.put(lane, attempt) == null,
				"G3 overlap in " + assignment + " at " + attempt.record().offset());
		for (ConsumerRecord<String, String> record : attempt.records()) {
			began(life, assignment, lane, record);
		}
	}

	private void began(Life life, Assignment<?> assignment, Object lane, ConsumerRecord<String, String> record) {
		long offset = record.offset();
		Rec rec = rec(life.partition, offset);
		trace(() -> life.member + " begins " + offset + " of " + assignment);
		Long last = life.lastBegun.put(lane, offset);
		check(last == null || last <= offset || !life.endedHere.contains(offset) && life.begun.contains(offset),
				"G3 order in " + assignment + ": " + offset + " after " + last);
		if (last != null && last < offset && !life.endedHere.contains(last)) {
			check(life.calls.get(lane).records().stream().anyMatch((other) -> other.offset() == last),
					"G3 " + offset + " begins before the end of " + last + " in " + assignment);
		}
		check(!life.endedHere.contains(offset), "G4 " + life.partition + "@" + offset + " called after its end");
		if (life.begun.add(offset)) {
			this.handled++;
			if (!life.client.evicted && (rec.ended || rec.open > 0)) {
				check(rec.permit, "G4 " + assignment + " handles " + offset + " again after a planned change");
				rec.permit = false;
				this.duplicates++;
			}
		}
		// One that was evicted cannot know yet: who owns the record now may meet it too.
		rec.permit |= life.client.evicted;
		rec.open++;
	}

	/** A call is over; the first records of it have ended. */
	void finished(SimMember member, Attempt<String, String> attempt, int ended) {
		Life life = this.lives.get(attempt.assignment());
		life.calls.remove(lane(attempt.record()));
		int index = 0;
		for (ConsumerRecord<String, String> record : attempt.records()) {
			rec(life.partition, record.offset()).open--;
			if (index++ < ended) {
				end(life, attempt.assignment(), record.offset());
			}
		}
	}

	/** A recovery is a call of its own that ends its record. */
	void recovered(SimMember member, ConsumerRecord<String, String> record, Assignment<?> assignment) {
		Life life = this.lives.get(assignment);
		check(!life.calls.containsKey(lane(record)), "G3 a recovery overlaps with a call");
		end(life, assignment, record.offset());
	}

	private void end(Life life, Assignment<?> assignment, long offset) {
		Rec rec = rec(life.partition, offset);
		trace(() -> life.member + " ends " + offset + " of " + assignment + (assignment.isClosed() ? " late" : ""));
		this.ends += rec.ended ? 0 : 1;
		rec.ended = true;
		rec.endedAt = this.world.now;
		life.endedHere.add(offset);
		if (life.over || assignment.isClosed() || life.client.evicted) {
			rec.permit = true;
		}
	}

	void stored(SimClient client, TopicPartition partition, OffsetAndMetadata before, OffsetAndMetadata after) {
		long from = (before != null) ? before.offset() : 0;
		trace(() -> client.member + " committed " + partition + "@" + after.offset() + " " + after.metadata());
		check(after.offset() >= from, "G2 " + partition + " goes back from " + from + " to " + after.offset());
		SimBroker.Log log = this.world.broker.logs.get(partition);
		check(after.offset() <= log.end, "G2 " + partition + " committed past the end");
		for (long offset : log.offsets.subSet(from, after.offset())) {
			check(rec(partition, offset).ended, "G2 " + partition + " committed " + after.offset() + " past unended "
					+ offset + " by " + client.member);
		}
		CompletedOffsets map = CompletedOffsets.decode(after.metadata(), after.offset());
		for (long offset : log.offsets.tailSet(after.offset())) {
			check(!map.contains(offset) || rec(partition, offset).ended,
					"G2 " + partition + " map names unended " + offset);
		}
	}

	void commitBegins(SimClient client, Collection<TopicPartition> partitions) {
		for (TopicPartition partition : partitions) {
			PartitionState<String, String> state = client.member.table.get(partition);
			check(client.owned.contains(partition) && state != null && !state.assignment().isClosed(),
					"G8 " + client.member + " commits " + partition + " without owning it");
		}
	}

	/**
	 * Assignments of a member end: those given, or all because of a crash or an evict.
	 */
	void ended(SimMember member, Collection<AssignedPartition> revoked) {
		trace(() -> member + " hands over " + ((revoked != null) ? revoked : "everything, crashed or evicted"));
		boolean clean = revoked != null && !member.client.commitFailed && !member.client.evicted
				&& !this.replacing.contains(member);
		long deadline = member.drainDeadline();
		this.lives.forEach((assignment, life) -> {
			if (life.member == member && !life.over && (revoked == null
					|| revoked.contains(new AssignedPartition(life.partition, assignment.epoch())))) {
				over(life, assignment, revoked != null, clean, deadline);
			}
		});
		if (revoked == null) {
			this.replacing.remove(member);
		}
	}

	void lost(SimMember member, Collection<AssignedPartition> lost) {
		trace(() -> member + " lost " + lost);
		this.lives.forEach((assignment, life) -> {
			if (life.member == member && !life.over
					&& lost.contains(new AssignedPartition(life.partition, assignment.epoch()))) {
				over(life, assignment, true, false, 0);
			}
		});
	}

	private void over(Life life, Assignment<?> assignment, boolean gone, boolean clean, long deadline) {
		life.over = gone;
		OffsetAndMetadata committed = this.world.broker.committed.get(life.partition);
		long from = (committed != null) ? committed.offset() : 0;
		CompletedOffsets map = (committed != null) ? CompletedOffsets.decode(committed.metadata(), from)
				: CompletedOffsets.decode(null, 0);
		TreeMap<Long, Rec> all = this.records.computeIfAbsent(life.partition, (key) -> new TreeMap<>());
		for (Map.Entry<Long, Rec> entry : all.entrySet()) {
			Rec rec = entry.getValue();
			boolean uncovered = rec.ended && entry.getKey() >= from && !map.contains(entry.getKey());
			if (uncovered && clean && this.world.settings.saveCompleted() && life.endedHere.contains(entry.getKey())) {
				check(rec.endedAt - deadline >= 0, "G4 " + assignment + " was handed over without " + entry.getKey());
			}
			if (uncovered) {
				rec.permit = true;
			}
			rec.permit |= rec.open > 0;
		}
		check(!clean || life.calls.isEmpty() || this.world.now - deadline >= 0,
				"G4 " + assignment + " was handed over with calls in hand before the deadline");
	}

	void replaced(SimMember member) {
		this.replacing.add(member);
	}

	void closed(SimMember member) {
		check(member.table.size() == 0, "G8 state is left after a close");
	}

	void callbackBegins(SimMember member) {
		member.callbackStart = this.world.now;
		member.callbackForeign = this.world.foreign;
	}

	void callbackEnds(SimMember member, long nanos) {
		long own = nanos - (this.world.foreign - member.callbackForeign);
		EngineSettings settings = this.world.settings;
		long bound = settings.drainTimeout().plus(settings.commitTimeout()).plusMillis(500).toNanos();
		check(own <= bound, "G7 a revoke took " + own / 1_000_000 + " ms");
	}

	void afterTurn(SimMember member) {
		Set<TopicPartition> states = new HashSet<>();
		int pending = 0;
		for (PartitionState<String, String> state : member.table.view()) {
			states.add(state.partition());
			pending += state.assignment().tracker().unfinished();
			check(!state.assignment().isClosed(), "a closed assignment is in the table");
		}
		check(states.equals(member.client.owned),
				"assignments " + states + " differ from the owned " + member.client.owned);
		// Each partition may have filled its share when there were fewer of them, and
		// then
		// have been overshot by one poll while slots were free.
		double bound = 0;
		for (int i = 1; i <= states.size(); i++) {
			bound += (double) this.world.settings.maxPendingRecords() / i + this.world.maxPoll;
		}
		check(pending <= bound, "pending " + pending + " exceeds " + bound);
	}

	/** With stuck handlers in place: everything that need not wait for them has ended. */
	void checkLiveness(List<SimMember> members) {
		this.world.broker.logs.forEach((partition, log) -> {
			for (long offset : log.offsets) {
				if (!rec(partition, offset).ended) {
					SimMember owner = members.stream()
						.filter((member) -> !member.gone && member.client.owned.contains(partition))
						.findFirst()
						.orElse(null);
					check(owner != null, "G5 nobody owns " + partition);
					check(isExcused(owner, partition, offset), "G5 " + partition + "@" + offset + " of " + owner
							+ " makes no progress: " + owner.describe(partition));
				}
			}
		});
	}

	private boolean isExcused(SimMember owner, TopicPartition partition, long offset) {
		PartitionState<String, String> state = owner.table.get(partition);
		int share = Math.max(1, this.world.settings.maxPendingRecords() / owner.table.size());
		Object lane = lane(
				new ConsumerRecord<>(partition.topic(), partition.partition(), offset, this.world.key(offset), "v"));
		boolean blocked = owner.open.stream()
			.anyMatch((call) -> call.stuck && call.attempt.assignment() == state.assignment()
					&& call.attempt.record().offset() <= offset && (lane(call.attempt.record()).equals(lane)
							|| call.attempt.records().stream().anyMatch((record) -> record.offset() == offset)));
		return blocked || state.assignment().tracker().unfinished() >= share;
	}

	/** At the end of all: everything has ended and is committed. */
	boolean isAllDone() {
		for (Map.Entry<TopicPartition, SimBroker.Log> entry : this.world.broker.logs.entrySet()) {
			OffsetAndMetadata committed = this.world.broker.committed.get(entry.getKey());
			if (entry.getValue().end > 0 && (committed == null || committed.offset() != entry.getValue().end)) {
				return false;
			}
			for (long offset : entry.getValue().offsets) {
				if (!rec(entry.getKey(), offset).ended) {
					return false;
				}
			}
		}
		return true;
	}

}
