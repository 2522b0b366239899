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
	RECORDS("evenkeel.consumer.records", Meter.Type.COUNTER, Key.LISTENER, Key.TOPIC, Key.OUTCOME),

	/**
	 * From the poll of a record to its first call.
	 */
	RECORD_WAIT("evenkeel.consumer.record.wait", Meter.Type.TIMER, Key.LISTENER, Key.TOPIC),

	/**
	 * From the poll of a record to its end; records that a revoke dropped are not timed.
	 */
	RECORD_RESIDENCE("evenkeel.consumer.record.residence", Meter.Type.TIMER, Key.LISTENER, Key.TOPIC, Key.OUTCOME),

	/**
	 * Repeated calls; the first call of a record is none.
	 */
	RETRIES("evenkeel.consumer.retries", Meter.Type.COUNTER, Key.LISTENER, Key.TOPIC),

	/**
	 * Records held for a partition.
	 */
	PENDING("evenkeel.consumer.pending", Meter.Type.GAUGE, Key.LISTENER, Key.TOPIC, Key.PARTITION, Key.STATE),

	/**
	 * The most handler calls at once, and those not finished.
	 */
	CONCURRENCY("evenkeel.consumer.concurrency", Meter.Type.GAUGE, Key.LISTENER, Key.VALUE),

	/**
	 * Keys that have a record at hand.
	 */
	KEYS_ACTIVE("evenkeel.consumer.keys.active", Meter.Type.GAUGE, Key.LISTENER),

	/**
	 * Partitions of the listener.
	 */
	PARTITIONS("evenkeel.consumer.partitions", Meter.Type.GAUGE, Key.LISTENER, Key.STATE),

	/**
	 * The committed offset of a partition, -1 while there is none.
	 */
	OFFSET_COMMITTED("evenkeel.consumer.offset.committed", Meter.Type.GAUGE, Key.LISTENER, Key.TOPIC, Key.PARTITION),

	/**
	 * Records completed above the lowest unfinished one.
	 */
	OFFSET_GAP("evenkeel.consumer.offset.gap", Meter.Type.GAUGE, Key.LISTENER, Key.TOPIC, Key.PARTITION),

	/**
	 * Seconds since the oldest unfinished record was polled, 0 while there is none.
	 */
	OFFSET_OLDEST_AGE("evenkeel.consumer.offset.oldest.age", Meter.Type.GAUGE, Key.LISTENER, Key.TOPIC, Key.PARTITION),

	/**
	 * Commits, from sending to the broker's answer.
	 */
	COMMIT("evenkeel.consumer.commit", Meter.Type.TIMER, Key.LISTENER, Key.RESULT),

	/**
	 * Rebalance callbacks.
	 */
	REBALANCE("evenkeel.consumer.rebalance", Meter.Type.TIMER, Key.LISTENER, Key.EVENT),

	/**
	 * Waits for records in hand before partitions are handed over.
	 */
	REBALANCE_DRAIN("evenkeel.consumer.rebalance.drain", Meter.Type.TIMER, Key.LISTENER, Key.RESULT),

	/**
	 * What became of the records at hand when partitions went.
	 */
	REBALANCE_RECORDS("evenkeel.consumer.rebalance.records", Meter.Type.COUNTER, Key.LISTENER, Key.FATE),

	/**
	 * Assignments whose state was cleared because of an error.
	 */
	RESETS("evenkeel.consumer.resets", Meter.Type.COUNTER, Key.LISTENER, Key.CAUSE);

	private final String meterName;

	private final Meter.Type type;

	private final KeyName[] keys;

	ConsumerMeter(String meterName, Meter.Type type, KeyName... keys) {
		this.meterName = meterName;
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
		return (this == OFFSET_OLDEST_AGE) ? "seconds" : null;
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
