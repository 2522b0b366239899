package io.evenkeel.kafka.producer.line;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the records and bytes that wait in all lines of a producer, and refuses one too
 * many.
 * <p>
 * <b>Threading.</b> Any thread. <b>Invariant.</b> Reserving never passes a bound, also
 * while several threads reserve: each adds first, looks at the sum, and takes its share
 * back if that is too much. <b>Why.</b> Two counters cannot be changed in one atomic
 * step; refusing a record that would just have fitted is harmless, admitting one too many
 * is not.
 */
final class Backlog {

	private final long maxRecords;

	private final long maxBytes;

	private final AtomicLong records = new AtomicLong();

	private final AtomicLong bytes = new AtomicLong();

	Backlog(long maxRecords, long maxBytes) {
		this.maxRecords = maxRecords;
		this.maxBytes = maxBytes;
	}

	boolean reserve(long size) {
		if (this.records.incrementAndGet() > this.maxRecords) {
			this.records.decrementAndGet();
			return false;
		}
		if (this.bytes.addAndGet(size) > this.maxBytes) {
			this.bytes.addAndGet(-size);
			this.records.decrementAndGet();
			return false;
		}
		return true;
	}

	/** Count one that only passes, whatever the bounds. */
	void admit(long size) {
		this.records.incrementAndGet();
		this.bytes.addAndGet(size);
	}

	void release(long size) {
		this.bytes.addAndGet(-size);
		this.records.decrementAndGet();
	}

	long records() {
		return this.records.get();
	}

	long bytes() {
		return this.bytes.get();
	}

}
