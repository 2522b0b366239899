package io.evenkeel.kafka.engine;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Outcome;
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

	/** What an assignment waits for, and how long: one that was moved away from. */
	private final Map<Assignment<?>, Followed> followed = new IdentityHashMap<>();

	private final Map<SimMember, int[]> outcomes = new HashMap<>();

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

		/** Calls that have returned and count once they are acknowledged. */
		final TreeSet<Long> waiting = new TreeSet<>();

		final Set<Long> returned = new HashSet<>();

		/** Lanes with a recovery. */
		final Set<Object> recovering = new HashSet<>();

		/** Calls that failed, and count. */
		final Map<Long, Integer> failures = new HashMap<>();

		boolean over;

		Life(SimMember member, TopicPartition partition) {
			this.member = member;
			this.client = member.client;
			this.partition = partition;
		}

	}

	private record Followed(Assignment<?> before, long at, long until) {
	}

	private Life life(SimMember member, Assignment<?> assignment, TopicPartition partition) {
		Life known = this.lives.get(assignment);
		if (known != null) {
			return known;
		}
		// The same partition of the same consumer begun anew: it was moved.
		this.lives.values()
			.stream()
			.filter((life) -> life.client == member.client && life.partition.equals(partition))
			.forEach((life) -> life.over = true);
		Long movedBackTo = member.client.movedBackTo.get(partition);
		if (movedBackTo != null) {
			// What was completed above a record that waits is not known any more.
			OffsetAndMetadata committed = this.world.broker.committed.get(partition);
			long from = Math.min(movedBackTo, (committed != null) ? committed.offset() : 0);
			this.world.broker.logs.get(partition).offsets.tailSet(from)
				.forEach((offset) -> rec(partition, offset).permit = true);
		}
		Life life = new Life(member, partition);
		this.lives.put(assignment, life);
		return life;
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
		Life life = life(member, assignment, partition);
		check(!assignment.isStopping(), "G8 a record of stopping " + assignment + " begins");
		PartitionState<String, String> state = member.table.get(partition);
		check(state == null || state.assignment() != assignment || !state.isUserPaused(),
				"pause: a record of " + partition + " begins");
		check(member.dispatcher.used() <= member.mostUsed(), "concurrency exceeded");
		checkFollowed(assignment);
		Object lane = lane(attempt.record());
		check(life.calls.put(lane, attempt) == null && !life.recovering.contains(lane),
				"G3 overlap in " + assignment + " at " + attempt.record().offset());
		List<ConsumerRecord<String, String>> records = attempt.records();
		for (int i = 0; i < records.size(); i++) {
			began(life, assignment, lane, records.get(i));
			int failures = life.failures.getOrDefault(records.get(i).offset(), 0);
			check(attempt.number(i) == failures + 1, "attempt " + attempt.number(i) + " of " + life.partition + "@"
					+ records.get(i).offset() + " after " + failures + " failures");
			check(failures < this.world.settings.retry().maxAttempts(), "one attempt too many");
		}
	}

	/** What was moved away from is waited for. */
	private void checkFollowed(Assignment<?> assignment) {
		Followed followed = this.followed.get(assignment);
		long until = (followed != null) ? followed.until : 0;
		while (followed != null) {
			Life before = this.lives.get(followed.before);
			check(before == null || before.calls.isEmpty() || this.world.now - until >= 0,
					"G3 " + assignment + " overlaps with what it follows, " + followed.before);
			// What it had given up waiting for is not waited for again.
			Followed next = this.followed.get(followed.before);
			followed = (next != null && followed.at - next.until < 0) ? next : null;
		}
	}

	void follows(Assignment<?> assignment, Assignment<?> before) {
		if (assignment != before) {
			long now = this.world.now;
			this.followed.put(assignment,
					new Followed(before, now, now + this.world.settings.drainTimeout().toNanos()));
		}
	}

	/**
	 * A position is moved: by the application, which gives up what it skips, or by the
	 * log. What lies from there on may come again, and be committed again.
	 */
	void moved(SimClient client, TopicPartition partition, long target, boolean skips) {
		trace(() -> client.member + " moves " + partition + " to " + target);
		client.movedBackTo.merge(partition, target, Math::min);
		this.lives.values()
			.stream()
			.filter((life) -> skips && life.client == client && life.partition.equals(partition))
			.forEach((life) -> life.over = true);
		for (long offset : this.world.broker.logs.get(partition).offsets) {
			Rec rec = rec(partition, offset);
			if (skips && offset < target && !rec.ended) {
				rec.ended = true;
				rec.endedAt = this.world.now;
			}
			rec.permit |= rec.ended || rec.open > 0 || offset >= target;
		}
	}

	private void began(Life life, Assignment<?> assignment, Object lane, ConsumerRecord<String, String> record) {
		long offset = record.offset();
		Rec rec = rec(life.partition, offset);
		trace(() -> life.member + " begins " + offset + " of " + assignment);
		Long last = life.lastBegun.put(lane, offset);
		check(last == null || last <= offset || !life.endedHere.contains(offset) && life.begun.contains(offset),
				"G3 order in " + assignment + ": " + offset + " after " + last);
		if (last != null && last < offset && !life.endedHere.contains(last) && !life.returned.contains(last)) {
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

	/**
	 * A call is over.
	 * @param ended so many of its first records have ended
	 * @param failedFrom the first record for which it counts as a failure; -1 for none
	 * @param failedTo the last one
	 */
	void finished(Attempt<String, String> attempt, int ended, int failedFrom, int failedTo) {
		Life life = over(attempt);
		int index = 0;
		for (ConsumerRecord<String, String> record : attempt.records()) {
			if (index < ended) {
				end(life, attempt.assignment(), record.offset(), Outcome.SUCCESS);
			}
			else if (failedFrom >= 0 && index >= failedFrom && index <= failedTo) {
				life.failures.merge(record.offset(), 1, Integer::sum);
			}
			index++;
		}
	}

	/** A call has returned: what is not acknowledged waits for that. */
	void returned(Attempt<String, String> attempt) {
		Life life = over(attempt);
		for (ConsumerRecord<String, String> record : attempt.records()) {
			life.returned.add(record.offset());
			if (!life.endedHere.contains(record.offset())) {
				life.waiting.add(record.offset());
			}
		}
	}

	private Life over(Attempt<String, String> attempt) {
		Life life = this.lives.get(attempt.assignment());
		life.calls.remove(lane(attempt.record()));
		attempt.records().forEach((record) -> rec(life.partition, record.offset()).open--);
		return life;
	}

	void acknowledged(Attempt<String, String> attempt, int index) {
		Life life = this.lives.get(attempt.assignment());
		List<ConsumerRecord<String, String>> records = attempt.records();
		if (this.world.settings.coverEarlier()) {
			for (long offset : List.copyOf(life.waiting.headSet(records.get(index).offset(), true))) {
				end(life, attempt.assignment(), offset, Outcome.SUCCESS);
			}
		}
		for (int i = 0; i <= index; i++) {
			end(life, attempt.assignment(), records.get(i).offset(), Outcome.SUCCESS);
		}
	}

	/** A recovery is a call of its own. */
	void recoveryBegins(SimMember member, Delivery<ConsumerRecord<String, String>> delivery) {
		ConsumerRecord<String, String> record = delivery.record();
		TopicPartition partition = partition(record);
		Life life = life(member, delivery.assignment(), partition);
		check(!life.calls.containsKey(lane(record)) && life.recovering.add(lane(record)),
				"G3 a recovery overlaps with a call");
		check(!life.endedHere.contains(record.offset()),
				"G4 " + partition + "@" + record.offset() + " recovered twice");
		boolean poisoned = this.world.broker.logs.get(partition).poisoned.contains(record.offset());
		Rec rec = rec(partition, record.offset());
		if (poisoned && life.begun.add(record.offset()) && rec.ended && !life.client.evicted) {
			check(rec.permit, "G4 " + delivery.assignment() + " recovers " + record.offset() + " again");
			rec.permit = false;
		}
		rec.permit |= life.client.evicted;
		rec.open++;
		int failures = life.failures.getOrDefault(record.offset(), 0);
		check(poisoned || failures > 0, "recovered without a failure");
		check(poisoned || this.world.settings.batchSize() > 0 || delivery.failure() instanceof Error
				|| failures == this.world.settings.retry().maxAttempts(), "recovered after " + failures + " failures");
	}

	/** A recovery is over, and has ended its record unless there is no outcome. */
	void recovered(SimMember member, Delivery<ConsumerRecord<String, String>> delivery, Outcome outcome) {
		ConsumerRecord<String, String> record = delivery.record();
		Life life = this.lives.get(delivery.assignment());
		life.recovering.remove(lane(record));
		rec(life.partition, record.offset()).open--;
		if (outcome != null) {
			end(life, delivery.assignment(), record.offset(), outcome);
		}
	}

	private void end(Life life, Assignment<?> assignment, long offset, Outcome outcome) {
		if (!life.endedHere.add(offset)) {
			return;
		}
		life.waiting.remove(offset);
		this.outcomes.computeIfAbsent(life.member, (key) -> new int[Outcome.values().length])[outcome.ordinal()]++;
		Rec rec = rec(life.partition, offset);
		trace(() -> life.member + " ends " + offset + " of " + assignment + (assignment.isClosed() ? " late" : ""));
		this.ends++;
		rec.ended = true;
		rec.endedAt = this.world.now;
		if (life.over || assignment.isClosed() || life.client.evicted) {
			rec.permit = true;
		}
	}

	/** At the end, what the engine has told of is what has happened. */
	void checkOutcomes(SimMember member) {
		int[] happened = this.outcomes.getOrDefault(member, new int[Outcome.values().length]);
		int told = member.toldStale;
		int all = 0;
		for (Outcome outcome : Outcome.values()) {
			check(member.told[outcome.ordinal()] <= happened[outcome.ordinal()],
					member + " told too often of " + outcome);
			told += member.told[outcome.ordinal()];
			all += happened[outcome.ordinal()];
		}
		check(told == all, member + " told of " + told + " ends, there were " + all);
	}

	void stored(SimClient client, TopicPartition partition, OffsetAndMetadata before, OffsetAndMetadata after) {
		long from = (before != null) ? before.offset() : 0;
		trace(() -> client.member + " committed " + partition + "@" + after.offset() + " " + after.metadata());
		check(after.offset() >= Math.min(from, client.movedBackTo.getOrDefault(partition, from)),
				"G2 " + partition + " goes back from " + from + " to " + after.offset());
		SimBroker.Log log = this.world.broker.logs.get(partition);
		check(after.offset() <= log.end, "G2 " + partition + " committed past the end");
		for (long offset : log.offsets.subSet(Math.min(from, after.offset()), after.offset())) {
			check(rec(partition, offset).ended, "G2 " + partition + " committed " + after.offset() + " past unended "
					+ offset + " by " + client.member);
		}
		if (after.offset() < from) {
			log.offsets.tailSet(after.offset()).forEach((offset) -> rec(partition, offset).permit = true);
		}
		SimMap map = SimMap.read(after.metadata(), after.offset());
		check(map != null, "G2 " + partition + " is committed with a map that nobody can read");
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
		boolean clean = revoked != null && !member.client.isExcused() && !member.client.evicted
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
		else {
			revoked.forEach((assigned) -> forgetMoved(member, assigned.partition()));
		}
	}

	/** Where a position was moved, the next owner finds the offset and no more. */
	private void forgetMoved(SimMember member, TopicPartition partition) {
		if (member.client.movedBackTo.containsKey(partition)) {
			OffsetAndMetadata committed = this.world.broker.committed.get(partition);
			this.world.broker.logs.get(partition).offsets.tailSet((committed != null) ? committed.offset() : 0L)
				.forEach((offset) -> rec(partition, offset).permit = true);
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
		SimMap map = SimMap.read((committed != null) ? committed.metadata() : "", from);
		// Brokers that refuse metadata leave no room for the map, and where an
		// acknowledgment covers earlier records it is waited for a moment only.
		boolean saved = this.world.settings.saveCompleted() && this.world.mostMetadata == EngineSettings.MAX_METADATA;
		long savedUntil = this.world.settings.coverEarlier() ? life.member.callbackStart : deadline;
		TreeMap<Long, Rec> all = this.records.computeIfAbsent(life.partition, (key) -> new TreeMap<>());
		for (Map.Entry<Long, Rec> entry : all.entrySet()) {
			Rec rec = entry.getValue();
			boolean uncovered = rec.ended && entry.getKey() >= from && !map.contains(entry.getKey());
			if (uncovered && clean && saved && life.endedHere.contains(entry.getKey())) {
				check(rec.endedAt - savedUntil >= 0, "G4 " + assignment + " was handed over without " + entry.getKey());
			}
			if (uncovered) {
				rec.permit = true;
			}
			rec.permit |= rec.open > 0;
		}
		check(!clean || life.calls.isEmpty() && life.recovering.isEmpty() || this.world.now - deadline >= 0,
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

	/** Whatever is in hand, a stop ends in time. */
	void closeEnds(SimMember member, long left) {
		long own = this.world.now - member.callbackStart - (this.world.foreign - member.callbackForeign);
		long bound = left + this.world.settings.commitTimeout().plusMillis(500).toNanos();
		check(own <= bound, "G7 a close took " + own / 1_000_000 + " ms");
	}

	void afterTurn(SimMember member) {
		Set<TopicPartition> states = new HashSet<>();
		int pending = 0;
		for (PartitionState<String, String> state : member.table.view()) {
			states.add(state.partition());
			pending += state.assignment().tracker().unfinished();
			check(!state.assignment().isClosed(), "a closed assignment is in the table");
			check(member.dispatcher.isBalanced(state.assignment()), "a record is counted twice, or not at all");
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
		check(this.world.manual || pending <= bound, "pending " + pending + " exceeds " + bound);
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
		boolean poisoned = this.world.broker.logs.get(partition).poisoned.contains(offset);
		Object lane = lane(new ConsumerRecord<>(partition.topic(), partition.partition(), offset,
				poisoned ? null : this.world.key(offset), "v"));
		boolean blocked = owner.open.stream()
			.anyMatch((call) -> call.stuck && call.attempt.assignment() == state.assignment()
					&& call.attempt.record().offset() <= offset && (lane(call.attempt.record()).equals(lane)
							|| call.attempt.records().stream().anyMatch((record) -> record.offset() == offset)));
		return blocked || state.assignment().tracker().unfinished() >= share;
	}

	/**
	 * At the end of all: everything has ended and is committed. Where the application has
	 * moved to the end nothing comes any more that could be committed.
	 */
	boolean isAllDone() {
		for (Map.Entry<TopicPartition, SimBroker.Log> entry : this.world.broker.logs.entrySet()) {
			OffsetAndMetadata committed = this.world.broker.committed.get(entry.getKey());
			boolean movedToTheEnd = this.world.broker.members.stream()
				.anyMatch((client) -> client.movedBackTo.containsKey(entry.getKey()) && !client.hasLag(entry.getKey()));
			if (entry.getValue().end > 0 && !movedToTheEnd
					&& (committed == null || committed.offset() != entry.getValue().end)) {
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
