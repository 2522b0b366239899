package io.evenkeel.kafka.engine;

/**
 * Decides which partitions are held back because too much of them is pending. Pure: the
 * answer depends on the numbers given and on whether the partition is held back now. It
 * is asked twice, for records and for bytes, and either suffices.
 *
 * <p>
 * Each assigned partition may hold its share of the limit, so one slow partition cannot
 * take the room of the others; when the listener as a whole is at its limit everything is
 * held back, so that the limit is exceeded by one poll at most. A partition that is held
 * back comes back at half of what it held then, the whole at three quarters of the limit:
 * without that gap each turn would pause and resume.
 */
final class BackPressure {

	private BackPressure() {
	}

	/**
	 * Whether the listener as a whole has no room.
	 * @param pending records, or bytes, held over all partitions
	 * @param limit the most that are held
	 * @param now whether it had no room the last time
	 * @return true when nothing more may be fetched
	 */
	static boolean full(long pending, long limit, boolean now) {
		return pending >= (now ? Math.max(1, limit - limit / 4) : limit);
	}

	/**
	 * Whether one partition is to be held back.
	 *
	 * <p>
	 * A free slot with nothing to run says that all that is pending waits for something
	 * else: a stuck handler, the next attempt, an acknowledgment. Then only its own share
	 * holds a partition back. Otherwise the overshoot of some stuck partitions could fill
	 * the listener for ever, and the others would stand still beside free slots. As long
	 * as the listener is full they get one record at a time then, and once it is over its
	 * limit by a poll only if they have nothing pending at all.
	 * @param pending records, or bytes, held of the partition
	 * @param share what it may hold
	 * @param back what it must fall below to come back; 0 when it is not held back now
	 * @param full whether the listener as a whole has no room
	 * @param starving whether a slot is free and nothing can be run
	 * @param over whether the listener holds a poll more than its limit
	 * @return true when nothing more of it may be fetched
	 */
	static boolean holds(long pending, long share, long back, boolean full, boolean starving, boolean over) {
		if (starving) {
			return pending >= (over ? 1 : share);
		}
		return full || pending >= ((back > 0) ? back : share);
	}

	/**
	 * What one partition may hold: its part of the limit, and while the listener has room
	 * half of that. So a partition that is alone with its load has room to be fetched
	 * before its queue is empty, and however many are stuck another one finds its part.
	 * @param held records, or bytes, held over all partitions
	 * @param limit the most that the listener holds
	 * @param partitions the number of assigned partitions, at least 1
	 * @return at least 1
	 */
	static long share(long held, long limit, int partitions) {
		return Math.max(1, Math.max(limit / partitions, (limit - held) / 2));
	}

}
