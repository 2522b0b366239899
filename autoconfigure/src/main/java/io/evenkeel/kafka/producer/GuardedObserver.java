package io.evenkeel.kafka.producer;

import java.util.concurrent.atomic.AtomicBoolean;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what an observer throws away from the producer, errors included: a meter registry
 * that refuses a meter must neither hit a caller nor keep a future from its end. The
 * first failure is logged, the others would only repeat it.
 */
final class GuardedObserver implements SendObserver {

	private static final Log logger = LogFactory.getLog(GuardedObserver.class);

	private final SendObserver delegate;

	private final AtomicBoolean reported = new AtomicBoolean();

	private GuardedObserver(SendObserver delegate) {
		this.delegate = delegate;
	}

	/**
	 * Make the observer of a producer.
	 * @param observers makes the one to guard
	 * @param producer the producer
	 * @return {@link SendObserver#NONE} if there is none, or none could be made
	 */
	static SendObserver of(SendObserverFactory observers, ManagedProducer producer) {
		try {
			SendObserver observer = observers.observe(producer);
			return observer.isActive() ? new GuardedObserver(observer) : SendObserver.NONE;
		}
		catch (RuntimeException | Error ex) {
			logger.error("A producer is not observed: its observer could not be made", ex);
			return SendObserver.NONE;
		}
	}

	@Override
	public void returned(long nanos) {
		try {
			this.delegate.returned(nanos);
		}
		catch (RuntimeException | Error ex) {
			report(ex);
		}
	}

	@Override
	public void completed(String topic, @Nullable FailureReason reason, long nanos) {
		try {
			this.delegate.completed(topic, reason, nanos);
		}
		catch (RuntimeException | Error ex) {
			report(ex);
		}
	}

	@Override
	public void waited(String topic, WaitOutcome outcome, long nanos) {
		guard(() -> this.delegate.waited(topic, outcome, nanos));
	}

	@Override
	public void retried(String topic) {
		guard(() -> this.delegate.retried(topic));
	}

	@Override
	public void failFast(String topic, boolean open) {
		guard(() -> this.delegate.failFast(topic, open));
	}

	@Override
	public void replaced(FailureReason cause) {
		guard(() -> this.delegate.replaced(cause));
	}

	@Override
	public void closed() {
		guard(this.delegate::closed);
	}

	private void guard(Runnable action) {
		try {
			action.run();
		}
		catch (RuntimeException | Error ex) {
			report(ex);
		}
	}

	private void report(Throwable failure) {
		if (this.reported.compareAndSet(false, true)) {
			logger.error("An observer of a producer failed; further failures are not logged", failure);
		}
	}

}
