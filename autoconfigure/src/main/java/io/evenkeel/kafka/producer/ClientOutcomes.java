package io.evenkeel.kafka.producer;

import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * What a sending producer learns from the outcomes of its records: that the client works,
 * that it has freed memory, or that it cannot go on.
 *
 * @param life the client
 * @param evidence what is known of the cluster
 * @param clock nanoseconds
 * @param delivered called on each outcome, for the memory it has freed
 * @param replacement asks for another client
 */
record ClientOutcomes<K, V>(ClientLife<K, V> life, ClusterEvidence evidence, LongSupplier clock, Runnable delivered,
		ClientGate.ReplacementRequest<K, V> replacement) implements SendContext.Outcomes {

	@Override
	public void completed(boolean success, @Nullable InFlight flight) {
		Client<K, V> client = current(flight);
		if (success && client != null) {
			client.delivered();
			this.evidence.delivered();
		}
		this.delivered.run();
	}

	@Override
	public Diagnosis failed(Exception exception, long startedAt, @Nullable InFlight flight) {
		Diagnosis found = Diagnoser.classify(exception);
		this.evidence.undelivered(found.reason(), startedAt, this.clock.getAsLong());
		if (found.reason() == FailureReason.UNKNOWN && this.life.isClosed()) {
			return new Diagnosis(FailureReason.CLOSED, "the producer was closed", exception);
		}
		@Nullable FailureReason replacing = this.life.replacing();
		if (found.reason() == FailureReason.UNKNOWN && replacing != null) {
			return new Diagnosis(replacing, "the client was replaced", exception);
		}
		Client<K, V> client = current(flight);
		boolean credentials = found.reason() == FailureReason.AUTHENTICATION || found.reason() == FailureReason.TLS;
		if (credentials && client != null) {
			this.replacement.request(client, found.reason());
		}
		return found;
	}

	@Override
	public boolean possiblyStored(FailureReason reason, String topic, @Nullable InFlight flight) {
		Client<K, V> client = current(flight);
		return client == null || !Diagnoser.isRefusal(reason) || client.mayHaveRetried(topic);
	}

	/** The client of this moment, if it is the one that speaks. */
	private @Nullable Client<K, V> current(@Nullable InFlight flight) {
		Client<K, V> client = this.life.current();
		return (client != null && client.inFlight() == flight) ? client : null;
	}

}
