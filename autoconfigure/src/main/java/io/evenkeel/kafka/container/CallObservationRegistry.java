package io.evenkeel.kafka.container;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.jspecify.annotations.Nullable;

/**
 * The observation registry that an adapter is given: its current observation is the
 * listener call of the thread, everything else is the application's registry.
 */
final class CallObservationRegistry implements ObservationRegistry {

	private final ObservationRegistry delegate;

	@SuppressWarnings("ThreadLocalUsage") // one registry for each container
	private final ThreadLocal<@Nullable CallObservation> current = new ThreadLocal<>();

	CallObservationRegistry(ObservationRegistry delegate) {
		this.delegate = delegate;
	}

	/**
	 * Begin a call on this thread.
	 * @param call the call
	 * @return what was current before
	 */
	@Nullable CallObservation enter(CallObservation call) {
		CallObservation previous = this.current.get();
		this.current.set(call);
		return previous;
	}

	void leave(@Nullable CallObservation previous) {
		if (previous != null) {
			this.current.set(previous);
		}
		else {
			this.current.remove();
		}
	}

	@Nullable CallObservation call() {
		return this.current.get();
	}

	@Override
	public @Nullable Observation getCurrentObservation() {
		CallObservation call = this.current.get();
		if (call == null) {
			return this.delegate.getCurrentObservation();
		}
		call.taken();
		return call;
	}

	@Override
	public Observation.@Nullable Scope getCurrentObservationScope() {
		return this.delegate.getCurrentObservationScope();
	}

	@Override
	public void setCurrentObservationScope(Observation.@Nullable Scope current) {
		this.delegate.setCurrentObservationScope(current);
	}

	@Override
	public ObservationConfig observationConfig() {
		return this.delegate.observationConfig();
	}

}
