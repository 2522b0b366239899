package io.evenkeel.kafka.container.failure;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.container.call.CallHeaders;
import io.evenkeel.kafka.container.call.CallObservation;
import io.evenkeel.kafka.container.call.FailurePolicy;
import io.evenkeel.kafka.container.call.ListenerCalls;
import io.evenkeel.kafka.container.listener.ListenerFailures;
import io.evenkeel.kafka.container.listener.OnExhausted;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.failure.FailureLog;
import io.evenkeel.kafka.thread.NanoClock;
import io.micrometer.observation.Observation;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.ConsumerAwareRecordRecoverer;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;

/**
 * What happens to records whose attempts are exhausted. A recovery holds the lane of its
 * record and nothing else: dead letters are sent without waiting for them, and a
 * recoverer of the application's, which may wait for whatever it likes, has no slot while
 * it runs.
 *
 * <p>
 * A recovery that fails is tried again for as long as it takes. Which records' recoveries
 * are under way is kept for the health of the container: until they succeed, or the
 * record is not this member's any more.
 *
 * <h2>Threading</h2> Begun on worker threads, ended on any.
 */
public final class Recoverer<K, V> implements FailurePolicy<K, V> {

	private static final Logger logger = LoggerFactory.getLogger(Recoverer.class);

	/** A recovery that takes longer than this is failing, whatever will become of it. */
	static final long PATIENCE_NANOS = Duration.ofSeconds(5).toNanos();

	private final String id;

	private final OnExhausted onExhausted;

	private final ConsumerRecordRecoverer recoverer;

	private final boolean createTopics;

	private final ListenerCalls<K, V> calls;

	private final EngineObserver listener;

	private final FailureLog log;

	private final Map<Delivery<ConsumerRecord<K, V>>, Underway> underway = new ConcurrentHashMap<>();

	/** Since the last recovery that succeeded. */
	private final AtomicInteger failures = new AtomicInteger();

	private volatile boolean lateSaid;

	private final NanoClock clock;

	/** The owner's. */
	private long lastLook;

	public Recoverer(String id, OnExhausted onExhausted, ConsumerRecordRecoverer recoverer, boolean createTopics,
			ListenerCalls<K, V> calls, EngineObserver listener, FailureLog log, NanoClock clock) {
		this.clock = clock;
		this.lastLook = clock.getAsLong();
		this.listener = listener;
		this.log = log;
		this.id = id;
		this.onExhausted = onExhausted;
		this.recoverer = recoverer;
		this.createTopics = createTopics;
		this.calls = calls;
	}

	@Override
	public void recover(RecoveryAttempt<K, V> recovery) {
		begin(recovery).whenComplete((how, failure) -> {
			if (failure != null) {
				recovery.failed(cause(failure));
			}
			else {
				recovery.ended(how);
			}
		});
	}

	/**
	 * Begin a recovery without answering it.
	 * @param recovery the attempt, which has no slot afterwards if there is something to
	 * wait for
	 * @return how the record ended, or fails with why it did not
	 */
	CompletableFuture<Recovery> begin(RecoveryAttempt<K, V> recovery) {
		Delivery<ConsumerRecord<K, V>> delivery = recovery.delivery();
		return switch (this.onExhausted) {
			case STOP -> {
				said("left unfinished and the listener stops", delivery, recovery.failure());
				yield CompletableFuture.completedFuture(Recovery.STOP);
			}
			case SKIP -> {
				said("skipped", delivery, recovery.failure());
				yield CompletableFuture.completedFuture(Recovery.SKIPPED);
			}
			case DEAD_LETTER -> {
				recovery.rest();
				this.underway.putIfAbsent(delivery, new Underway(this.clock.getAsLong(), false));
				yield publish(recovery).thenApply((done) -> {
					this.underway.remove(delivery);
					this.failures.set(0);
					this.lateSaid = false;
					said(done.fate(), delivery, recovery.failure());
					return done.how();
				});
			}
		};
	}

	private void said(String fate, Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		this.log.ended(delivery.record(), delivery.attempt(), failure, fate);
	}

	/** A call failed and is made again. */
	@Override
	public void retried(Delivery<ConsumerRecord<K, V>> delivery, Duration after, Throwable failure) {
		this.log.retried(delivery.record(), delivery.attempt(), after, failure);
	}

	private CompletableFuture<Done> publish(RecoveryAttempt<K, V> recovery) {
		try (Observation.Scope scope = CallObservation.scope(recovery.kept())) {
			return publish(recovery.record(), recovery.failure());
		}
	}

