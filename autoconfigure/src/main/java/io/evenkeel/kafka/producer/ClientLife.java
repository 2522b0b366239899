package io.evenkeel.kafka.producer;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.evenkeel.kafka.producer.line.LineWorker;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.common.ClusterResourceListener;
import org.jspecify.annotations.Nullable;

/**
 * Makes the client, and makes another one when it cannot go on.
 * <p>
 * <b>Threading.</b> {@link #doWork()} runs on the scheduler thread only and may wait for
 * DNS; anybody reads {@link #current()} and asks for a replacement. <b>Invariants.</b>
 * (1) There is at most one client. (2) While there is none, or it is to be replaced,
 * {@code current()} is empty, so that all sends wait in their lines and keep their order.
 * (3) The old client is closed, and everything it had in hand is answered, before the new
 * one is made.
 */
final class ClientLife<K, V> {

	private static final Log logger = LogFactory.getLog(ClientLife.class);

	private static final long FIRST_PAUSE = TimeUnit.MILLISECONDS.toNanos(500);

	private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(30);

	private static final long CALM = TimeUnit.MINUTES.toNanos(1);

	private static final Duration CLOSE_OLD = Duration.ofSeconds(2);

	private final ClientSpec<K, V> spec;

	private final ClusterResourceListener answers;

	private final ClusterEvidence evidence;

	private final ProducerRuntime runtime;

	private final Events<K, V> events;

	private final AtomicReference<Phase<K, V>> phase = new AtomicReference<>(new Phase<>(null, true, null, 0));

	/** What the last client has in hand, also when it has been given up. */
	private volatile @Nullable InFlight flight;

	private volatile boolean closed;

	private long nextBuildAt;

	private long pause = FIRST_PAUSE;

	private long builtAt;

	ClientLife(ClientSpec<K, V> spec, ClusterResourceListener answers, ClusterEvidence evidence,
			ProducerRuntime runtime, Events<K, V> events) {
		this.spec = spec;
		this.answers = answers;
		this.evidence = evidence;
		this.runtime = runtime;
		this.events = events;
		this.nextBuildAt = runtime.clock().getAsLong();
	}

	private Phase<K, V> phase() {
		return Objects.requireNonNull(this.phase.get());
	}

	@Nullable Client<K, V> current() {
		Phase<K, V> now = phase();
		return now.usable() ? now.client() : null;
	}

	/** The client, also while it is being replaced. */
	@Nullable Client<K, V> last() {
		return phase().client();
	}

	/** What was handed over and has not been answered; null before the first client. */
	@Nullable InFlight flight() {
		return this.flight;
	}

	boolean isClosed() {
		return this.closed;
	}

	/** Why the client is being replaced, if it is: until there is another. */
	@Nullable FailureReason replacing() {
		Phase<K, V> now = phase();
		return (now.usable() && now.client() != null) ? null : now.replaced();
	}

	/** Why there is another client than at some time, if there is, or is to be. */
	@Nullable FailureReason replacedSince(long time) {
		Phase<K, V> now = phase();
		return (now.client() == null || !now.usable() || now.builtAt() - time > 0) ? now.replaced() : null;
	}

	/**
	 * Ask for another client; the scheduler is to be signalled when this answers true.
	 */
	boolean replace(Client<K, V> client, FailureReason cause) {
		Phase<K, V> now = phase();
		return !this.closed && now.client() == client && now.usable()
				&& this.phase.compareAndSet(now, new Phase<>(client, false, cause, now.builtAt()));
	}

	/** Make or replace the client if it is time to; returns the time to the next try. */
	long doWork() {
		Phase<K, V> phase = phase();
		long now = this.runtime.clock().getAsLong();
		Client<K, V> old = phase.client();
		if (old != null && !phase.usable() && phase.replaced() != null) {
			closeOld(old, phase, now);
			old = null;
		}
		if (old != null || this.closed) {
			return LineWorker.UNTIL_SIGNALLED;
		}
		if (now - this.nextBuildAt < 0) {
			return this.nextBuildAt - now;
		}
		build();
		return (last() != null) ? 0 : Math.max(1, this.nextBuildAt - this.runtime.clock().getAsLong());
	}

