package io.evenkeel.kafka.metrics;

import io.micrometer.common.docs.KeyName;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.docs.MeterDocumentation;
import org.jspecify.annotations.Nullable;

/**
 * The meters of a sending producer: the one list of their names and tags.
 */
public enum ProducerMeter implements MeterDocumentation {

	/**
	 * From the call of send to its completion.
	 */
	SEND("evenkeel.producer.send", "Time from the call of send to its completion", Meter.Type.TIMER, Key.PRODUCER,
			Key.TOPIC, Key.OUTCOME, Key.REASON),

	/**
	 * How long send held its caller.
	 */
	SEND_BLOCKED("evenkeel.producer.send.blocked", "How long send held its caller", Meter.Type.TIMER, Key.PRODUCER),

	/**
	 * How long a record waited for metadata or for the client's memory.
	 */
	METADATA_WAIT("evenkeel.producer.metadata.wait", "How long a record waited for metadata or for the client's memory",
			Meter.Type.TIMER, Key.PRODUCER, Key.TOPIC, Key.OUTCOME),

	/**
	 * How often the client was asked once more for a topic.
	 */
	METADATA_RETRIES("evenkeel.producer.metadata.retries", "Further questions for a topic", Meter.Type.COUNTER,
			Key.PRODUCER, Key.TOPIC),

	/**
	 * Seconds since the cluster last answered.
	 */
	METADATA_AGE("evenkeel.producer.metadata.age", "Time since the cluster last answered", Meter.Type.GAUGE,
			Key.PRODUCER),

	/**
	 * Records that wait.
	 */
	PENDING_RECORDS("evenkeel.producer.pending.records", "Records that wait", Meter.Type.GAUGE, Key.PRODUCER),

	/**
	 * Bytes that wait.
	 */
	PENDING_BYTES("evenkeel.producer.pending.bytes", "Bytes that wait", Meter.Type.GAUGE, Key.PRODUCER),

	/**
	 * 1 while sends to a topic fail at once.
	 */
	FAIL_FAST("evenkeel.producer.fail.fast", "1 while sends to the topic fail at once", Meter.Type.GAUGE, Key.PRODUCER,
			Key.TOPIC),

	/**
	 * How often the client was replaced.
	 */
	REPLACEMENTS("evenkeel.producer.replacements", "Clients that were replaced, by the reason", Meter.Type.COUNTER,
			Key.PRODUCER, Key.CAUSE);

	private final String meterName;

	private final String description;

	private final Meter.Type type;

	private final KeyName[] keys;

	ProducerMeter(String meterName, String description, Meter.Type type, KeyName... keys) {
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
		return (this == METADATA_AGE) ? "seconds" : null;
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
	 * The tags. An absent value is {@code none}.
	 */
	public enum Key implements KeyName {

		/** The client id. */
		PRODUCER,

		/** The topic; {@code other} beyond the first hundred. */
		TOPIC,

		/** How it ended. */
		OUTCOME,

		/** Why it failed. */
		REASON,

		/** Why the client was replaced. */
		CAUSE;

		@Override
		public String asString() {
			return switch (this) {
				case PRODUCER -> "producer";
				case TOPIC -> "topic";
				case OUTCOME -> "outcome";
				case REASON -> "reason";
				case CAUSE -> "cause";
			};
		}

	}

}
