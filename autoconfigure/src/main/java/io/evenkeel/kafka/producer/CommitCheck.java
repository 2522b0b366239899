package io.evenkeel.kafka.producer;

import org.jspecify.annotations.Nullable;

import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Keeps a transaction that surrounds a Kafka transaction, a database's mostly, from its
 * commit when a send has failed: it is committed first, and would be without the record.
 * <p>
 * <b>Threading.</b> The thread of both transactions. A surrounding transaction may be
 * suspended for another one, in which the Kafka transaction goes on.
 */
final class CommitCheck implements TransactionSynchronization {

	private final TransactionalProducer<?, ?> producer;

	private final Transaction transaction;

	private final Thread thread = Thread.currentThread();

	private boolean here = true;

	private CommitCheck(TransactionalProducer<?, ?> producer, Transaction transaction) {
		this.producer = producer;
		this.transaction = transaction;
	}

	/**
	 * Make one, if this thread is inside a transaction of Spring's.
	 * @param producer whose transaction it is
	 * @param transaction what must not have failed
	 * @return the check, or {@code null}
	 */
	static @Nullable CommitCheck register(TransactionalProducer<?, ?> producer, Transaction transaction) {
		if (!TransactionSynchronizationManager.isSynchronizationActive()) {
			return null;
		}
		CommitCheck check = new CommitCheck(producer, transaction);
		TransactionSynchronizationManager.registerSynchronization(check);
		return check;
	}

	/** Whether it guards the transaction that this thread is in. */
	boolean isHere() {
		return this.here && this.thread == Thread.currentThread();
	}

	@Override
	public void beforeCommit(boolean readOnly) {
		this.producer.checkBeforeCommit(this.transaction);
	}

	@Override
	public void suspend() {
		this.here = false;
	}

	@Override
	public void resume() {
		this.here = true;
	}

	@Override
	public void afterCompletion(int status) {
		this.here = false;
	}

}