	private void closeOld(Client<K, V> client, Phase<K, V> phase, long now) {
		FailureReason cause = phase.replaced();
		if (cause == null) {
			return;
		}
		logger.warn(this.spec.id() + ": the client cannot go on (" + cause + ") and is replaced");
		client.giveUp(this.runtime.named("evenkeel-close-" + this.spec.id()), CLOSE_OLD,
				new Diagnosis(cause, "the client was replaced", null));
		this.phase.set(new Phase<>(null, false, cause, phase.builtAt()));
		this.pause = (now - this.builtAt > CALM) ? FIRST_PAUSE : Math.min(2 * this.pause, LONGEST_PAUSE);
		this.nextBuildAt = this.builtAt + this.pause;
		this.events.replaced(client, cause);
	}

	private void build() {
		HandOverSerializer<K> key = new HandOverSerializer<>(this.spec.keySerializer(), true, this.spec.userCode(),
				(resource) -> {
					this.answers.onUpdate(resource);
					this.spec.userCode().interceptors().onUpdate(resource);
				});
		// The client tells each of its serializers; once is enough.
		HandOverSerializer<V> value = new HandOverSerializer<>(this.spec.valueSerializer(), false, this.spec.userCode(),
				(resource) -> {
				});
		try {
			Client<K, V> made = new Client<>(this.spec.factory().create(key, value), key, value,
					new InFlight(this.spec.deliveryTimeout().toNanos(), this.flight), this.spec.userCode());
			this.evidence.construction(null);
			this.builtAt = this.runtime.clock().getAsLong();
			this.flight = made.inFlight();
			this.phase.set(new Phase<>(made, true, phase().replaced(), this.builtAt));
			if (this.closed) {
				made.end(this.runtime.named("evenkeel-close-" + this.spec.id()), Duration.ZERO,
						new Diagnosis(FailureReason.CLOSED, "the producer was closed", null));
				return;
			}
			this.events.ready(made);
		}
		catch (RuntimeException | LinkageError ex) {
			Diagnosis found = ConstructionFailures.classify(ex, noNameResolves());
			if (this.evidence.construction() == null) {
				logger.warn(
						this.spec.id() + ": the client cannot be made yet (" + found.reason() + "): " + found.detail());
			}
			this.evidence.construction(found);
			this.nextBuildAt = this.runtime.clock().getAsLong() + FIRST_PAUSE;
			this.events.failed();
		}
	}

	private boolean noNameResolves() {
		for (String server : this.spec.bootstrapServers()) {
			String host = server.substring(0, Math.max(0, server.lastIndexOf(':'))).replace("[", "").replace("]", "");
			int protocol = host.indexOf("://");
			try {
				InetAddress.getByName((protocol < 0) ? host : host.substring(protocol + 3));
				return false;
			}
			catch (UnknownHostException ex) {
				// the next one may
			}
		}
		return true;
	}

	/** No client from now on; the caller closes the one that is returned. */
	@Nullable Client<K, V> close() {
		this.closed = true;
		return last();
	}

	/**
	 * Which client there is. One object, because a reader must not find half of a change.
	 *
	 * @param client the client; none before the first one, and between two
	 * @param usable whether it may be used; not while it is being replaced
	 * @param replaced why the one before it was, or this one is being replaced
	 * @param builtAt when it was made
	 */
	private record Phase<K, V>(@Nullable Client<K, V> client, boolean usable, @Nullable FailureReason replaced,
			long builtAt) {

	}

	/**
	 * What the producer does about it, on the scheduler thread.
	 */
	interface Events<K, V> {

		/** Nobody cares. */
		static <K, V> Events<K, V> none() {
			return new Events<>() {
			};
		}

		/** A client is there. */
		default void ready(Client<K, V> client) {
		}

		/** Making a client failed; the evidence says why. */
		default void failed() {
		}

		/** A client was closed and another will be made. */
		default void replaced(Client<K, V> client, FailureReason cause) {
		}

		/** The producer was closed; called by the closing thread. */
		default void closed() {
		}

	}

}
