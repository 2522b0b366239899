package io.evenkeel.kafka.watch;

/**
 * What a listener is doing. Of several that are true the one that is named first here
 * counts.
 */
public enum ListenerState {

	/** It has stopped by itself: an error, or another member has taken its place. */
	FAILED,

	/** It was stopped, or has not been started. */
	STOPPED,

	/** Partitions come or go just now. */
	REBALANCING,

	/** It was paused by hand. */
	PAUSED,

	/** No broker has answered for some time. */
	NO_BROKER,

	/** It has no partition because a topic of its does not exist. */
	MISSING_TOPIC,

	/** It is not a member of its group yet. */
	JOINING,

	/** It is a member, and all partitions are with others. */
	NO_PARTITIONS,

	/** A call of its handler takes longer than {@code handler.warn-after}. */
	STUCK,

	/** All its partitions have been held back for some time: the handler is too slow. */
	BACKPRESSURE,

	/** It works, or would if there were records. */
	RUNNING

}
