package io.evenkeel.kafka.container.failure;

/**
 * Tells why sends of the application fail, beyond what Kafka's own exceptions say. Any
 * thread.
 */
@FunctionalInterface
public interface SendFailures {

	/** For producers that throw nothing but Kafka's own exceptions. */
	SendFailures NONE = (failure) -> Blame.NOT_KNOWN;

	/**
	 * What made a send fail.
	 * @param failure one exception of a chain of causes
	 * @return what is to blame
	 */
	Blame blame(Throwable failure);

	/** What is to blame for a failed send. */
	enum Blame {

		/** What was sent, or where: it fails again. */
		RECORD,

		/** The cluster, the network or the producer: it may pass. */
		CLUSTER,

		/** It is no failure of a send, or its causes say more. */
		NOT_KNOWN

	}

}
