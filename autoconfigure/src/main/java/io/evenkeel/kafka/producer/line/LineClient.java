package io.evenkeel.kafka.producer.line;

/**
 * What the lines ask of the client. None of it may wait for the network.
 *
 * @param <C> the type of a cause
 * @param <W> the type of a waiting record
 */
public interface LineClient<C, W extends Waiter<C>> {

	/**
	 * Look at what is known of a topic, and ask for it if it is not. Called by the
	 * scheduler thread.
	 * @param topic the topic
	 * @param since when the head of the line began to wait, in nanoseconds of the
	 * producer's clock: what was said before does not count
	 * @return what is known
	 */
	Probe<C> probe(String topic, long since);

	/**
	 * Give a taken record to the client, which runs the user's code: it may take long,
	 * and send. Called by whoever serves the line, under no lock.
	 * @param waiter the record
	 * @return how that went
	 */
	HandOver handOver(W waiter);

	/**
	 * Whether the cluster has ever answered.
	 * @return true once it has
	 */
	default boolean hasAnswered() {
		return true;
	}

	/**
	 * What stands in the way of a line that gets nowhere.
	 * @param seen what it was when the line was last looked at
	 * @param since when the record began to wait, in nanoseconds of the producer's clock
	 * @return what it is now
	 */
	default Obstacle obstacle(Obstacle seen, long since) {
		return seen;
	}

	/**
	 * Say why a line got nowhere. Called by the scheduler and by the timer.
	 * @param topic the topic
	 * @param partition the missing partition, or -1 when the topic itself is missing
	 * @param since when the record began to wait, in nanoseconds of the producer's clock
	 * @param obstacle what the line waited for
	 * @return the cause
	 */
	C diagnose(String topic, int partition, long since, Obstacle obstacle);

}
