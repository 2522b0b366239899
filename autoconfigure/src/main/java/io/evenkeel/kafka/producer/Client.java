package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.concurrent.ThreadFactory;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.Producer;

/**
 * One client, the serializers it was made with, and the sends it has in hand.
 * <p>
 * <b>Why.</b> Both flags only ever turn true and are read without a decision that depends
 * on both at the same instant, so volatile is enough.
 */
final class Client<K, V> {

	private static final Log logger = LogFactory.getLog(Client.class);

	/** What an orderly client needs after its time is up. */
	private static final Duration FORCED_CLOSE = Duration.ofMillis(300);

	private final Producer<K, V> producer;

	private final HandOverSerializer<K> keySerializer;

	private final HandOverSerializer<V> valueSerializer;

	private final InFlight inFlight;

	/** Whether a hand-over runs no code of the user. */
	private final boolean silent;

	private volatile boolean refused;

	private volatile boolean delivered;

	Client(Producer<K, V> producer, HandOverSerializer<K> keySerializer, HandOverSerializer<V> valueSerializer,
			InFlight inFlight, UserCode<K, V> userCode) {
		this.producer = producer;
		this.keySerializer = keySerializer;
		this.valueSerializer = valueSerializer;
		this.inFlight = inFlight;
		this.silent = keySerializer.isSilent() && valueSerializer.isSilent() && !userCode.wrapsOrPartitions();
	}

	Producer<K, V> producer() {
		return this.producer;
	}

	HandOverSerializer<K> keySerializer() {
		return this.keySerializer;
	}

	HandOverSerializer<V> valueSerializer() {
		return this.valueSerializer;
	}

	InFlight inFlight() {
		return this.inFlight;
	}

	/**
	 * Whether a hand-over runs no code of the user, so that nothing can be sent, flushed
	 * or seen inside of it, and nothing needs to be noted of it.
	 */
	boolean isSilent() {
		return this.silent;
	}

	/**
	 * Close it within its time, even if its I/O thread is stuck, and see that everything
	 * it had in hand ends.
	 * @param threads makes a thread for the closing
	 * @param timeout how long to let it finish what it has in hand
	 * @param rest what to say of the records that it does not answer for
	 */
	void end(ThreadFactory threads, Duration timeout, Diagnosis rest) {
		boolean ended = close(threads, timeout);
		report(ended, this.inFlight.abandon(rest));
	}

	/**
	 * The same, because another one takes its place: who is in a call of this one finds
	 * it closed, and goes on to the next with his record.
	 * @param threads makes a thread for the closing
	 * @param timeout how long to let it finish what it has in hand
	 * @param rest what to say of the records that it does not answer for
	 */
	void giveUp(ThreadFactory threads, Duration timeout, Diagnosis rest) {
		boolean ended = close(threads, timeout);
		report(ended, this.inFlight.giveUp(rest));
	}

	private boolean close(ThreadFactory threads, Duration timeout) {
		return BoundedCall.run(threads, () -> this.producer.close(timeout), timeout.plus(FORCED_CLOSE).toNanos());
	}

	private static void report(boolean ended, int abandoned) {
		if (!ended || abandoned > 0) {
			logger.warn("A client " + (ended ? "was" : "could not be") + " closed in time: " + abandoned
					+ " records it had in hand failed as possibly sent");
		}
	}

	/** Close the user's serializers, which outlive a client that is replaced. */
	void closeSerializers() {
		this.keySerializer.closeDelegate();
		this.valueSerializer.closeDelegate();
	}

	/** Whether some record of a topic may have been sent to a broker more than once. */
	boolean mayHaveRetried(String topic) {
		return RetryCounts.mayHaveRetried(this.producer.metrics(), topic);
	}

	/** Its credentials were refused. */
	void refused() {
		this.refused = true;
	}

	/** It delivered a record. */
	void delivered() {
		if (!this.delivered) {
			this.delivered = true;
		}
	}

	/**
	 * Whether it will never deliver: an idempotent client whose first connections were
	 * refused stays in an error state, also when the credentials are good again.
	 */
	boolean isSpoiled() {
		return this.refused && !this.delivered;
	}

}
