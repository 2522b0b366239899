package io.evenkeel.kafka.producer.line;

/**
 * How the attempt to give a record to the client ended.
 */
public enum HandOver {

	/** The record left the line: the client has it, or refused it for good. */
	DONE,

	/** The client has lost the topic meanwhile; the record was surely not taken. */
	NO_METADATA,

	/** The client has no memory for it; the record was surely not taken. */
	NO_MEMORY

}
