package io.evenkeel.kafka.producer.line;

import org.jspecify.annotations.Nullable;

/**
 * What the client knows of a topic, right now.
 *
 * @param partitions the number of partitions, 0 when the topic is not known
 * @param refusal why the topic can never be sent to, as the cluster has said; otherwise
 * {@code null}
 * @param confirmed whether the cluster has said so itself since the record began to wait
 * @param <C> the type of a cause
 */
public record Probe<C>(int partitions, @Nullable C refusal, boolean confirmed) {

	/**
	 * Whether a record can be handed over.
	 * @param partition the record's explicit partition, or a negative number
	 * @return true if the topic is known and has that partition
	 */
	public boolean serves(int partition) {
		return this.partitions > 0 && partition < this.partitions;
	}

	/**
	 * The same, as the cluster has just said itself.
	 * @return the probe
	 */
	public Probe<C> asConfirmed() {
		return new Probe<>(this.partitions, this.refusal, true);
	}

	/**
	 * The topic is not known yet.
	 * @param <C> the type of a cause
	 * @return the probe
	 */
	public static <C> Probe<C> unknown() {
		return new Probe<>(0, null, false);
	}

	/**
	 * The topic is known.
	 * @param partitions its number of partitions, positive
	 * @param <C> the type of a cause
	 * @return the probe
	 */
	public static <C> Probe<C> known(int partitions) {
		return new Probe<>(partitions, null, false);
	}

	/**
	 * The cluster has refused the topic.
	 * @param cause why
	 * @param <C> the type of a cause
	 * @return the probe
	 */
	public static <C> Probe<C> refused(C cause) {
		return new Probe<>(0, cause, true);
	}

}
