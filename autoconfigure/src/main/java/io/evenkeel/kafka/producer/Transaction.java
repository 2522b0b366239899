package io.evenkeel.kafka.producer;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * One transaction of a producer, from its begin to its end: what became of its sends.
 * <p>
 * <b>Threading.</b> The thread of the transaction, whoever else sends in it, and the
 * completion thread. <b>Why.</b> The client does not know of the sends that it was never
 * given, or did not take, and would commit without them.
 */
final class Transaction {

	private final AtomicInteger unfinished = new AtomicInteger();

	private final AtomicReference<@Nullable SendFailedException> failure = new AtomicReference<>();

	private volatile @Nullable KafkaException refusal;

	private volatile @Nullable CommitCheck check;

	void begun() {
		this.unfinished.incrementAndGet();
	}

	void failed(SendFailedException failure) {
		this.failure.compareAndSet(null, failure);
	}

	void ended() {
		this.unfinished.decrementAndGet();
	}

	boolean isUnfinished() {
		return this.unfinished.get() > 0;
	}

	/** The first send that failed, null if none has. */
	@Nullable SendFailedException failure() {
		return this.failure.get();
	}

	/** The client does not commit it. */
	void refused(KafkaException refusal) {
		this.refusal = refusal;
	}

	/** Why the client does not commit it, if that is known. */
	@Nullable KafkaException refusal() {
		return this.refusal;
	}

	/** See that a transaction of another kind around this one hears of failures. */
	void joinSurrounding(TransactionalProducer<?, ?> producer) {
		CommitCheck known = this.check;
		if (known == null || !known.isHere()) {
			this.check = CommitCheck.register(producer, this);
		}
	}

}
