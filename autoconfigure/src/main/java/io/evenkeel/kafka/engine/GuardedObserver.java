package io.evenkeel.kafka.engine;

import java.util.Collection;
import java.util.concurrent.atomic.AtomicBoolean;

import io.evenkeel.kafka.engine.dispatch.Outcome;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a listener throws away from the engine, errors included: meters must not be
 * able to break a transition. The first failure is logged, the others would only repeat
 * it.
 */
final class GuardedObserver implements EngineObserver {

	private static final Logger logger = LoggerFactory.getLogger(GuardedObserver.class);

	private final String id;

	private final EngineObserver delegate;

	private final AtomicBoolean reported = new AtomicBoolean();

	GuardedObserver(String id, EngineObserver delegate) {
		this.id = id;
		this.delegate = delegate;
	}

	@Override
	public void assigned(Collection<AssignedPartition> partitions, long nanos) {
		guard(() -> this.delegate.assigned(partitions, nanos));
	}

	@Override
	public void unassigned(Collection<AssignedPartition> partitions, RebalanceEvent how, long nanos) {
		guard(() -> this.delegate.unassigned(partitions, how, nanos));
	}

	@Override
	public void drained(boolean clean, long nanos, int drained, int dropped, int abandoned) {
		guard(() -> this.delegate.drained(clean, nanos, drained, dropped, abandoned));
	}

	@Override
	public void gaveUp(int dropped, int abandoned) {
		guard(() -> this.delegate.gaveUp(dropped, abandoned));
	}

	@Override
	public void firstCall(String topic, long waitNanos) {
		try {
			this.delegate.firstCall(topic, waitNanos);
		}
		catch (Throwable ex) {
			report(ex);
		}
	}

	@Override
	public void retried(String topic) {
		guard(() -> this.delegate.retried(topic));
	}

	@Override
	public void ended(String topic, Outcome outcome, long residenceNanos) {
		try {
			this.delegate.ended(topic, outcome, residenceNanos);
		}
		catch (Throwable ex) {
			report(ex);
		}
	}

	@Override
	public void stale(String topic) {
		guard(() -> this.delegate.stale(topic));
	}

	@Override
	public void committed(CommitResult result, long nanos) {
		guard(() -> this.delegate.committed(result, nanos));
	}

	@Override
	public void reset(ResetCause cause, int partitions) {
		guard(() -> this.delegate.reset(cause, partitions));
	}

	@Override
	public void lagKnown(TopicPartition partition) {
		guard(() -> this.delegate.lagKnown(partition));
	}

	@Override
	public void recoveryFailed(String topic) {
		guard(() -> this.delegate.recoveryFailed(topic));
	}

	@Override
	public void metadataIgnored() {
		guard(this.delegate::metadataIgnored);
	}

	private void guard(Runnable action) {
		try {
			action.run();
		}
		catch (Throwable ex) {
			report(ex);
		}
	}

	private void report(Throwable failure) {
		if (this.reported.compareAndSet(false, true)) {
			logger.error("{}: a listener of the engine failed; further failures are not logged", this.id, failure);
		}
	}

}
