package io.evenkeel.kafka.engine.dispatch;

/**
 * Which records of one assigned partition must be handled one after the other.
 */
public enum Ordering {

	/**
	 * All records of the partition, in offset order.
	 */
	PARTITION,

	/**
	 * Records with equal keys, in offset order; records without a key share one lane.
	 */
	KEY,

	/**
	 * None: each record may be handled beside any other.
	 */
	NONE

}
