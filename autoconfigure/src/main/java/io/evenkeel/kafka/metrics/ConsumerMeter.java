package io.evenkeel.kafka.metrics;

import io.micrometer.common.docs.KeyName;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.docs.MeterDocumentation;
import org.jspecify.annotations.Nullable;

/**
 * The meters of a listener: the one list of their names and tags.
 */
public enum ConsumerMeter implements MeterDocumentation {

	/**
	 * Records that ended.
	 */
	RECORDS("evenkeel.consumer.records", "Records that ended, by how they ended", Meter.Type.COUNTER, Key.LISTENER,
			Key.TOPIC, Key.OUTCOME),

	/**
	 * From the poll of a record to its first call.
	 */
	RECORD_WAIT("evenkeel.consumer.record.wait", "Time from the poll of a record to its first call", Meter.Type.TIMER,
			Key.LISTENER, Key.TOPIC),

	/**
	 * From the poll of a record to its end; records that a revoke dropped are not timed.
	 */
	RECORD_RESIDENCE("evenkeel.consumer.record.residence", "Time from the poll of a record to its end",
			Meter.Type.TIMER, Key.LISTENER, Key.TOPIC, Key.OUTCOME),

	/**
	 * Repeated calls; the first call of a record is none.
	 */
	RETRIES("evenkeel.consumer.retries", "Repeated calls of the handler", Meter.Type.COUNTER, Key.LISTENER, Key.TOPIC),

	/**
	 * Records held for a partition.
	 */
	PENDING("evenkeel.consumer.pending", "Records held for a partition", Meter.Type.GAUGE, Key.LISTENER, Key.TOPIC,
			Key.PARTITION, Key.STATE),

	/**
	 * The most handler calls at once, and those not finished.
	 */
	CONCURRENCY("evenkeel.consumer.concurrency", "The most handler calls at once and those not finished",
			Meter.Type.GAUGE, Key.LISTENER, Key.VALUE),

	/**
	 * Keys that have a record at hand.
	 */
	KEYS_ACTIVE("evenkeel.consumer.keys.active", "Keys that have a record at hand", Meter.Type.GAUGE, Key.LISTENER),

	/**
	 * Partitions of the listener.
	 */
	PARTITIONS("evenkeel.consumer.partitions", "Partitions of the listener", Meter.Type.GAUGE, Key.LISTENER, Key.STATE),

	/**
	 * The committed offset of a partition, -1 while there is none.
	 */
	OFFSET_COMMITTED("evenkeel.consumer.offset.committed",
			"The committed offset of a partition, -1 while there is none", Meter.Type.GAUGE, Key.LISTENER, Key.TOPIC,
			Key.PARTITION),

	/**
	 * Records completed above the lowest unfinished one.
	 */
	OFFSET_GAP("evenkeel.consumer.offset.gap", "Records completed above the lowest unfinished one", Meter.Type.GAUGE,
			Key.LISTENER, Key.TOPIC, Key.PARTITION),

	/**
	 * Seconds since the oldest unfinished record was polled, 0 while there is none.
	 */
	OFFSET_OLDEST_AGE("evenkeel.consumer.offset.oldest.age",
			"Time since the oldest unfinished record was polled, 0 while there is none", Meter.Type.GAUGE, Key.LISTENER,
			Key.TOPIC, Key.PARTITION),

	/**
	 * Commits, from sending to the broker's answer.
	 */
	COMMIT("evenkeel.consumer.commit", "Commits, from sending to the broker's answer", Meter.Type.TIMER, Key.LISTENER,
			Key.RESULT),

	/**
	 * Rebalance callbacks.
	 */
	REBALANCE("evenkeel.consumer.rebalance", "Rebalance callbacks", Meter.Type.TIMER, Key.LISTENER, Key.EVENT),

	/**
	 * Waits for records in hand before partitions are handed over.
	 */
	REBALANCE_DRAIN("evenkeel.consumer.rebalance.drain", "Waits for records in hand before partitions are handed over",
			Meter.Type.TIMER, Key.LISTENER, Key.RESULT),

	/**
	 * What became of the records at hand when partitions went.
	 */
	REBALANCE_RECORDS("evenkeel.consumer.rebalance.records", "What became of the records at hand when partitions went",
			Meter.Type.COUNTER, Key.LISTENER, Key.FATE),

	/**
	 * Assignments whose state was cleared because of an error.
	 */
	RESETS("evenkeel.consumer.resets", "Assignments whose state was cleared because of an error", Meter.Type.COUNTER,
			Key.LISTENER, Key.CAUSE),

	/**
	 * Records of a partition that are not done, be they fetched or not.
	 */
	LAG("evenkeel.consumer.lag", "Records of a partition that are not done, fetched or not", Meter.Type.GAUGE,
			Key.LISTENER, Key.GROUP, Key.TOPIC, Key.PARTITION),

	/**
	 * Seconds since the oldest record that is not done was written, 0 while all are done.
	 */
	LAG_TIME("evenkeel.consumer.lag.time", "Age of the oldest record that is not done, by its own timestamp",
			Meter.Type.GAUGE, Key.LISTENER, Key.GROUP, Key.TOPIC, Key.PARTITION),

	/**
	 * Seconds since a commit last succeeded.
	 */
	COMMIT_AGE("evenkeel.consumer.commit.age", "Time since a commit last succeeded", Meter.Type.GAUGE, Key.LISTENER,
			Key.GROUP),

	/**
	 * Recoveries of records that failed and are tried again.
	 */
	RECOVERY_FAILURES("evenkeel.consumer.recovery.failures", "Recoveries of records that failed and are tried again",
			Meter.Type.COUNTER, Key.LISTENER, Key.TOPIC);

	private final String meterName;

	private final String description;

	private final Meter.Type type;

	private final KeyName[] keys;

	ConsumerMeter(String meterName, String description, Meter.Type type, KeyName... keys) {
		this.meterName = meterName;
		this.description = description;
		this.type = type;
		this.keys = keys;
	}

	@Override
	public String getName() {
		return this.meterName;
	}

	@Override
	public Meter.Type getType() {
		return this.type;
	}

	/** A count has none, and a timer that of its registry. */
	@Override
	public @Nullable String getBaseUnit() {
		return switch (this) {
			case OFFSET_OLDEST_AGE, LAG_TIME, COMMIT_AGE -> "seconds";
			default -> null;
		};
	}

	/**
	 * What backends show beside the name.
	 * @return one clause without a full stop
	 */
	public String description() {
		return this.description;
	}

	@Override
	public KeyName[] getKeyNames() {
		return this.keys.clone();
	}

	/**
	 * The tags.
	 */
	public enum Key implements KeyName {

		/** The id of the listener. */
		LISTENER("listener"),
		/** The group; {@code none} without one. */
		GROUP("group"),
		/** The topic. */
		TOPIC("topic"),
		/** The partition. */
		PARTITION("partition"),
		/** How a record ended: success, skipped, dead-lettered, stale. */
		OUTCOME("outcome"),
		/** In which state: of records, or of partitions. */
		STATE("state"),
		/** Which value: limit, used. */
		VALUE("value"),
		/** How it went. */
		RESULT("result"),
		/** The kind of rebalance: assigned, revoked, lost. */
		EVENT("event"),
		/** What became of records: drained, dropped, abandoned. */
		FATE("fate"),
		/** Why: lost, fenced, error. */
		CAUSE("cause");

		private final String tag;

		Key(String tag) {
			this.tag = tag;
		}

		@Override
		public String asString() {
			return this.tag;
		}

	}

}
