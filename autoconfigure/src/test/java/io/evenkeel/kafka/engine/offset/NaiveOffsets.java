package io.evenkeel.kafka.engine.offset;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@link OffsetTracker} should answer, so plain that it can be seen to be right.
 */
final class NaiveOffsets {

	/** Whether each seen offset is done. */
	final TreeMap<Long, Boolean> seen = new TreeMap<>();

	/** Arrival of each unfinished offset. */
	final TreeMap<Long, Long> unfinished = new TreeMap<>();

	/** Offset of each sequence. */
	final List<Long> offsets = new ArrayList<>();

	private long position = -1;

	void begin(long offset, long nanos) {
		this.seen.put(offset, false);
		this.unfinished.put(offset, nanos);
		this.offsets.add(offset);
		this.position = Math.max(this.position, offset + 1);
	}

	boolean complete(long sequence) {
		long offset = this.offsets.get((int) sequence);
		this.unfinished.remove(offset);
		return !this.seen.put(offset, true);
	}

	void position(long nextOffset) {
		this.position = Math.max(this.position, nextOffset);
	}

	long position() {
		return this.position;
	}

	long committable() {
		return this.unfinished.isEmpty() ? this.position : this.unfinished.firstKey();
	}

	long completedAbove() {
		return this.unfinished.isEmpty() ? 0
				: this.seen.tailMap(committable()).values().stream().filter(Boolean::booleanValue).count();
	}

	/**
	 * Returns what the map covers: a bit per offset from the committable one to the
	 * highest completed one. A gap is unfinished only between two unfinished records.
	 */
	BitSet map() {
		BitSet map = new BitSet();
		if (this.unfinished.isEmpty()) {
			return map;
		}
		long base = committable();
		long previous = base;
		boolean previousDone = false;
		for (Map.Entry<Long, Boolean> entry : this.seen.tailMap(base).entrySet()) {
			if (previousDone || entry.getValue()) {
				map.set((int) (previous + 1 - base), (int) (entry.getKey() - base));
			}
			map.set((int) (entry.getKey() - base), entry.getValue());
			previous = entry.getKey();
			previousDone = entry.getValue();
		}
		long lastDone = this.seen.entrySet()
			.stream()
			.filter(Map.Entry::getValue)
			.mapToLong(Map.Entry::getKey)
			.max()
			.orElse(base);
		map.clear((int) Math.max(0, lastDone + 1 - base), map.length() + 1);
		return map;
	}

	static int runs(BitSet map) {
		int runs = 0;
		for (int start = 0; start < map.length(); start = runEnd(map, start)) {
			runs++;
		}
		return runs;
	}

	/** Returns the characters of the whole map in its shorter form. */
	static int characters(BitSet map) {
		int runBytes = 0;
		for (int start = 0; start < map.length(); start = runEnd(map, start)) {
			int length = runEnd(map, start) - start;
			runBytes += (length < 128) ? 1 : (length < 128 * 128) ? 2 : (length < 128 * 128 * 128) ? 3 : 4;
		}
		int bytes = 13 + Math.min(runBytes, (map.length() + 7) / 8);
		return 4 + (bytes * 4 + 2) / 3;
	}

	private static int runEnd(BitSet map, int start) {
		return map.get(start) ? map.nextClearBit(start) : map.nextSetBit(start);
	}

}
