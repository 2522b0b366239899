package io.evenkeel.kafka.producer.line;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

import org.jspecify.annotations.Nullable;

/**
 * Which lines exist: at most one per topic, and one per explicit partition that a topic
 * does not have.
 * <p>
 * <b>Threading.</b> Any thread, without a lock of its own. <b>Why.</b> {@code open}
 * counts the lines: it grows before a line can be found and shrinks after it cannot any
 * more, which a map's own {@code isEmpty()} does not do: that may still say "empty" to a
 * sender whose record joined a line that another one has just put there.
 *
 * @param <C> the type of a cause
 * @param <W> the type of a waiting record
 */
final class LineTable<C, W extends Waiter<C>> {

	private final ConcurrentHashMap<String, Line<C, W>> topics = new ConcurrentHashMap<>();

	private final ConcurrentHashMap<PartitionKey, Line<C, W>> partitions = new ConcurrentHashMap<>();

	private final AtomicInteger open = new AtomicInteger();

	private final Maker<C, W> maker;

	LineTable(Maker<C, W> maker) {
		this.maker = maker;
	}

	/**
	 * Whether a send has to join a line.
	 * @param topic the topic
	 * @param partition the explicit partition, or -1
	 */
	boolean concerns(String topic, int partition) {
		if (this.open.get() == 0) {
			return false;
		}
		// In this order: a record moves from the topic's line to the partition's.
		return this.topics.containsKey(topic) || (partition >= 0 && hasPartition(topic, partition));
	}

	boolean hasPartition(String topic, int partition) {
		return this.partitions.containsKey(new PartitionKey(topic, partition));
	}

	/** The line of a topic as a whole. */
	@Nullable Line<C, W> ofTopic(String topic) {
		return this.topics.get(topic);
	}

	/**
	 * The line for a record, a new one if there is none.
	 * @param waiter the record
	 * @param partitionMissing whether its topic is known and only the partition is not
	 */
	Line<C, W> lineFor(Waiter<C> waiter, boolean partitionMissing) {
		String topic = waiter.topic();
		Line<C, W> line = this.topics.get(topic);
		if (line != null) {
			return line;
		}
		if (waiter.partition() >= 0) {
			line = this.partitions.get(new PartitionKey(topic, waiter.partition()));
			if (line != null) {
				return line;
			}
			if (partitionMissing) {
				return partitionLine(topic, waiter.partition());
			}
		}
		return this.topics.computeIfAbsent(topic, (key) -> make(key, -1));
	}

	/** The line of a partition, a new one if there is none. */
	Line<C, W> partitionLine(String topic, int partition) {
		return this.partitions.computeIfAbsent(new PartitionKey(topic, partition),
				(key) -> make(key.topic(), key.partition()));
	}

	private Line<C, W> make(String topic, int partition) {
		Line<C, W> line = this.maker.make(topic, partition);
		this.open.incrementAndGet();
		return line;
	}

	/** Forget a line that has ended; one that was forgotten before is left alone. */
	void remove(Line<C, W> line) {
		boolean removed = (line.partition < 0) ? this.topics.remove(line.topic, line)
				: this.partitions.remove(new PartitionKey(line.topic, line.partition), line);
		if (removed) {
			this.open.decrementAndGet();
		}
	}

	boolean anyMatch(Predicate<Line<C, W>> condition) {
		return this.open.get() > 0 && (this.topics.values().stream().anyMatch(condition)
				|| this.partitions.values().stream().anyMatch(condition));
	}

	void forEach(Consumer<Line<C, W>> action) {
		this.topics.values().forEach(action);
		this.partitions.values().forEach(action);
	}

	/** The shortest of what the lines want to wait, in nanoseconds. */
	long shortest(ToLongFunction<Line<C, W>> turn) {
		long wait = LineWorker.UNTIL_SIGNALLED;
		for (Line<C, W> line : this.topics.values()) {
			wait = Math.min(wait, turn.applyAsLong(line));
		}
		for (Line<C, W> line : this.partitions.values()) {
			wait = Math.min(wait, turn.applyAsLong(line));
		}
		return wait;
	}

	/**
	 * Makes a line.
	 */
	@FunctionalInterface
	interface Maker<C, W extends Waiter<C>> {

		/**
		 * Make one.
		 * @param topic its topic
		 * @param partition its partition, or -1 for the topic as a whole
		 */
		Line<C, W> make(String topic, int partition);

	}

	private record PartitionKey(String topic, int partition) {

	}

}
