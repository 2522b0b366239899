package io.evenkeel.kafka.producer;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
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

	private final AtomicReference<@Nullable FailureReason> replacement = new AtomicReference<>();

	private final AtomicReference<@Nullable Client<K, V>> current = new AtomicReference<>();

	private volatile @Nullable Client<K, V> last;

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

	@Nullable Client<K, V> current() {
		return this.current.get();
	}

	/** The client, also while it is being replaced. */
	@Nullable Client<K, V> last() {
		return this.last;
	}

	boolean isClosed() {
		return this.closed;
	}

	/** Why the client is being replaced, if it is. */
	@Nullable FailureReason replacing() {
		return this.replacement.get();
	}

	/**
	 * Ask for another client; the scheduler is to be signalled when this answers true.
	 */
	boolean replace(Client<K, V> client, FailureReason cause) {
		if (this.closed || !this.current.compareAndSet(client, null)) {
			return false;
		}
		this.replacement.set(cause);
		return true;
	}

	/** Make or replace the client if it is time to; returns the time to the next try. */
	long doWork() {
		FailureReason cause = this.replacement.get();
		long now = this.runtime.clock().getAsLong();
		Client<K, V> old = this.last;
		if (cause != null && old != null) {
			closeOld(old, cause, now);
		}
		// Between its two steps a request for a replacement leaves neither.
		if (this.last != null || this.closed) {
			return LineWorker.UNTIL_SIGNALLED;
		}
		if (now - this.nextBuildAt < 0) {
			return this.nextBuildAt - now;
		}
		build();
		return (this.last != null) ? 0 : Math.max(1, this.nextBuildAt - this.runtime.clock().getAsLong());
	}

	private void closeOld(Client<K, V> client, FailureReason cause, long now) {
		logger.warn(this.spec.id() + ": the client cannot go on (" + cause + ") and is replaced");
		client.end(this.runtime.named("evenkeel-close-" + this.spec.id()), CLOSE_OLD,
				new Diagnosis(cause, "the client was replaced", null));
		this.last = null;
		this.replacement.set(null);
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
					new InFlight(this.spec.deliveryTimeout().toNanos()));
			this.evidence.construction(null);
			this.builtAt = this.runtime.clock().getAsLong();
			this.last = made;
			this.current.set(made);
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
		return this.last;
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
