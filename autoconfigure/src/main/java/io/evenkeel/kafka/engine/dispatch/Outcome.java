package io.evenkeel.kafka.engine.dispatch;

/**
 * How a record ended. A record that was dropped by a revoke has not ended: its next owner
 * sees it again.
 */
public enum Outcome {

	/**
	 * Its handler call succeeded, or a filter the user configured discarded it.
	 */
	SUCCESS("success"),

	/**
	 * Its attempts were exhausted and the user asked to skip such records.
	 */
	SKIPPED("skipped"),

	/**
	 * Its attempts were exhausted and a broker acknowledged it in the dead-letter topic.
	 */
	DEAD_LETTERED("dead-lettered");

	private final String tag;

	Outcome(String tag) {
		this.tag = tag;
	}

	/**
	 * The name of this outcome in meters.
	 * @return lower case, with hyphens
	 */
	public String tag() {
		return this.tag;
	}

}
