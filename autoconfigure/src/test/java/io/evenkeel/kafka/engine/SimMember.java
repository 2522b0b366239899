package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import io.evenkeel.kafka.engine.dispatch.Worker;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;

/**
 * One member of the group: a real loop, dispatcher and worker, driven by hand. It does
 * what {@link ConsumerEngine} does around a loop: stops it, and replaces it when its
 * consumer fails.
 */
final class SimMember implements RecordHandler<String, String>, EngineCallbacks<String, String>, PauseRequests {

	final String id;

	final Set<TopicPartition> userPaused = new HashSet<>();

	final Dispatcher<ConsumerRecord<String, String>> dispatcher;

	final AssignmentTable<String, String> table = new AssignmentTable<>();

	final List<Open> open = new ArrayList<>();

	SimClient client;

	/** Whether the owner is on the stack: it cannot be entered again. */
	boolean busy;

	boolean stopping;

	boolean gone;

	long frozenUntil;

	long callbackStart;

	long callbackForeign;

	private final SimWorld world;

	private final Random random;

	private final EngineParts<String, String> parts;

	private final Worker<ConsumerRecord<String, String>> worker;

	private ConsumerLoop<String, String> loop;

	private long stopBy;

	SimMember(String id, SimWorld world) {
		this.id = id;
		this.world = world;
		this.random = world.random;
		CompletionQueue<ConsumerRecord<String, String>> completions = new CompletionQueue<>();
		EngineSettings settings = world.settings;
		this.dispatcher = new Dispatcher<>(completions, () -> world.now, settings.concurrency(), settings.batchSize());
		EngineListener listener = new EngineListener() {
		};
		RetryPlanner planner = new RetryPlanner(settings.retry(), (failure) -> failure instanceof Error,
				this.random::nextDouble);
		AttemptInvoker<String, String> invoker = new AttemptInvoker<>(this, planner,
				new Acknowledgments<>(settings.coverEarlier()), listener, (failure) -> {
				});
		this.worker = new Worker<>(this.dispatcher, invoker, () -> world.now, (assignment, bug) -> {
			throw new AssertionError("The invoker threw", bug);
		});
		this.parts = new EngineParts<>(this.table, this.dispatcher,
				new Completions<>(completions, listener, () -> world.now), this, this, listener, settings,
				new LaneKeys(settings.ordering(), (type) -> {
				}), this, () -> world.now, this::await, new RebalanceLog(Instant::now));
		connect();
	}

	private void connect() {
		ConsumerRebalanceListener[] listener = new ConsumerRebalanceListener[1];
		this.client = new SimClient(this, this.world, listener);
		this.loop = new ConsumerLoop<>(this.id, this.client.consumer, this.parts);
		listener[0] = this.loop.rebalancer();
		this.world.broker.join(this.client);
	}

	private void await(long nanos) {
		this.world.pass(nanos);
	}

	/** One turn of the owner. */
	void turn() {
		if (this.busy || this.gone || this.world.now < this.frozenUntil) {
			return;
		}
		this.busy = true;
		try {
			if (this.stopping && (this.loop.isDrained() || this.world.now - this.stopBy > 0)) {
				close();
				return;
			}
			this.loop.doWork();
			this.world.oracle.afterTurn(this);
		}
		catch (RuntimeException ex) {
			if (ex.getMessage() == null || !ex.getMessage().startsWith("Unexpected")) {
				throw ex;
			}
			this.world.oracle.replaced(this);
			this.loop.abandon(Duration.ZERO, Duration.ofSeconds(1));
			this.world.oracle.ended(this, null);
			if (this.stopping) {
				this.gone = true;
			}
			else {
				connect();
			}
		}
		finally {
			this.busy = false;
		}
	}

	private void close() {
		this.client.commitFailed = false;
		this.loop.close(Duration.ofSeconds(1));
		this.gone = true;
		this.world.oracle.closed(this);
	}

	void stop() {
		if (!this.stopping && !this.busy && !this.gone) {
			this.stopping = true;
			this.stopBy = this.world.now + this.world.settings.drainTimeout().toNanos();
			this.loop.stop(this.stopBy);
		}
	}

	/** The process dies; the group finds out later. */
	void crash() {
		this.gone = true;
		this.open.clear();
		this.dispatcher.close();
	}

