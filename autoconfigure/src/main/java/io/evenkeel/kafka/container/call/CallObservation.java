package io.evenkeel.kafka.container.call;

import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.container.listener.EndOfCalls;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationConvention;
import org.jspecify.annotations.Nullable;

/**
 * The observation of one listener call, through which the adapter tells when the call is
 * really over. An adapter stops its observation exactly once, after the method has
 * returned or after its future, {@code Mono} or suspend function has completed, and
 * reports an error before; an acknowledgment says neither. Everything is passed on to the
 * real observation.
 *
 * <h2>Threading</h2> {@link #stop} may come from the thread that completes a future,
 * while the worker is still inside the call.
 */
public abstract class CallObservation implements Observation {

	private final Observation delegate;

	private final CallObservationRegistry registry;

	private volatile @Nullable Throwable error;

	private volatile @Nullable Throwable unrecovered;

	private volatile boolean later;

	/** What the call still waits for; null as long as that is the adapter's stop only. */
	private volatile @Nullable AtomicInteger ends;

	private volatile boolean adapterStopped;

	private volatile boolean recovered;

	/** Written and read by the worker inside the call. */
	private boolean taken;

	private @Nullable AssignmentBeanScope beanScope;

	private @Nullable AssignmentBeans beans;

	CallObservation(Observation delegate, CallObservationRegistry registry) {
		this.delegate = delegate;
		this.registry = registry;
	}

	/** The adapter says that the call is over. Any thread, once. */
	abstract void stopped();

	/** Whether somebody observes this call beside the container. */
	boolean isObserved() {
		return this.delegate != NOOP;
	}

	/**
	 * What is done about a failure belongs to the trace of the call that failed.
	 * @param kept with the record: an observation, if somebody observes its calls
	 * @return to be closed on this thread
	 */
	public static Scope scope(@Nullable Object kept) {
		return (kept instanceof CallObservation failed) ? failed.openScope() : Scope.NOOP;
	}

	/** Make the scope {@code assignment} follow this call to other threads. */
	void carry(AssignmentBeanScope scope, AssignmentBeans beans) {
		this.beanScope = scope;
		this.beans = beans;
		if (!this.delegate.isNoop()) {
			this.delegate.getContext().put(AssignmentBeans.class, beans);
		}
	}

	/** What the adapter reported, recovered or not. */
	@Nullable Throwable error() {
		return this.error;
	}

	/**
	 * The failure of an asynchronous call that no error handler of the listener
	 * recovered.
	 */
	@Nullable Throwable unrecovered() {
		return this.unrecovered;
	}

	/** The listener has returned a future: the call is over when that is. */
	void endsLater() {
		this.later = true;
	}

	boolean isLater() {
		return this.later;
	}

	/**
	 * An error handler of the listener has returned a future: the call is not over before
	 * that is, whatever the adapter says. Inside the call, or before the adapter's stop.
	 * @return to be run once, when it is
	 */
	Runnable endsAlso() {
		AtomicInteger known = this.ends;
		if (known == null) {
			known = new AtomicInteger(1);
			this.ends = known;
		}
		AtomicInteger counted = known;
		counted.incrementAndGet();
		return () -> ended(counted);
	}

	/** The future of an error handler has succeeded, and what failed before is mended. */
	void recovered() {
		this.recovered = true;
	}

	/** Whether the call has failed and nobody has recovered it so far. */
	boolean isFailing() {
		return this.error != null && !this.recovered;
	}

	private void ended(AtomicInteger counted) {
		if (counted.decrementAndGet() == 0) {
			end();
		}
	}

	/** An adapter has asked for this observation: it will stop it. */
	void taken() {
		this.taken = true;
	}

	/**
	 * Whether a stop is to be waited for. It is not when the call ended before the
	 * adapter: an interceptor or a filter kept all records back.
	 */
	boolean isTaken() {
		return this.taken;
	}

	void unrecovered(Throwable failure) {
		this.unrecovered = failure;
	}

	@Override
	public Observation error(Throwable error) {
		this.error = error;
		told(() -> this.delegate.error(error));
		return this;
	}

	@Override
	public void stop() {
		AtomicInteger counted = this.ends;
		if (counted == null) {
			end();
		}
		else if (!this.adapterStopped) {
			// It stops once more when what its error handler has returned is over.
			this.adapterStopped = true;
			ended(counted);
		}
	}

	/** The call is over, whatever else was to come. */
	void end() {
		told(this.delegate::stop);
		stopped();
	}

	/** Conventions and handlers of the application's change nothing of the call. */
	private static void told(Runnable action) {
		EndOfCalls.tell("listener", "observation", action);
	}

	@Override
	public Scope openScope() {
		Scope[] opened = { Scope.NOOP };
		told(() -> opened[0] = this.delegate.openScope());
		Scope scope = opened[0];
		CallObservationRegistry.Current current = this.registry.current();
		return new CallScope(scope, current, current.set(this));
	}

	@Override
	public Observation start() {
		told(this.delegate::start);
		return this;
	}

	@Override
	public Observation contextualName(@Nullable String contextualName) {
		this.delegate.contextualName(contextualName);
		return this;
	}

	@Override
	public Observation parentObservation(@Nullable Observation parentObservation) {
		this.delegate.parentObservation(parentObservation);
		return this;
	}

	@Override
	public Observation lowCardinalityKeyValue(KeyValue keyValue) {
		this.delegate.lowCardinalityKeyValue(keyValue);
		return this;
	}

	@Override
	public Observation highCardinalityKeyValue(KeyValue keyValue) {
		this.delegate.highCardinalityKeyValue(keyValue);
		return this;
	}

	@Override
	public Observation observationConvention(ObservationConvention<?> observationConvention) {
		this.delegate.observationConvention(observationConvention);
		return this;
	}

	@Override
	public Observation event(Event event) {
		this.delegate.event(event);
		return this;
	}

	@Override
	public Context getContext() {
		return this.delegate.getContext();
	}

	/**
	 * Makes this the current call of the thread as long as it is open.
	 */
	@SuppressWarnings("deprecation") // the interface still asks for them
	private final class CallScope implements Scope {

		private final Scope scope;

		private final CallObservationRegistry.Current current;

		private final @Nullable CallObservation previous;

		private @Nullable AssignmentBeans previousBeans;

		CallScope(Scope scope, CallObservationRegistry.Current current, @Nullable CallObservation previous) {
			this.scope = scope;
			this.current = current;
			this.previous = previous;
			AssignmentBeanScope known = CallObservation.this.beanScope;
			AssignmentBeans own = CallObservation.this.beans;
			if (known != null && own != null) {
				this.previousBeans = known.enter(own);
			}
		}

		@Override
		public Observation getCurrentObservation() {
			return CallObservation.this;
		}

		@Override
		public @Nullable Scope getPreviousObservationScope() {
			return this.scope.getPreviousObservationScope();
		}

		@Override
		public void close() {
			AssignmentBeanScope known = CallObservation.this.beanScope;
			if (known != null) {
				known.leave(this.previousBeans);
			}
			this.current.set(this.previous);
			told(this.scope::close);
		}

		@Override
		public void reset() {
			this.scope.reset();
		}

		@Override
		public void makeCurrent() {
			this.scope.makeCurrent();
		}

	}

}