	private CompletableFuture<Done> publish(ConsumerRecord<K, V> record, Throwable failure) {
		Exception exception = (failure instanceof Exception known) ? known
				: new IllegalStateException("The listener failed with an error", failure);
		// True of our calls only, not of those that the dead letter may get.
		CallHeaders.removeAttempt(record);
		if (this.recoverer instanceof DeadLetters own) {
			return own.write(record, exception, this.createTopics)
				.thenApply((written) -> new Done(Recovery.DEAD_LETTERED, "sent to " + DeadLetters.place(written)));
		}
		try {
			if (this.recoverer instanceof ConsumerAwareRecordRecoverer aware) {
				aware.accept(record, this.calls.consumer(), exception);
			}
			else {
				this.recoverer.accept(record, exception);
			}
			boolean sent = this.recoverer instanceof DeadLetterPublishingRecoverer;
			return CompletableFuture.completedFuture(new Done(sent ? Recovery.DEAD_LETTERED : Recovery.SKIPPED,
					(sent ? "sent to its dead-letter topic by " : "left to ") + this.recoverer.getClass().getName()));
		}
		catch (Throwable ex) {
			return CompletableFuture.failedFuture(ex);
		}
	}

	/**
	 * What the application does about a failed call has failed itself. Its records come
	 * again, later each time: they are given up by nobody.
	 * @param attempt the call, which is answered
	 */
	void failed(Attempt<K, V> attempt, Throwable failure) {
		recoveryFailed(attempt.delivery(), failure);
		attempt.again(attempt.afterFailedRecovery());
	}

	/** A recovery of a record, of whatever policy, has failed. */
	@Override
	public void recoveryFailed(Delivery<ConsumerRecord<K, V>> delivery, Throwable failure) {
		if (failure instanceof Redelivery.HandedOverException) {
			return;
		}
		this.listener.recoveryFailed(delivery.record().topic());
		long now = this.clock.getAsLong();
		forget();
		if (this.underway.isEmpty()) {
			this.failures.set(0);
		}
		this.underway.compute(delivery, (key, known) -> new Underway((known != null) ? known.since : now, true));
		int count = this.failures.incrementAndGet();
		if (Integer.bitCount(count) != 1) {
			// Said at the first, second, fourth, eighth, ... failure.
			return;
		}
		ConsumerRecord<K, V> record = delivery.record();
		logger.error(
				"{}: the recovery of {}-{}@{} failed and is tried again; the record stays unfinished ({} failed "
						+ "recoveries since the last good one): {}",
				this.id, record.topic(), record.partition(), record.offset(), count, describe(failure));
	}

	private String describe(Throwable failure) {
		return (this.recoverer instanceof DeadLetters own) ? own.describe(failure) : ListenerFailures.types(failure);
	}

	/**
	 * See to recoveries that take long: nothing has failed yet, but somebody waits. Owner
	 * thread, now and then.
	 */
	public void look() {
		this.log.look();
		long now = this.clock.getAsLong();
		long since = this.underway.isEmpty() ? 0 : failingSince();
		if (since == 0 || now - since < PATIENCE_NANOS) {
			return;
		}
		if (!this.lateSaid && this.failures.get() == 0) {
			this.lateSaid = true;
			logger.error("{}: {} record(s) wait for their recovery, the first for {} ms; each holds its key or "
					+ "partition until it succeeds", this.id, this.underway.size(), (now - since) / 1_000_000);
		}
		if (this.recoverer instanceof DeadLetters own && now - this.lastLook > PATIENCE_NANOS) {
			this.lastLook = now;
			Set<String> seen = new HashSet<>();
			for (Delivery<ConsumerRecord<K, V>> delivery : this.underway.keySet()) {
				if (seen.add(delivery.record().topic())) {
					own.lookAgain(delivery.record(), this.createTopics);
				}
			}
		}
	}

	/** Whether recovery means to stop the container. */
	boolean stops() {
		return this.onExhausted == OnExhausted.STOP;
	}

	/** Whether nothing of the application's takes part in a recovery. */
	boolean isOwn() {
		return this.onExhausted != OnExhausted.DEAD_LETTER || this.recoverer instanceof DeadLetters;
	}

	/**
	 * Since when recoveries have been failing, or taking too long: Nanoseconds of the
	 * listener's clock, 0 = they do not.
	 */
	public long failingSince() {
		forget();
		long now = this.clock.getAsLong();
		long oldest = 0;
		for (Underway one : this.underway.values()) {
			if ((one.failed || now - one.since > PATIENCE_NANOS) && (oldest == 0 || one.since - oldest < 0)) {
				oldest = one.since;
			}
		}
		return oldest;
	}

	private void forget() {
		this.underway.keySet().removeIf((delivery) -> delivery.isEnded() || delivery.assignment().isStopping());
	}

	static Throwable cause(Throwable failure) {
		@Nullable Throwable cause = (failure instanceof CompletionException) ? failure.getCause() : null;
		return (cause != null) ? cause : failure;
	}

	/**
	 * A recovery that is over.
	 *
	 * @param how how the record ended
	 * @param fate the same in words, to be read after "is"
	 */
	private record Done(Recovery how, String fate) {
	}

	/**
	 * A recovery that is not over.
	 *
	 * @param since when it began, nanoseconds
	 * @param failed whether an attempt has failed
	 */
	private record Underway(long since, boolean failed) {
	}

}
