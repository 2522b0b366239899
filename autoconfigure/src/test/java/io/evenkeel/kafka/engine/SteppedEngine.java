package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import io.evenkeel.kafka.engine.dispatch.Worker;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RecordDeserializationException;

/**
 * A loop that a test steps by hand: mock consumer, manual clock, workers on the test's
 * thread, and a note of all that was told to the outside.
 */
final class SteppedEngine
		implements RecordHandler<String, String>, EngineCallbacks<String, String>, PauseRequests, EngineObserver {

	static final TopicPartition P0 = new TopicPartition("t", 0);

	static final TopicPartition P1 = new TopicPartition("t", 1);

	long now = 1_000_000_000_000L;

	final Client consumer = new Client();

	final AssignmentTable<String, String> table = new AssignmentTable<>();

	final List<String> events = new ArrayList<>();

	final List<Attempt<String, String>> calls = new ArrayList<>();

	final Set<TopicPartition> paused = new HashSet<>();

	/** Offsets whose recovery fails. */
	final Set<Long> unrecoverable = new HashSet<>();

	final Dispatcher<ConsumerRecord<String, String>> dispatcher;

	final Worker<ConsumerRecord<String, String>> worker;

	final ConsumerLoop<String, String> loop;

	/** What a call of the handler does; by default it stays open. */
	Consumer<Attempt<String, String>> handler = (attempt) -> {
	};

	/** What a recovery does; by default it succeeds at once. */
	Consumer<RecoveryAttempt<String, String>> recoverer = (recovery) -> recovery.ended(Recovery.DEAD_LETTERED);

	/** What happens while the owner waits. */
	Runnable whileWaiting = () -> {
	};

	Runnable onAssigned = () -> {
	};

	Runnable onRevoke = () -> {
	};

	Runnable onEnded = () -> {
	};

	/** An assertion that failed where the engine catches whatever is thrown. */
	private AssertionError swallowed;

	SteppedEngine() {
		this(settings(Ordering.KEY, 8, 100));
	}

	SteppedEngine(EngineSettings settings) {
		this(settings, (own) -> own);
	}

	/**
	 * Step an engine that others observe as well.
	 * @param settings its settings
	 * @param observed puts something around what this one hears
	 */
	SteppedEngine(EngineSettings settings, UnaryOperator<EngineObserver> observed) {
		EngineObserver told = observed.apply(this);
		CompletionQueue<ConsumerRecord<String, String>> completions = new CompletionQueue<>();
		this.dispatcher = new Dispatcher<>(completions, () -> this.now, settings.concurrency(), settings.batchSize());
		RetryPlanner planner = new RetryPlanner(settings.retry(), (failure) -> false, () -> 0.5);
		AttemptInvoker<String, String> invoker = new AttemptInvoker<>(this, planner,
				new Acknowledgments<>(settings.coverEarlier()), told, (failure) -> this.events.add("stop"));
		this.worker = new Worker<>(this.dispatcher, invoker, () -> this.now,
				(assignment, bug) -> this.events.add("bug " + bug));
		EngineParts<String, String> parts = new EngineParts<>(this.table, this.dispatcher,
				new Completions<>(completions, this.table, told, () -> this.now), this, this,
				new GuardedObserver("l", told), settings,
				new LaneKeys(settings.ordering(), (type) -> this.events.add("keys " + type.getSimpleName())), this,
				() -> this.now, this::await, new RebalanceLog(Instant::now));
		this.loop = new ConsumerLoop<>("l", this.consumer, parts);
		this.consumer.subscribe(List.of("t"), this.loop.rebalancer());
		this.consumer.updateBeginningOffsets(new HashMap<>(Map.of(P0, 0L, P1, 0L)));
	}

	static EngineSettings settings(Ordering ordering, int concurrency, int maxPending) {
		return settings(ordering, concurrency, maxPending, 0, false);
	}

	static EngineSettings settings(Ordering ordering, int concurrency, int maxPending, int batchSize,
			boolean coverEarlier) {
		return new EngineSettings(ordering, concurrency, batchSize, maxPending, 64L << 20, Duration.ofSeconds(1),
				Duration.ofSeconds(5), true, Duration.ofSeconds(10), OnDrainTimeout.ABANDON, Duration.ofMillis(100),
				new RetrySettings(3, Duration.ofMillis(100), 2, Duration.ofSeconds(1), 0), true, false, coverEarlier,
				true);
	}

	private void await(long nanos) {
		this.now += Math.max(1, nanos);
		this.whileWaiting.run();
	}

	/** Own exactly these, beginning with the next poll. */
	void own(TopicPartition... partitions) {
		this.consumer.rebalance(List.of(partitions));
		throwSwallowed();
	}

	private void noticing(Runnable callback) {
		try {
			callback.run();
		}
		catch (AssertionError ex) {
			// Some are thrown to see what becomes of errors.
			this.swallowed = "simulated".equals(ex.getMessage()) ? this.swallowed : ex;
			throw ex;
		}
	}

	private void throwSwallowed() {
		AssertionError failure = this.swallowed;
		if (failure != null) {
			this.swallowed = null;
			throw failure;
		}
	}

	void produce(TopicPartition partition, long from, int count) {
		for (long offset = from; offset < from + count; offset++) {
			produce(partition, offset, "k" + offset);
		}
	}

	void produce(TopicPartition partition, long offset, String key) {
		this.consumer.addRecord(new ConsumerRecord<>(partition.topic(), partition.partition(), offset, key, "v"));
	}

	/** Turns of owner and workers until nothing is left to do at this time. */
	void turn() {
		for (int i = 0; i < 30; i++) {
			this.loop.doWork();
			while (this.worker.step()) {
				Thread.onSpinWait();
			}
		}
		throwSwallowed();
	}

	void pass(Duration time) {
		this.now += time.toNanos();
		turn();
	}

	/** Time enough to handle and then to commit. */
	void settle() {
		pass(Duration.ofSeconds(2));
		pass(Duration.ofSeconds(2));
	}

	/** The open call for an offset. */
	Attempt<String, String> call(TopicPartition partition, long offset) {
		return this.calls.stream()
			.filter((call) -> !call.isOver() && call.record().offset() == offset
					&& call.record().partition() == partition.partition())
			.findFirst()
			.orElseThrow(() -> new AssertionError("No open call for " + partition + "@" + offset));
	}

	List<Long> called(TopicPartition partition) {
		return this.calls.stream()
			.filter((call) -> call.record().partition() == partition.partition())
			.map((call) -> call.record().offset())
			.toList();
	}

	long committed(TopicPartition partition) {
		OffsetAndMetadata offset = this.consumer.stored.get(partition);
		return (offset != null) ? offset.offset() : -1;
	}

	PartitionState<String, String> state(TopicPartition partition) {
		PartitionState<String, String> state = this.table.get(partition);
		if (state == null) {
			throw new AssertionError("No state of " + partition);
		}
		return state;
	}

	@Override
	public void handle(Attempt<String, String> attempt) {
		this.calls.add(attempt);
		noticing(() -> this.handler.accept(attempt));
	}

	@Override
	public void retried(io.evenkeel.kafka.engine.dispatch.Delivery<ConsumerRecord<String, String>> delivery,
			Duration after, Throwable failure) {
		this.events.add("retried " + delivery.offset() + ": " + failure.getClass().getSimpleName());
	}

	@Override
	public void recover(RecoveryAttempt<String, String> recovery) {
		if (this.unrecoverable.contains(recovery.record().offset())) {
			this.events.add("not recovered " + recovery.record().offset());
			throw new IllegalStateException("simulated");
		}
		this.events.add("recover " + recovery.record().offset());
		this.recoverer.accept(recovery);
	}

	@Override
	public ConsumerRecord<String, String> undeserializable(RecordDeserializationException failure) {
		return new ConsumerRecord<>(failure.topicPartition().topic(), failure.topicPartition().partition(),
				failure.offset(), null, null);
	}

	@Override
	public boolean all() {
		return false;
	}

	@Override
	public boolean partition(TopicPartition partition) {
		return this.paused.contains(partition);
	}

	@Override
	public long changes() {
		return this.paused.hashCode();
	}

	@Override
	public void assigned(org.apache.kafka.clients.consumer.Consumer<String, String> consumer,
			Collection<AssignedPartition> assigned) {
		this.events.add("assigned " + assigned.stream().map(AssignedPartition::partition).toList());
		noticing(this.onAssigned);
	}

	@Override
	public void beforeCommit(org.apache.kafka.clients.consumer.Consumer<String, String> consumer,
			Collection<TopicPartition> partitions) {
		noticing(this.onRevoke);
	}

	@Override
	public void revoked(org.apache.kafka.clients.consumer.Consumer<String, String> consumer,
			Collection<AssignedPartition> revoked) {
		this.events.add("revoked " + revoked.stream().map(AssignedPartition::partition).toList());
	}

	@Override
	public void lost(org.apache.kafka.clients.consumer.Consumer<String, String> consumer,
			Collection<AssignedPartition> lost) {
		this.events.add("lost " + lost.stream().map(AssignedPartition::partition).toList());
	}

	@Override
	public void drained(boolean clean, long nanos, int drained, int dropped, int abandoned) {
		this.events.add("drained " + drained + " dropped " + dropped + " abandoned " + abandoned);
	}

	@Override
	public void stale(String topic) {
		this.events.add("stale");
	}

	@Override
	public void ended(String topic, Outcome outcome, long residenceNanos) {
		this.events.add("ended " + outcome);
		noticing(this.onEnded);
	}

	@Override
	public void committed(CommitResult result, long nanos) {
		this.events.add("commit " + result);
	}

	@Override
	public void reset(ResetCause cause, int partitions) {
		this.events.add("reset " + cause + " " + partitions);
	}

	@Override
	public void lagKnown(TopicPartition partition) {
		this.events.add("lag known " + partition);
	}

	@Override
	public void metadataIgnored() {
		this.events.add("metadata ignored");
	}

	/**
	 * A mock consumer whose commits fail on demand and are stored with their metadata.
	 */
	static class Client extends MockConsumer<String, String> {

		final Map<TopicPartition, OffsetAndMetadata> stored = new ConcurrentHashMap<>();

		/** What the next commits fail with; null for a success. */
		final ArrayDeque<RuntimeException> commitFailures = new ArrayDeque<>();

		/** What the next background commits throw instead of being sent. */
		final ArrayDeque<RuntimeException> asyncThrows = new ArrayDeque<>();

		/** Above so many characters of metadata a commit is refused. */
		int mostMetadata = Integer.MAX_VALUE;

		final ArrayDeque<RuntimeException> committedFailures = new ArrayDeque<>();

		final ArrayDeque<RuntimeException> pollFailures = new ArrayDeque<>();

		final List<Map<TopicPartition, OffsetAndMetadata>> asyncs = new ArrayList<>();

		final List<Map<TopicPartition, OffsetAndMetadata>> syncs = new ArrayList<>();

		/** When set, background commits are not answered until it is run. */
		boolean holdAnswers;

		Runnable answer;

		Set<TopicPartition> reportedAssignment;

		/** When set, a seek backwards brings again what was polled, as a broker does. */
		boolean keepsRecords;

		/** What the last poll with records of a partition has brought. */
		private final Map<TopicPartition, List<ConsumerRecord<String, String>>> polled = new HashMap<>();

		Client() {
			super("earliest");
		}

		@Override
		public synchronized ConsumerRecords<String, String> poll(Duration timeout) {
			if (!this.pollFailures.isEmpty()) {
				throw this.pollFailures.remove();
			}
			ConsumerRecords<String, String> records = super.poll(Duration.ZERO);
			records.partitions().forEach((partition) -> this.polled.put(partition, records.records(partition)));
			return records;
		}

		@Override
		public synchronized void seek(TopicPartition partition, long offset) {
			super.seek(partition, offset);
			if (this.keepsRecords) {
				List<ConsumerRecord<String, String>> last = this.polled.getOrDefault(partition, List.of());
				last.stream().filter((record) -> record.offset() >= offset).forEach(this::addRecord);
			}
		}

		@Override
		public synchronized Set<TopicPartition> assignment() {
			return (this.reportedAssignment != null) ? this.reportedAssignment : super.assignment();
		}

		@Override
		public synchronized void commitAsync(Map<TopicPartition, OffsetAndMetadata> offsets,
				OffsetCommitCallback callback) {
			if (!this.asyncThrows.isEmpty()) {
				throw this.asyncThrows.remove();
			}
			Map<TopicPartition, OffsetAndMetadata> copy = Map.copyOf(offsets);
			this.asyncs.add(copy);
			RuntimeException failure = nextFailure(offsets);
			Runnable answer = () -> {
				if (failure == null) {
					store(copy);
				}
				callback.onComplete(copy, failure);
			};
			if (this.holdAnswers) {
				this.answer = answer;
			}
			else {
				answer.run();
			}
		}

		@Override
		public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
			if (this.answer != null) {
				Runnable waiting = this.answer;
				this.answer = null;
				waiting.run();
			}
			this.syncs.add(Map.copyOf(offsets));
			RuntimeException failure = nextFailure(offsets);
			if (failure != null) {
				throw failure;
			}
			store(offsets);
		}

		private RuntimeException nextFailure(Map<TopicPartition, OffsetAndMetadata> offsets) {
			boolean fits = offsets.values()
				.stream()
				.allMatch((offset) -> offset.metadata().length() <= this.mostMetadata);
			return fits ? this.commitFailures.poll() : new OffsetMetadataTooLarge("simulated");
		}

		/** What the group has committed, for this member and for those before it. */
		void store(Map<TopicPartition, OffsetAndMetadata> offsets) {
			this.stored.putAll(offsets);
			super.commitAsync(offsets, null);
		}

		@Override
		public synchronized Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions,
				Duration timeout) {
			if (!this.committedFailures.isEmpty()) {
				throw this.committedFailures.remove();
			}
			Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>();
			partitions.forEach((partition) -> found.put(partition, this.stored.get(partition)));
			return found;
		}

	}

}
