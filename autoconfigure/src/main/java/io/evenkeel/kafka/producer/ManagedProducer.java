package io.evenkeel.kafka.producer;

/**
 * A producer that can be looked at.
 */
public interface ManagedProducer {

	/**
	 * The producer's client id.
	 * @return the id
	 */
	String id();

	/**
	 * What it is doing now; takes no lock for long and asks no broker.
	 * @return a snapshot
	 */
	ProducerSnapshot snapshot();

	/**
	 * How many records wait.
	 * @return the number
	 */
	long pendingRecords();

	/**
	 * How many bytes wait.
	 * @return the size
	 */
	long pendingBytes();

	/**
	 * The time since the cluster last answered, or since the producer was made if it has
	 * not yet.
	 * @return the time in seconds
	 */
	double metadataAgeSeconds();

}
