package io.evenkeel.kafka.producer;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * A send inside a transaction, which is told how it ended.
 * <p>
 * <b>Threading.</b> A failure that is found inside of the call of send is told on the
 * caller's thread, as with the stock client: the caller, who is held anyway, finds the
 * future failed and throws.
 */
final class TransactionalSend<K, V> extends PendingSend<K, V> {

	private final Transaction transaction;

	/** Plain: it counts only for the thread that it names, which wrote it itself. */
	private @Nullable Thread sender = Thread.currentThread();

	TransactionalSend(SendContext context, ProducerRecord<K, V> record, @Nullable Callback callback, long startedAt,
			Transaction transaction) {
		super(context, record, callback, startedAt);
		this.transaction = transaction;
		transaction.begun();
	}

	/** The call of send is about to return. */
	void returned() {
		this.sender = null;
	}

	@Override
	void tellEnd() {
		if (this.sender == Thread.currentThread()) {
			runEntered();
		}
		else {
			super.tellEnd();
		}
	}

	@Override
	void beforeTelling(@Nullable SendFailedException failure) {
		if (failure != null) {
			this.transaction.failed(failure);
		}
	}

	@Override
	void runEntered() {
		try {
			super.runEntered();
		}
		finally {
			this.transaction.ended();
		}
	}

}
