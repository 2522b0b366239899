package io.evenkeel.kafka.engine;

import io.evenkeel.kafka.engine.offset.OffsetTracker;

/**
 * Where the log of one assigned partition ends, and what follows for its lag. The
 * client's own lag counts what it has not returned from a poll; what was returned and is
 * not done comes on top. Owner thread only.
 */
final class LagMeasure {

	private long end = -1;

	/** The client's position between two polls, where no record may be missing below. */
	private long position = -1;

	private long askedNanos;

	private boolean asked;

	/**
	 * Since when there have been records with none of them in hand; 0 = there are none.
	 */
	private long waitingSince;

	/**
	 * The client has said how far it is from the end of the log.
	 * @param position where it is
	 * @param clientLag how far that is from the end
	 * @param settled whether everything below is taken in: after a poll that brought more
	 * than there was room for, it is not
	 * @return whether that is news
	 */
	boolean measured(long position, long clientLag, boolean settled) {
		long settledAt = settled ? position : -1;
		long endsAt = position + clientLag;
		boolean news = this.position != settledAt || this.end != endsAt;
		this.position = settledAt;
		this.end = endsAt;
		return news;
	}

	/** Another assignment of the same log begins. */
	void follows(LagMeasure before) {
		this.end = before.end;
	}

	boolean isKnown() {
		return this.end >= 0;
	}

	/** Whether the client was not asked for so long. The first time counts as asked. */
	boolean isOlder(long nanos, long now) {
		if (!this.asked) {
			asked(now);
			return false;
		}
		return now - this.askedNanos >= nanos;
	}

	void asked(long now) {
		this.asked = true;
		this.askedNanos = now;
	}

	/**
	 * What can be said now.
	 * @param tracker the offsets of the assignment
	 * @param now nanoseconds of the clock
	 */
	PartitionLag lag(OffsetTracker tracker, long now) {
		long seen = Math.max(tracker.position(), this.position);
		int unfinished = tracker.unfinished();
		long fetchable = Math.max(0, this.end - seen);
		boolean waits = unfinished == 0 && fetchable > 0;
		if (!waits) {
			this.waitingSince = 0;
		}
		else if (this.waitingSince == 0) {
			this.waitingSince = now;
		}
		if (this.end < 0 || seen < 0) {
			return PartitionLag.UNKNOWN;
		}
		return new PartitionLag(this.end, fetchable + unfinished, tracker.oldestUnfinishedTimestamp(),
				(unfinished > 0) ? tracker.oldestUnfinishedNanos() : this.waitingSince);
	}

}