	void freeze(long nanos) {
		this.frozenUntil = this.world.now + nanos;
	}

	boolean isFrozen() {
		return this.world.now < this.frozenUntil;
	}

	boolean work() {
		return !isFrozen() && this.worker.step();
	}

	/** A call that has not been answered. */
	static final class Open {

		final Attempt<String, String> attempt;

		boolean stuck;

		/** Returned, to be acknowledged. */
		boolean returned;

		Open(Attempt<String, String> attempt) {
			this.attempt = attempt;
		}

	}

	@Override
	public void handle(Attempt<String, String> attempt) {
		this.world.oracle.began(this, attempt);
		int choice = this.random.nextInt(100);
		if (choice < 20) {
			// Something else happens while the handler is inside its call.
			this.world.pass(TimeUnit.MILLISECONDS.toNanos(20));
		}
		if (this.gone) {
			return;
		}
		if (choice < this.world.asyncShare) {
			Open call = new Open(attempt);
			call.stuck = this.world.faults && this.random.nextInt(12) == 0 && this.world.mayStick(this);
			this.open.add(call);
		}
		else {
			answer(attempt);
		}
	}

	/** End an open call, one way or the other. */
	void answer(Attempt<String, String> attempt) {
		int choice = this.random.nextInt(100);
		if (choice < this.world.failureShare) {
			if (attempt.size() > 1 && this.random.nextBoolean()) {
				int index = this.random.nextInt(attempt.size());
				this.world.oracle.finished(this, attempt, index);
				attempt.failedAt(index, new IllegalStateException("no"));
			}
			else {
				this.world.oracle.finished(this, attempt, 0);
				attempt.failed((choice == 0) ? new AssertionError("no") : new IllegalStateException("no"));
			}
		}
		else if (choice < this.world.failureShare + 3) {
			this.world.oracle.finished(this, attempt, 0);
			attempt.again(Duration.ofMillis(this.random.nextInt(500)));
		}
		else {
			this.world.oracle.finished(this, attempt, attempt.size());
			attempt.succeeded();
		}
	}

	void completeOne() {
		List<Open> able = this.open.stream().filter((call) -> !call.stuck).toList();
		if (!able.isEmpty() && !isFrozen()) {
			Open call = able.get(this.random.nextInt(able.size()));
			this.open.remove(call);
			answer(call.attempt);
		}
	}

	@Override
	public void recover(RecoveryAttempt<String, String> recovery) {
		if (this.world.faults && this.random.nextInt(3) == 0) {
			throw new IllegalStateException("dead-letter topic is away");
		}
		this.world.oracle.recovered(this, recovery.record(), recovery.assignment());
		recovery.ended(this.random.nextBoolean() ? Recovery.DEAD_LETTERED : Recovery.SKIPPED);
	}

	@Override
	public ConsumerRecord<String, String> undeserializable(RecordDeserializationException failure) {
		throw new IllegalStateException();
	}

	@Override
	public boolean all() {
		return false;
	}

	@Override
	public boolean partition(TopicPartition partition) {
		return this.userPaused.contains(partition);
	}

	@Override
	public void revoked(Consumer<String, String> consumer, Collection<AssignedPartition> revoked) {
		this.world.oracle.ended(this, revoked);
	}

	@Override
	public void lost(Consumer<String, String> consumer, Collection<AssignedPartition> lost) {
		this.world.oracle.lost(this, lost);
	}

	/** Until when a hand-over that has just ended waits for records in hand. */
	long drainDeadline() {
		return this.stopping ? this.stopBy : this.callbackStart + this.world.settings.drainTimeout().toNanos();
	}

	String describe(TopicPartition partition) {
		PartitionState<String, String> state = this.table.get(partition);
		if (state == null) {
			return "no state, owned " + this.client.owned;
		}
		return state.assignment() + " " + this.dispatcher.load(state.assignment()) + " unfinished "
				+ state.assignment().tracker().unfinished() + " paused " + this.client.isPaused(partition)
				+ " restored " + state.isRestored() + " back-pressure " + state.isBackPressure() + " used "
				+ this.dispatcher.used() + "/" + this.world.settings + " stopping " + this.stopping + " evicted "
				+ this.client.evicted;
	}

	@Override
	public String toString() {
		return this.id;
	}

}
