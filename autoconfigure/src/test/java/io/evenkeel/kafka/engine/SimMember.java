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
import io.evenkeel.kafka.engine.dispatch.Outcome;
import io.evenkeel.kafka.engine.dispatch.Worker;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
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

	/** Calls that have returned and are to be acknowledged. */
	private final List<Attempt<String, String>> unacknowledged = new ArrayList<>();

	private final List<RecoveryAttempt<String, String>> recoveries = new ArrayList<>();

	/** How the records ended of which the engine has told; by outcome. */
	final int[] told = new int[Outcome.values().length];

	/** Records of assignments that had gone. */
	int toldStale;

	boolean allPaused;

	/** The most calls at once: what is begun stays when the limit falls. */
	private int mostUsed;

	private boolean stopAsked;

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
		EngineObserver listener = new EngineObserver() {

			@Override
			public void ended(String topic, Outcome outcome, long residenceNanos) {
				SimMember.this.told[outcome.ordinal()]++;
			}

			@Override
			public void stale(String topic) {
				SimMember.this.toldStale++;
			}

		};
		this.mostUsed = settings.concurrency();
		RetryPlanner planner = new RetryPlanner(settings.retry(), (failure) -> failure instanceof Error,
				this.random::nextDouble);
		AttemptInvoker<String, String> invoker = new AttemptInvoker<>(this, planner,
				new Acknowledgments<>(settings.coverEarlier()), listener, (failure) -> this.stopAsked = true);
		this.worker = new Worker<>(this.dispatcher, invoker, () -> world.now, (assignment, bug) -> {
			throw new AssertionError("The invoker threw", bug);
		});
		this.parts = new EngineParts<>(this.table, this.dispatcher,
				new Completions<>(completions, this.table, listener, () -> world.now), this, this, listener, settings,
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
		if (this.stopAsked) {
			stop();
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
			if (!this.client.simulated.contains(ex)) {
				throw ex;
			}
			replace(ex);
		}
		finally {
			this.busy = false;
		}
	}

	/** What the owner does about a consumer that has failed. */
	private void replace(RuntimeException failure) {
		boolean fenced = failure instanceof FencedInstanceIdException;
		this.world.oracle.replaced(this);
		if (fenced) {
			this.loop.fenced();
		}
		long drain = fenced ? 0 : this.random.nextInt((int) this.world.settings.drainTimeout().toMillis());
		this.loop.abandon(Duration.ofMillis(drain), Duration.ofSeconds(1));
		this.world.oracle.closed(this);
		this.world.oracle.ended(this, null);
		if (this.stopping || fenced) {
			this.gone = true;
		}
		else {
			connect();
		}
	}

	private void close() {
		this.client.handOver();
		this.world.oracle.callbackBegins(this);
		long left = Math.max(0, this.stopBy - this.world.now);
		this.loop.close(Duration.ofSeconds(1));
		this.world.oracle.closeEnds(this, left);
		this.gone = true;
		this.world.oracle.closed(this);
	}

	/** The application moves a partition, once or twice. */
	void seek() {
		if (this.busy || this.gone || this.stopping || this.client.evicted || this.world.moves == 0
				|| this.table.size() == 0) {
			return;
		}
		List<TopicPartition> partitions = this.table.view().stream().map(PartitionState::partition).toList();
		TopicPartition partition = partitions.get(this.random.nextInt(partitions.size()));
		for (int i = this.random.nextInt(3); i >= 0; i--) {
			seek(partition);
		}
	}

	private void seek(TopicPartition partition) {
		PartitionState<String, String> before = this.table.get(partition);
		if (before == null || before.assignment().isStopping() || !this.client.owned.contains(partition)) {
			return;
		}
		long target = this.random.nextInt((int) this.world.broker.logs.get(partition).end + 1);
		this.world.oracle.moved(this.client, partition, target, true);
		this.loop.seek(partition, (consumer) -> consumer.seek(partition, target));
		this.world.oracle.follows(this.table.get(partition).assignment(), before.assignment());
	}

	void limit(int limit) {
		if (!this.gone) {
			this.mostUsed = Math.max(limit, this.dispatcher.used());
			this.dispatcher.limit(limit);
		}
	}

	/** How many calls there may be now. */
	int mostUsed() {
		if (this.dispatcher.used() <= this.dispatcher.limit()) {
			this.mostUsed = this.dispatcher.limit();
		}
		return this.mostUsed;
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
		this.unacknowledged.clear();
		this.recoveries.clear();
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
		if (this.world.manual && this.random.nextInt(4) == 0) {
			acknowledge(attempt, this.random.nextInt(attempt.size()));
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
			fail(attempt, choice == 0);
		}
		else if (choice < this.world.failureShare + 3) {
			if (this.world.manual && attempt.size() > 1) {
				acknowledge(attempt, this.random.nextInt(attempt.size() - 1));
			}
			this.world.oracle.finished(attempt, 0, -1, -1);
			attempt.again(Duration.ofMillis(this.random.nextInt(500)));
		}
		else if (this.world.manual) {
			this.world.oracle.returned(attempt);
			attempt.returned();
			if (!attempt.isDone() || this.random.nextInt(8) == 0) {
				this.unacknowledged.add(attempt);
			}
		}
		else {
			this.world.oracle.finished(attempt, attempt.size(), -1, -1);
			attempt.succeeded();
		}
	}

	private void fail(Attempt<String, String> attempt, boolean fatal) {
		if (!this.world.manual && attempt.size() > 1 && this.random.nextBoolean()) {
			int index = this.random.nextInt(attempt.size());
			this.world.oracle.finished(attempt, index, index, index);
			attempt.failedAt(index, new IllegalStateException("no"));
		}
		else {
			this.world.oracle.finished(attempt, 0, 0, attempt.size() - 1);
			attempt.failed(fatal ? new AssertionError("no") : new IllegalStateException("no"));
		}
	}

	private void acknowledge(Attempt<String, String> attempt, int index) {
		this.world.oracle.acknowledged(attempt, index);
		attempt.acknowledge(index);
	}

	/** Any thread, in any order, whether the call is over or not. */
	void acknowledgeOne() {
		if (!this.unacknowledged.isEmpty() && !isFrozen()) {
			Attempt<String, String> attempt = this.unacknowledged.get(this.random.nextInt(this.unacknowledged.size()));
			acknowledge(attempt, this.random.nextInt(attempt.size()));
			if (this.random.nextInt(4) > 0) {
				this.unacknowledged.removeIf(Attempt::isDone);
			}
		}
	}

	/** Some thread or other ends a recovery. */
	private void answer(RecoveryAttempt<String, String> recovery) {
		boolean deadLettered = this.random.nextBoolean();
		if (this.world.faults && this.random.nextInt(4) == 0) {
			this.world.oracle.recovered(this, recovery.delivery(), null);
			recovery.failed(new IllegalStateException("dead-letter topic is away"));
		}
		else {
			this.world.oracle.recovered(this, recovery.delivery(),
					deadLettered ? Outcome.DEAD_LETTERED : Outcome.SKIPPED);
			recovery.ended(deadLettered ? Recovery.DEAD_LETTERED : Recovery.SKIPPED);
		}
		if (this.random.nextInt(8) == 0) {
			// Only the first answer counts.
			recovery.ended(Recovery.STOP);
		}
	}

	void recoverOne() {
		if (!this.recoveries.isEmpty() && !isFrozen()) {
			answer(this.recoveries.remove(this.random.nextInt(this.recoveries.size())));
		}
	}

	void acknowledgeAll() {
		this.unacknowledged.forEach((attempt) -> acknowledge(attempt, attempt.size() - 1));
		this.unacknowledged.clear();
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
		if (this.world.faults && this.random.nextInt(60) == 0) {
			recovery.ended(Recovery.STOP);
			return;
		}
		this.world.oracle.recoveryBegins(this, recovery.delivery());
		if (this.random.nextBoolean()) {
			this.recoveries.add(recovery);
		}
		else {
			answer(recovery);
		}
	}

	@Override
	public ConsumerRecord<String, String> undeserializable(RecordDeserializationException failure) {
		return new ConsumerRecord<>(failure.topicPartition().topic(), failure.topicPartition().partition(),
				failure.offset(), null, null);
	}

	@Override
	public boolean all() {
		return this.allPaused;
	}

	@Override
	public boolean partition(TopicPartition partition) {
		return this.userPaused.contains(partition);
	}

	@Override
	public long changes() {
		return this.userPaused.hashCode();
	}

	@Override
	public void assigned(Consumer<String, String> consumer, Collection<AssignedPartition> assigned) {
		if (this.world.faults && this.random.nextInt(60) < this.world.moves && !this.client.evicted) {
			assigned.forEach((partition) -> seek(partition.partition()));
		}
		fail();
	}

	@Override
	public void beforeCommit(Consumer<String, String> consumer, Collection<TopicPartition> partitions) {
		fail();
	}

	@Override
	public void revoked(Consumer<String, String> consumer, Collection<AssignedPartition> revoked) {
		this.world.oracle.ended(this, revoked);
		fail();
	}

	@Override
	public void lost(Consumer<String, String> consumer, Collection<AssignedPartition> lost) {
		this.world.oracle.lost(this, lost);
		fail();
	}

	/** Callbacks of the application throw whatever they like. */
	private void fail() {
		if (this.world.faults && this.random.nextInt(20) == 0) {
			if (this.random.nextBoolean()) {
				throw new AssertionError("the application's");
			}
			throw new IllegalStateException("the application's");
		}
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
