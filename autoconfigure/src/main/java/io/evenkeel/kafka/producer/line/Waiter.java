package io.evenkeel.kafka.producer.line;

/**
 * A record that waits. It is in one of three states: waiting, taken (being handed over),
 * ended. The lines move it by {@link #take()}, {@link #giveBack()} and
 * {@link #fail(LineEnd)}; each is atomic against the others, so that a record ends once.
 *
 * @param <C> the type of a cause
 */
public interface Waiter<C> {

	/**
	 * The record's topic.
	 * @return the topic
	 */
	String topic();

	/**
	 * The record's explicit partition.
	 * @return the partition, or -1 when it has none
	 */
	int partition();

	/**
	 * What the record occupies while it waits.
	 * @return the size in bytes, not negative
	 */
	long bytes();

	/**
	 * When the record was sent; its deadline counts from here.
	 * @return nanoseconds of the producer's clock
	 */
	long startedAt();

	/**
	 * Move from waiting to taken.
	 * @return false if the record has ended
	 */
	boolean take();

	/**
	 * Move from taken back to waiting: it was not handed over.
	 */
	void giveBack();

	/**
	 * Move from waiting to ended, and tell the sender. Must not block.
	 * @param end why
	 * @return false if the record was not waiting; nothing has happened then
	 */
	boolean fail(LineEnd<C> end);

	/**
	 * The attempts the line had made when this record joined.
	 * @return the number
	 */
	int attemptsBefore();

	/**
	 * Remember the attempts the line had made when this record joined.
	 * @param attempts the number, already counting the sender's own look as one more
	 */
	void attemptsBefore(int attempts);

	/**
	 * Remember the attempts made for this record so far; it is about to be handed over.
	 * @param attempts the number, at least 1
	 */
	default void attempts(int attempts) {
	}

}
