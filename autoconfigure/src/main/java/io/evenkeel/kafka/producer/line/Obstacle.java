package io.evenkeel.kafka.producer.line;

/**
 * What a line waits for.
 */
public enum Obstacle {

	/** The topic or the partition is not known to the client. */
	METADATA,

	/** The client has no memory left for one more record. */
	MEMORY,

	/** The client is another one than when the record was sent, or is about to be. */
	REPLACEMENT,

	/** A record of the line is being handed over, which runs the user's code. */
	HAND_OVER

}
