package io.evenkeel.kafka.engine;

import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which leader of a partition wrote what was polled. A commit names it, so that a new
 * owner notices when the log was cut below the offset since. Owner thread.
 */
final class LeaderEpochs {

	private static final int NONE = -1;

	/** By the first offset of each; leaders change rarely. */
	private final NavigableMap<Long, Integer> starts = new TreeMap<>();

	private int last = NONE;

	/** Offsets come in rising order. */
	void saw(long offset, Optional<Integer> epoch) {
		int known = epoch.orElse(NONE);
		if (known != this.last) {
			this.last = known;
			this.starts.put(offset, known);
		}
	}

	/**
	 * The epoch of the record before an offset to be committed; what is below is not
	 * asked for again.
	 */
	Optional<Integer> before(long offset) {
		Map.Entry<Long, Integer> found = this.starts.lowerEntry(offset);
		if (found == null || found.getValue() == NONE) {
			return Optional.empty();
		}
		this.starts.headMap(found.getKey(), false).clear();
		return Optional.of(found.getValue());
	}

}
