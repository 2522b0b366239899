package io.evenkeel.kafka.producer.line;

/**
 * What a line waits for.
 */
public enum Obstacle {

	/** The topic or the partition is not known to the client. */
	METADATA,

	/** The client has no memory left for one more record. */
	MEMORY

}
