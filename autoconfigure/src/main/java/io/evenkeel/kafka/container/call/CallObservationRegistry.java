package io.evenkeel.kafka.container.call;

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
	private final ThreadLocal<Current> current = ThreadLocal.withInitial(Current::new);

	CallObservationRegistry(ObservationRegistry delegate) {
		this.delegate = delegate;
	}

	/**
	 * Where this thread keeps its current call. It stays with the thread: to remove it
	 * after each call and make it again for the next costs more than the call.
	 * @return the place, to be left as it was found
	 */
	Current current() {
		return this.current.get();
	}

	@Nullable CallObservation call() {
		return this.current.get().call;
	}

	@Override
	public @Nullable Observation getCurrentObservation() {
		CallObservation call = this.current.get().call;
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

	/**
	 * The current call of one thread.
	 */
	static final class Current {

		private @Nullable CallObservation call;

		/**
		 * Begin or end a call on this thread.
		 * @param call the call, or what was there before
		 * @return what was there before
		 */
		@Nullable CallObservation set(@Nullable CallObservation call) {
			CallObservation previous = this.call;
			this.call = call;
			return previous;
		}

	}

}
