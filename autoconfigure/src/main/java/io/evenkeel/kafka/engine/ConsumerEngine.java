package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.engine.EngineListener.ResetCause;
import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import io.evenkeel.kafka.engine.dispatch.Worker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.UnreleasedInstanceIdException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine of one listener from its start to its end: one owner thread, which makes a
 * consumer, runs its loop, and when the consumer fails clears all state and makes a new
 * one after a back-off. It ends when it is asked to, or for a reason that no new consumer
 * can mend; it never ends silently.
 *
 * <h2>Threading</h2> {@link #run} is the owner thread. {@link #stop}, {@link #execute},
 * {@link #seek}, {@link #limit} and the getters may be called from any thread.
 *
 * <h2>Why each volatile</h2> {@code stopBy} is how other threads ask for the end;
 * {@code snapshot}, {@code lastPollNanos} and {@code state} are how they see the owner.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public final class ConsumerEngine<K, V> implements Runnable {

	private static final Logger logger = LoggerFactory.getLogger(ConsumerEngine.class);

	private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

	private static final long REFUSAL_LOG_NANOS = TimeUnit.MINUTES.toNanos(1);

	private static final long NOT_STOPPING = Long.MIN_VALUE;

	private final String id;

	private final EngineConfig<K, V> config;

	private final EngineParts<K, V> parts;

	private final CompletionQueue<ConsumerRecord<K, V>> completions = new CompletionQueue<>();

	private final Dispatcher<ConsumerRecord<K, V>> dispatcher;

	private final RebalanceLog log = new RebalanceLog(Instant::now);

	private final LongSupplier clock = System::nanoTime;

	private final RestartBackOff backOff;

	private final Queue<Command<K, V>> commands = new ConcurrentLinkedQueue<>();

	private final AtomicLong lastRefusal = new AtomicLong();

	private final CountDownLatch ended = new CountDownLatch(1);

	private volatile long stopBy = NOT_STOPPING;

	private volatile EngineSnapshot snapshot = EngineSnapshot.EMPTY;

	private volatile long lastPollNanos;

	private volatile @Nullable Throwable recoveryFailure;

	private volatile @Nullable Thread owner;

	private volatile boolean hasEnded;

	/** The loop of the living consumer; used by the owner, asked by others. */
	private volatile @Nullable ConsumerLoop<K, V> loop;

	/**
	 * Make an engine; nothing runs yet.
	 * @param config its collaborators and settings
	 */
	public ConsumerEngine(EngineConfig<K, V> config) {
		this.id = config.id();
		this.config = config;
		this.backOff = new RestartBackOff(config.restartInitial(), config.restartMax());
		EngineSettings settings = config.settings();
		CompletionQueue<ConsumerRecord<K, V>> completions = this.completions;
		this.dispatcher = new Dispatcher<>(completions, this.clock, settings.concurrency(), settings.batchSize());
		EngineListener listener = new GuardedListener(config.id(), config.listener());
		AttemptInvoker<K, V> invoker = new AttemptInvoker<>(config.handler(), config.planner(),
				new Acknowledgments<>(settings.coverEarlier()), listener, this.clock, this::unrecoverable);
		this.dispatcher.attach(new Worker<>(this.dispatcher, invoker, this.clock, (assignment, bug) -> logger
			.error("{}: a call for {} failed beyond its handler; it is called again", this.id, assignment, bug)),
				config.workers(), this::workerRefused);
		LaneKeys laneKeys = new LaneKeys(settings.ordering(),
				(type) -> logger.warn("{}: keys of {} cannot be compared (no equals and hashCode of its own): their "
						+ "records keep the order of the partition", this.id, type.getName()));
		this.parts = new EngineParts<>(new AssignmentTable<>(), this.dispatcher,
				new Completions<>(completions, listener, this.clock), config.handler(), config.callbacks(), listener,
				settings, laneKeys, config.pauseRequests(), this.clock, this::await, this.log);
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
			this.dispatcher.close();
			this.owner = null;
			this.snapshot = EngineSnapshot.EMPTY;
			this.hasEnded = true;
			cancelCommands();
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
			consumer = this.config.lifecycle().createConsumer();
			loop = new ConsumerLoop<>(this.id, consumer, this.parts);
			this.loop = loop;
			if (this.config.lifecycle().subscribe(consumer, loop.rebalancer())) {
				loop.assignedByHand();
			}
			this.config.lifecycle().started();
			while (this.stopBy == NOT_STOPPING) {
				turn(consumer, loop);
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

	private void turn(Consumer<K, V> consumer, ConsumerLoop<K, V> loop) {
		try {
			runCommands(consumer, loop);
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

	private void drainAndClose(Consumer<K, V> consumer, ConsumerLoop<K, V> loop) {
		guarded(() -> this.config.lifecycle().stopping(consumer));
		loop.stop(this.stopBy);
		while (!loop.isDrained() && this.clock.getAsLong() - this.stopBy < 0) {
			runCommands(consumer, loop);
			loop.doWork();
			this.snapshot = loop.snapshot();
		}
		loop.close(CLOSE_TIMEOUT);
	}

	private Ending failed(@Nullable Consumer<K, V> consumer, @Nullable ConsumerLoop<K, V> loop, Throwable failure) {
		// Left set it would fail each further wait and each further consumer.
		Thread.interrupted();
		this.loop = null;
		StopCause fatal = fatal(failure);
		int assignments = (loop != null) ? loop.assignments() : 0;
		if (loop != null) {
			if (fatal == StopCause.FENCED) {
				loop.fenced();
			}
			loop.abandon(CLOSE_TIMEOUT);
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
		Duration after = this.backOff.next(this.clock.getAsLong());
		logger.error("{}: the consumer failed; its {} assignment(s) are reset and a new consumer is made in {} ms",
				this.id, assignments, after.toMillis(), failure);
		guarded(() -> this.config.lifecycle().restarting(failure, after));
		sleep(after);
		// Asked to stop meanwhile: no new consumer only to close it.
		return (this.stopBy != NOT_STOPPING) ? asked(failure) : new Ending(null, failure);
	}

	private Ending asked(@Nullable Throwable failure) {
		Throwable unrecovered = this.recoveryFailure;
		return (unrecovered != null) ? new Ending(StopCause.RECOVERY, unrecovered)
				: new Ending(StopCause.REQUESTED, failure);
	}

	private @Nullable StopCause fatal(Throwable failure) {
		if (failure instanceof FencedInstanceIdException || failure instanceof UnreleasedInstanceIdException) {
			return StopCause.FENCED;
		}
		if (failure instanceof InvalidOffsetException) {
			return StopCause.NO_OFFSET;
		}
		if (failure instanceof AuthenticationException || failure instanceof AuthorizationException) {
			return StopCause.AUTH;
		}
		return null;
	}

	private void runCommands(Consumer<K, V> consumer, ConsumerLoop<K, V> loop) {
		Command<K, V> command = this.commands.poll();
		while (command != null) {
			try {
				command.action.accept(consumer, loop);
			}
			catch (RuntimeException ex) {
				logger.error("{}: what was asked of the consumer failed", this.id, ex);
			}
			command = this.commands.poll();
		}
	}

	/**
	 * How the owner waits where it cannot poll. A handler in hand may ask something of
	 * the consumer, and a drain would wait for it in vain if nobody answered.
	 */
	private void await(long nanos) {
		runReads();
		this.completions.await(nanos);
	}

	private void runReads() {
		ConsumerLoop<K, V> here = this.loop;
		if (here == null || this.commands.isEmpty()) {
			return;
		}
		for (Iterator<Command<K, V>> pending = this.commands.iterator(); pending.hasNext();) {
			Command<K, V> command = pending.next();
			if (command.isRead) {
				pending.remove();
				command.action.accept(here.consumer(), here);
			}
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

	private void workerRefused(Throwable failure) {
		long now = this.clock.getAsLong();
		long last = this.lastRefusal.get();
		if ((last == 0 || now - last > REFUSAL_LOG_NANOS) && this.lastRefusal.compareAndSet(last, now)) {
			logger.warn("{}: no thread for a further worker; the calls go on with those there are", this.id, failure);
		}
	}

	private void cancelCommands() {
		Command<K, V> command = this.commands.poll();
		while (command != null) {
			command.cancel.run();
			command = this.commands.poll();
		}
	}

	private void unrecoverable(Throwable failure) {
		this.recoveryFailure = failure;
		// Not the failure itself: its message may hold what the record held.
		logger.error("{}: a record could not be handled ({}) and recovery is set to stop the listener", this.id,
				failure.getClass().getName());
		stop(this.config.settings().drainTimeout());
	}

	/**
	 * Ask for the end: records in hand are waited for, then everything is committed and
	 * the group is left. Returns at once.
	 * @param drainTimeout the longest wait for records in hand
	 */
	public void stop(Duration drainTimeout) {
		if (this.stopBy == NOT_STOPPING) {
			this.stopBy = this.clock.getAsLong() + drainTimeout.toNanos();
		}
	}

	/**
	 * Run something with the consumer on the owner thread, between two polls.
	 * @param action what to do
	 * @param <T> the type of the result
	 * @return completed on the owner thread
	 */
	public <T extends @Nullable Object> CompletableFuture<T> execute(Function<Consumer<K, V>, T> action) {
		CompletableFuture<T> result = new CompletableFuture<>();
		this.commands.add(new Command<>((consumer, loop) -> {
			try {
				result.complete(action.apply(consumer));
			}
			catch (Throwable ex) {
				result.completeExceptionally(ex);
			}
		}, () -> result.completeExceptionally(new IllegalStateException("The listener has stopped")), true));
		this.completions.signal();
		if (this.hasEnded) {
			cancelCommands();
		}
		return result;
	}

	/**
	 * Move a partition: see {@code ConsumerSeekAware}. Takes effect at once inside a
	 * callback on the owner thread, otherwise before the next poll.
	 * @param partition an assigned partition
	 * @param move does the seek, given the consumer
	 */
	public void seek(TopicPartition partition, java.util.function.Consumer<Consumer<K, V>> move) {
		ConsumerLoop<K, V> here = this.loop;
		if (here != null && isOwner()) {
			here.seek(partition, move);
			return;
		}
		this.commands.add(new Command<>((consumer, loop) -> loop.seek(partition, move), () -> {
		}, false));
	}

	/**
	 * Change the most calls at once. Takes effect immediately; calls already begun end.
	 * @param limit at least 1
	 */
	public void limit(int limit) {
		this.dispatcher.limit(limit);
	}

	/**
	 * The most calls at once now.
	 * @return at least 1
	 */
	public int limit() {
		return this.dispatcher.limit();
	}

	/**
	 * The calls not finished.
	 * @return 0 or more
	 */
	public int used() {
		return this.dispatcher.used();
	}

	/**
	 * The state at the end of a recent turn.
	 * @return empty before the first turn and after the end
	 */
	public EngineSnapshot snapshot() {
		return this.snapshot;
	}

	/**
	 * Whether a rebalance callback is running.
	 * @return true inside one
	 */
	public boolean isRebalancing() {
		ConsumerLoop<K, V> current = this.loop;
		return current != null && current.rebalancer().isActive();
	}

	/**
	 * When the last poll returned.
	 * @return {@link System#nanoTime()}, 0 before the first
	 */
	public long lastPollNanos() {
		return this.lastPollNanos;
	}

	/**
	 * The last rebalances.
	 * @return at most 50, oldest first
	 */
	public RebalanceLog rebalances() {
		return this.log;
	}

	/**
	 * Whether the calling thread is the owner.
	 * @return true inside callbacks
	 */
	public boolean isOwner() {
		return Thread.currentThread() == this.owner;
	}

	/**
	 * Run something on the owner thread: at once when called there, otherwise between two
	 * polls.
	 * @param action given the consumer
	 */
	public void onOwner(java.util.function.Consumer<Consumer<K, V>> action) {
		ConsumerLoop<K, V> here = this.loop;
		if (here != null && isOwner()) {
			action.accept(here.consumer());
		}
		else {
			execute((consumer) -> {
				action.accept(consumer);
				return null;
			});
		}
	}

	/**
	 * Wait for the end.
	 * @param timeout the longest wait
	 * @return whether the engine has ended
	 * @throws InterruptedException when interrupted while waiting
	 */
	public boolean awaitEnd(Duration timeout) throws InterruptedException {
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

	private record Command<K, V>(BiConsumer<Consumer<K, V>, ConsumerLoop<K, V>> action, Runnable cancel,
			boolean isRead) {
	}

	private record Ending(@Nullable StopCause cause, @Nullable Throwable failure) {
	}

}
