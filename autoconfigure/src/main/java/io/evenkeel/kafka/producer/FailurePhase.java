package io.evenkeel.kafka.producer;

/**
 * Where a record was when its send failed. Public API.
 */
public enum FailurePhase {

	/** Not handed over to the client. */
	METADATA,

	/** Waiting for the client's memory, or refused by the bound on what may wait. */
	BUFFER,

	/** Handed over to the client. */
	DELIVERY

}
