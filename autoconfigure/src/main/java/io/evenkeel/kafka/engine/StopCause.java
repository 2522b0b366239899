package io.evenkeel.kafka.engine;

/**
 * Why an engine ended.
 */
public enum StopCause {

	/** It was asked to. */
	REQUESTED,
	/** A record could not be recovered and the user wants that to stop the listener. */
	RECOVERY,
	/** The brokers refuse its credentials or its access. */
	AUTH,
	/** Another member took its static identity. */
	FENCED,
	/** A partition has no valid offset and the user wants no reset. */
	NO_OFFSET,
	/** It could not even begin: its settings are wrong. */
	ERROR

}
