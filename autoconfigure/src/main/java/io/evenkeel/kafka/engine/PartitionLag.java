package io.evenkeel.kafka.engine;

/**
 * How far behind a partition is: what its log holds and this listener has not done, be it
 * fetched or not.
 *
 * @param endOffset the end of the log as of the client's last fetch, -1 when it is not
 * known
 * @param records the records that are not done, -1 when that is not known. Where the log
 * has gaps, which only a fetch shows, those not fetched yet are too many
 * @param oldestMillis when the oldest record that is not done was written, in
 * milliseconds since the epoch; -1 when it is not known
 * @param sinceNanos since when there has been one, as far as is known, in nanoseconds of
 * the engine's clock; counts where the record does not say or was not fetched
 */
public record PartitionLag(long endOffset, long records, long oldestMillis, long sinceNanos) {

	/** Nobody has said where the log ends. */
	public static final PartitionLag UNKNOWN = new PartitionLag(-1, -1, -1, 0);

	/**
	 * Whether it is known.
	 * @return false before the first fetch
	 */
	public boolean isKnown() {
		return this.records >= 0;
	}

	/**
	 * The age of the oldest record that is not done, by its own timestamp.
	 * @param nowMillis the time, in milliseconds since the epoch
	 * @param nowNanos the time, in nanoseconds of the engine's clock
	 * @return seconds, 0 when all is done
	 */
	public double seconds(long nowMillis, long nowNanos) {
		if (this.records <= 0) {
			return 0;
		}
		double age = (this.oldestMillis >= 0) ? (nowMillis - this.oldestMillis) / 1e3
				: (nowNanos - this.sinceNanos) / 1e9;
		// The clocks of those who write and read need not agree.
		return Math.max(0, age);
	}

}
