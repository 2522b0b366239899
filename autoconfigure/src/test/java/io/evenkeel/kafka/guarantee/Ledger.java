package io.evenkeel.kafka.guarantee;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * What the handlers of all members of a group saw: the witness of loss, duplicates, order
 * and overlap, and of how long partitions stood still.
 */
final class Ledger implements Member.Handler {

	private final Queue<Entry> entries = new ConcurrentLinkedQueue<>();

	private final ConcurrentMap<String, Integer> calls = new ConcurrentHashMap<>();

	private final ConcurrentMap<Object, String> running = new ConcurrentHashMap<>();

	private final ConcurrentMap<Object, Long> last = new ConcurrentHashMap<>();

	private final Queue<String> duplicates = new ConcurrentLinkedQueue<>();

	private final Queue<String> violations = new ConcurrentLinkedQueue<>();

	/** The partitions of which a record is held. */
	private final Map<TopicPartition, Boolean> held = new ConcurrentHashMap<>();

	private volatile BooleanSupplier until;

	private final String ordering;

	private final long handlerNanos;

	Ledger(String ordering, int handlerMillis) {
		this.ordering = ordering;
		this.handlerNanos = handlerMillis * 1_000_000L;
	}

	@Override
	public void handle(String member, ConsumerRecord<Object, Object> record) {
		TopicPartition partition = new TopicPartition(record.topic(), record.partition());
		String id = Load.id(partition, record.offset());
		long began = System.currentTimeMillis();
		Object lane = lane(partition, record);
		if (lane != null) {
			String other = this.running.put(lane, id);
			if (other != null) {
				this.violations.add(id + " overlaps " + other);
			}
			Long before = this.last.put(lane, record.offset());
			if (before != null && before > record.offset()) {
				this.violations.add(id + " after " + before);
			}
		}
		if (this.handlerNanos > 0) {
			LockSupport.parkNanos(this.handlerNanos);
		}
		hold(partition);
		if (lane != null) {
			this.running.remove(lane, id);
		}
		this.entries
			.add(new Entry(member, partition, record.offset(), record.timestamp(), began, System.currentTimeMillis()));
		if (this.calls.merge(id, 1, Integer::sum) > 1) {
			this.duplicates.add(id + " by " + member);
		}
	}

	/**
	 * From here on the first record of each partition stays in its handler until
	 * something has happened, for ten seconds at most.
	 */
	void holdUntil(BooleanSupplier until) {
		this.until = until;
	}

	/**
	 * Nothing is held any more.
	 * @return of how many partitions a record was held until it happened
	 */
	long release() {
		this.until = null;
		return this.held.values().stream().filter(Boolean::booleanValue).count();
	}

	/**
	 * Whether an owner waits for records in hand. A callback that has only begun has not
	 * yet counted them, and on a busy machine it is not known when it will.
	 */
	private static boolean isDraining() {
		return Thread.getAllStackTraces()
			.values()
			.stream()
			.flatMap(Arrays::stream)
			.anyMatch((frame) -> frame.getClassName().equals("io.evenkeel.kafka.engine.Drain")
					&& frame.getMethodName().equals("step"));
	}

	private void hold(TopicPartition partition) {
		BooleanSupplier until = this.until;
		if (until == null || this.held.putIfAbsent(partition, false) != null) {
			return;
		}
		long giveUp = System.nanoTime() + 10_000_000_000L;
		while (!(until.getAsBoolean() && isDraining()) && System.nanoTime() - giveUp < 0) {
			LockSupport.parkNanos(1_000_000);
		}
		if (until.getAsBoolean()) {
			this.held.put(partition, true);
		}
	}

	private Object lane(TopicPartition partition, ConsumerRecord<Object, Object> record) {
		return switch (this.ordering) {
			case "partition" -> partition;
			case "key" -> (record.key() != null) ? List.of(partition, record.key()) : partition;
			default -> null;
		};
	}

	/** Different records handled. */
	int handled() {
		return this.calls.size();
	}

	Set<String> lost(Set<String> sent) {
		Set<String> lost = new HashSet<>(sent);
		lost.removeAll(this.calls.keySet());
		return lost;
	}

	List<String> duplicates() {
		return List.copyOf(this.duplicates);
	}

	/** Records of one key or partition out of order or at the same time. */
	List<String> violations() {
		return List.copyOf(this.violations);
	}

	/** Handler calls by one member. */
	long callsBy(Member member) {
		return this.entries.stream().filter((entry) -> entry.member.equals(member.name())).count();
	}

	/**
	 * The longest time that a partition had a record to handle and none was in a handler.
	 * @param sameMember only where the member before and after is the same: where the
	 * partition stayed
	 */
	long standStillMillis(boolean sameMember) {
		Map<TopicPartition, List<Entry>> byPartition = new HashMap<>();
		this.entries
			.forEach((entry) -> byPartition.computeIfAbsent(entry.partition, (key) -> new ArrayList<>()).add(entry));
		long longest = 0;
		for (List<Entry> list : byPartition.values()) {
			list.sort(Comparator.comparingLong(Entry::began));
			Entry before = null;
			long busyUntil = Long.MAX_VALUE;
			for (Entry entry : list) {
				if (before != null && (!sameMember || before.member.equals(entry.member))) {
					longest = Math.max(longest, entry.began - Math.max(busyUntil, entry.created));
				}
				busyUntil = (before != null) ? Math.max(busyUntil, entry.ended) : entry.ended;
				before = entry;
			}
		}
		return longest;
	}

	private record Entry(String member, TopicPartition partition, long offset, long created, long began, long ended) {
	}

}
