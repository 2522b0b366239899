package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * The partitions that something has happened to, for each part of the owner's turn that
 * wants to know: a turn looks at what has changed and not at all that is assigned.
 * Whoever changes something that a part goes by touches the partition.
 *
 * <p>
 * Owner thread only.
 */
final class ChangedStates<K, V> {

	/** Who looks at what has changed, each at its own time. */
	enum Reader {

		/** Pauses and back-pressure. */
		PAUSES,
		/** What others may see. */
		VIEWS,
		/** What there is to commit. */
		COMMITS,
		/** Partitions that wait for their first position. */
		POSITIONS,
		/** Lanes that have nothing left. */
		LANES,
		/** The picture for meters and health. */
		SNAPSHOT;

		private final int mark = 1 << ordinal();

	}

	private static final Reader[] READERS = Reader.values();

	private static final int ALL = (1 << READERS.length) - 1;

	private final List<List<PartitionState<K, V>>> changed = new ArrayList<>();

	/** What a reader took last: its list is used again. */
	private final List<List<PartitionState<K, V>>> taken = new ArrayList<>();

	/** How many partitions have been handed to readers. */
	private long looks;

	ChangedStates() {
		for (int i = 0; i < READERS.length; i++) {
			this.changed.add(new ArrayList<>());
			this.taken.add(new ArrayList<>());
		}
	}

	/** Something has happened to a partition: everybody looks at it again. */
	void touch(PartitionState<K, V> state) {
		if (state.marks() == ALL) {
			return;
		}
		for (Reader reader : READERS) {
			touch(reader, state);
		}
	}

	/** One reader is to look at a partition again. */
	void touch(Reader reader, PartitionState<K, V> state) {
		if ((state.marks() & reader.mark) == 0) {
			state.marks(state.marks() | reader.mark);
			this.changed.get(reader.ordinal()).add(state);
		}
	}

	/**
	 * What has changed since this reader looked last, without what is gone.
	 * @return to be used before this reader looks the next time
	 */
	List<PartitionState<K, V>> take(Reader reader) {
		int index = reader.ordinal();
		List<PartitionState<K, V>> result = this.changed.get(index);
		if (result.isEmpty()) {
			return List.of();
		}
		List<PartitionState<K, V>> empty = this.taken.get(index);
		empty.clear();
		this.changed.set(index, empty);
		this.taken.set(index, result);
		for (PartitionState<K, V> state : result) {
			state.marks(state.marks() & ~reader.mark);
			state.assignment().unnote();
		}
		result.removeIf((state) -> state.assignment().isClosed());
		this.looks += result.size();
		return result;
	}

	/** How many partitions have been looked at, for tests. */
	long looks() {
		return this.looks;
	}

}
