package io.evenkeel.kafka.container.call;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.BiConsumer;

import io.micrometer.observation.Observation;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.support.Acknowledgment;

/**
 * One call between its begin and its end, which it reports once. Call and observation are
 * one object because each record needs both.
 *
 * <h2>Threading</h2> The worker makes the call; the adapter's stop may come from any
 * thread, before or after the listener's return.
 *
 * <h2>Why</h2> Whoever of the two comes second reports, which the atomic exchange of
 * {@code met} decides; it is a field with an updater because one object for each record
 * is enough. {@code stopped} and {@code thrown} are volatile because either side may ask
 * for them before the two have met. {@code skipped} and {@code end} are the worker's: it
 * writes {@code end} before the listener can hand the call to another thread.
 */
final class CallInProgress extends CallObservation {

	private static final AtomicIntegerFieldUpdater<CallInProgress> MET = AtomicIntegerFieldUpdater
		.newUpdater(CallInProgress.class, "met");

	private final ListenerTarget target;

	private final boolean tellsWhenOver;

	private final @Nullable CallAcknowledgment acknowledgment;

	private final BiConsumer<@Nullable Throwable, CallObservation> over;

	@SuppressWarnings("unused") // through its updater
	volatile int met;

	private volatile boolean stopped;

	private boolean skipped;

	private volatile @Nullable Throwable thrown;

	/** Only where somebody waits. */
	private @Nullable CountDownLatch end;

	/**
	 * Begin a call.
	 * @param delegate the application's observation
	 * @param calls knows the current call of each thread
	 * @param target what is called
	 * @param tellsWhenOver whether an adapter stops the observation when the work is done
	 * @param acknowledgment the one that the listener gets
	 * @param over told once, with null after a success, otherwise with why it failed
	 */
	CallInProgress(Observation delegate, CallObservationRegistry calls, ListenerTarget target, boolean tellsWhenOver,
			@Nullable Acknowledgment acknowledgment, BiConsumer<@Nullable Throwable, CallObservation> over) {
		super(delegate, calls);
		this.target = target;
		this.tellsWhenOver = tellsWhenOver;
		this.acknowledgment = (acknowledgment instanceof CallAcknowledgment known) ? known : null;
		if (this.acknowledgment != null) {
			this.acknowledgment.begins(this);
		}
		this.over = over;
	}

	/** The listener is not called: an interceptor wants the record skipped. */
	void skipped() {
		this.skipped = true;
	}

	boolean isStopped() {
		return this.stopped;
	}

	@Override
	void stopped() {
		if (this.stopped) {
			return;
		}
		this.stopped = true;
		if (this.end != null) {
			this.end.countDown();
		}
		meet();
	}

	/**
	 * What is around an asynchronous call ends when its work does, and fails when that
	 * fails.
	 * @param call makes the call
	 * @param groupId of the listener
	 */
	void runToTheEnd(Runnable call, @Nullable String groupId) {
		CountDownLatch latch = new CountDownLatch(1);
		this.end = latch;
		call.run();
		if (this.skipped) {
			return;
		}
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new ListenerExecutionFailedException("Interrupted while the listener's future was awaited", groupId,
					ex);
		}
		Throwable failure = outcome();
		if (failure != null) {
			throw new ListenerExecutionFailedException("The listener's future failed", groupId, failure);
		}
	}

	/** The listener has returned, or what is around it. */
	void returned(@Nullable Throwable failure) {
		if (failure != null) {
			this.thrown = failure;
		}
		if (!this.stopped && (failure != null || this.skipped || !this.tellsWhenOver)) {
			end();
		}
		meet();
	}

	private void meet() {
		if (MET.getAndSet(this, 1) != 0) {
			Throwable failure = outcome();
			if (this.acknowledgment != null) {
				this.acknowledgment.ends();
			}
			this.over.accept(failure, this);
		}
	}

	private @Nullable Throwable outcome() {
		if (this.thrown != null) {
			return this.thrown;
		}
		if (unrecovered() != null) {
			return unrecovered();
		}
		// An error without a throw was recovered if somebody is there to recover it.
		boolean refused = this.acknowledgment != null && this.acknowledgment.isRefused();
		return (this.target.recovers() && !refused) ? null : error();
	}

}
