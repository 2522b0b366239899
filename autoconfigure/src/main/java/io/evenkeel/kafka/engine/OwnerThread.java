package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.EngineObserver.ResetCause;
import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The owner thread of an engine: it makes a consumer, runs its loop, and when the
 * consumer fails clears all state and makes a new one after a back-off, until it is asked
 * to end or must.
 *
 * <h2>Threading</h2> {@link #run} is the owner thread. {@link #stop}, {@link #awaitEnd}
 * and the getters may be called from any thread.
 *
 * <h2>Why each volatile</h2> {@code stopBy} and {@code recoveryFailure} are how other
 * threads ask for the end; {@code snapshot}, {@code lastPollNanos}, {@code owner},
 * {@code loop} and {@code hasEnded} are how they see the owner. {@code hasEnded} is set
 * before the commands are cancelled, so that whoever adds one either finds it set or has
 * it cancelled.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
final class OwnerThread<K, V> implements Runnable {

	private static final Logger logger = LoggerFactory.getLogger(OwnerThread.class);

	private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

	private static final long NOT_STOPPING = Long.MIN_VALUE;

	private final String id;

	private final EngineConfig<K, V> config;

	private final EngineParts<K, V> parts;

	private final CompletionQueue<ConsumerRecord<K, V>> completions = new CompletionQueue<>();

	private final LongSupplier clock;

	private final RestartBackOff backOff;

	private final OwnerCommands<K, V> commands;

	private final CountDownLatch ended = new CountDownLatch(1);

	/** Open until the owner has heard of a stop. */
	private final CountDownLatch heard = new CountDownLatch(1);

	private final StopCallers callers = new StopCallers();

	/** Handed to the owner by the start of its thread. */
	private @Nullable Consumer<K, V> prepared;

	private volatile long stopBy = NOT_STOPPING;

	private volatile EngineSnapshot snapshot = EngineSnapshot.EMPTY;

	private volatile long lastPollNanos;

	private volatile @Nullable Throwable recoveryFailure;

	private volatile @Nullable Thread owner;

	private volatile boolean hasEnded;

	/** The loop of the living consumer; used by the owner, asked by others. */
	private volatile @Nullable ConsumerLoop<K, V> loop;

	OwnerThread(EngineConfig<K, V> config, OwnerCommands<K, V> commands) {
		this.id = config.id();
		this.config = config;
		this.clock = config.clock();
		this.commands = commands;
		this.backOff = new RestartBackOff(config.restartInitial(), config.restartMax());
		this.parts = EngineParts.create(config, this.completions, this.clock, new Waits(), this::unrecoverable);
	}

	@Override
	public void run() {
		this.owner = Thread.currentThread();
		StopCause cause = StopCause.ERROR;
		Throwable failure = null;
		try {
			while (true) {
				Ending ending = runOneConsumer();
				if (ending.cause != null) {
					cause = ending.cause;
					failure = ending.failure;
					return;
				}
			}
		}
		catch (Throwable ex) {
			failure = ex;
			logger.error("{}: the owner thread failed", this.id, ex);
		}
		finally {
			this.parts.dispatcher().close();
			this.parts.completions().close();
			this.owner = null;
			this.snapshot = EngineSnapshot.EMPTY;
			this.hasEnded = true;
			this.heard.countDown();
			this.commands.cancelAll();
			try {
				this.config.lifecycle().stopped(cause, failure);
			}
			finally {
				this.ended.countDown();
			}
		}
	}

	private Ending runOneConsumer() {
		Consumer<K, V> consumer = null;
		ConsumerLoop<K, V> loop = null;
		try {
			consumer = firstOrNew();
			loop = new ConsumerLoop<>(this.id, consumer, this.parts);
			this.loop = loop;
			if (this.config.lifecycle().subscribe(consumer, loop.rebalancer())) {
				loop.assignedByHand();
			}
			this.config.lifecycle().started();
			while (this.stopBy == NOT_STOPPING) {
				turn(loop);
				this.backOff.healthy(this.clock.getAsLong());
			}
			drainAndClose(consumer, loop);
			return asked(null);
		}
		catch (Throwable ex) {
			return failed(consumer, loop, ex);
		}
		finally {
			this.loop = null;
		}
	}

	private Consumer<K, V> firstOrNew() {
		Consumer<K, V> first = this.prepared;
		this.prepared = null;
		return (first != null) ? first : this.config.lifecycle().createConsumer();
	}

	private void turn(ConsumerLoop<K, V> loop) {
		try {
			runCommands(loop);
			loop.doWork();
			this.lastPollNanos = this.clock.getAsLong();
			this.snapshot = loop.snapshot();
			if (this.backOff.takeRefused()) {
				this.config.lifecycle().accepted();
			}
		}
		catch (AuthenticationException | AuthorizationException ex) {
			Duration pause = this.config.lifecycle().refused(ex);
			if (pause == null) {
				throw ex;
			}
			this.backOff.refused();
			logger.warn("{}: the brokers refuse this consumer; next poll in {} ms", this.id, pause.toMillis(), ex);
			sleep(pause);
		}
	}

	private void runCommands(ConsumerLoop<K, V> loop) {
		if (this.commands.runAll(loop)) {
			loop.asked();
		}
	}

	private void drainAndClose(Consumer<K, V> consumer, ConsumerLoop<K, V> loop) {
		this.heard.countDown();
		loop.stop(this.stopBy);
		while (!loop.isDrained() && this.clock.getAsLong() - this.stopBy < 0) {
			runCommands(loop);
			loop.doWork();
			this.snapshot = loop.snapshot();
			guarded(() -> this.callers.look(this.clock.getAsLong(), loop::isDrainedBut));
		}
		guarded(() -> this.config.lifecycle().stopping(consumer));
		loop.close(CLOSE_TIMEOUT);
	}

	private Ending failed(@Nullable Consumer<K, V> consumer, @Nullable ConsumerLoop<K, V> loop, Throwable failure) {
		// Left set it would fail each further wait and each further consumer.
		Thread.interrupted();
		this.loop = null;
		StopCause fatal = StopCause.of(failure);
		int assignments = (loop != null) ? loop.assignments() : 0;
		Duration pause = this.backOff.next(this.clock.getAsLong());
		long restartAt = this.clock.getAsLong() + pause.toNanos();
		if (loop != null) {
			if (fatal == StopCause.FENCED) {
				loop.fenced();
			}
			loop.abandon(drainWithin(pause), CLOSE_TIMEOUT);
		}
		else if (consumer != null) {
			closeQuietly(consumer);
		}
		this.snapshot = EngineSnapshot.EMPTY;
		if (loop != null && fatal != StopCause.FENCED) {
			this.parts.listener().reset(ResetCause.ERROR, assignments);
		}
		if (fatal != null) {
			logger.error("{}: the listener stops ({})", this.id, fatal, failure);
			return new Ending(fatal, failure);
		}
		if (this.stopBy != NOT_STOPPING) {
			logger.warn("{}: the consumer failed while the listener stopped", this.id, failure);
			return asked(failure);
		}
		Duration after = Duration.ofNanos(Math.max(0, restartAt - this.clock.getAsLong()));
		logger.error("{}: the consumer failed; its {} assignment(s) are reset and a new consumer is made in {} ms",
				this.id, assignments, after.toMillis(), failure);
		guarded(() -> this.config.lifecycle().restarting(failure, after));
		sleep(after);
		// Asked to stop meanwhile: no new consumer only to close it.
		return (this.stopBy != NOT_STOPPING) ? asked(failure) : new Ending(null, failure);
	}

	/**
	 * Nothing would be handled in the pause anyway, and what ends in it is not handled
	 * again.
	 */
	private Duration drainWithin(Duration pause) {
		Duration most = this.config.settings().drainTimeout();
		return (pause.compareTo(most) < 0) ? pause : most;
	}

	private Ending asked(@Nullable Throwable failure) {
		Throwable unrecovered = this.recoveryFailure;
		return (unrecovered != null) ? new Ending(StopCause.ofRecord(unrecovered), unrecovered)
				: new Ending(StopCause.REQUESTED, failure);
	}

	/**
	 * How the owner waits where it cannot poll. A handler in hand may ask something of
	 * the consumer, and a drain would wait for it in vain if nobody answered.
	 */
	private void answer() {
		ConsumerLoop<K, V> here = this.loop;
		if (here != null) {
			this.commands.runReads(here);
			if (this.stopBy != NOT_STOPPING) {
				guarded(() -> this.callers.look(this.clock.getAsLong(), here::isDrainedBut));
			}
		}
	}

	/** How the owner waits: answering, and looking after those that stop it, first. */
	private final class Waits implements OwnerWait {

		@Override
		public void await(long nanos) {
			answer();
			OwnerThread.this.completions.await(nanos);
		}

		@Override
		public void awaitSignal(long nanos) {
			answer();
			OwnerThread.this.completions.awaitSignal(nanos);
		}

	}

	private void guarded(Runnable action) {
		try {
			action.run();
		}
		catch (Throwable ex) {
			logger.error("{}: a life-cycle callback failed", this.id, ex);
		}
	}

	private void unrecoverable(Throwable failure) {
		this.recoveryFailure = failure;
		// Not the failure itself: its message may hold what the record held.
		logger.error("{}: a record could not be handled ({}), and the listener is set to stop for that", this.id,
				failure.getClass().getName());
		stop(this.config.settings().drainTimeout());
	}

	/** Make the first consumer, on the thread that will start this one. */
	void prepare() {
		this.prepared = this.config.lifecycle().createConsumer();
	}

	/** Ask for the end: records in hand are waited for. */
	void stop(Duration drainTimeout) {
		if (this.stopBy == NOT_STOPPING) {
			this.stopBy = this.clock.getAsLong() + drainTimeout.toNanos();
		}
	}

	/** A handler of this listener has asked for the end, and may wait for it. */
	void calledInside(Duration grace, Runnable told) {
		this.callers.add(this.clock.getAsLong() + grace.toNanos(), told);
	}

	/** Something other than a completion has changed: an owner that waits looks again. */
	void signal() {
		this.completions.signal();
	}

	EngineParts<K, V> parts() {
		return this.parts;
	}

	EngineSnapshot snapshot() {
		return this.snapshot;
	}

	long lastPollNanos() {
		return this.lastPollNanos;
	}

	/** Null between two consumers. */
	@Nullable ConsumerLoop<K, V> loop() {
		return this.loop;
	}

	boolean isCurrent() {
		return Thread.currentThread() == this.owner;
	}

	boolean hasEnded() {
		return this.hasEnded;
	}

	boolean awaitHeard(Duration timeout) throws InterruptedException {
		return this.heard.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
	}

	boolean awaitEnd(Duration timeout) throws InterruptedException {
		return this.ended.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
	}

	private void sleep(Duration time) {
		long until = this.clock.getAsLong() + time.toNanos();
		long left = time.toNanos();
		while (left > 0 && this.stopBy == NOT_STOPPING) {
			this.parts.completions().apply();
			this.parts.ownerWait().await(Math.min(left, TimeUnit.MILLISECONDS.toNanos(50)));
			left = until - this.clock.getAsLong();
		}
	}

	private void closeQuietly(Consumer<K, V> consumer) {
		try {
			consumer.close();
		}
		catch (RuntimeException ex) {
			logger.debug("{}: close failed", this.id, ex);
		}
	}

	private record Ending(@Nullable StopCause cause, @Nullable Throwable failure) {
	}

}
