package io.evenkeel.kafka.watch;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.engine.RunningCall;
import io.evenkeel.kafka.producer.FailureReason;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of one listener from one look to the next, and the state that
 * follows.
 *
 * <h2>Threading</h2> {@link #look} is the watch's; {@link #report} may be asked by any
 * thread, and reads what the looks have left.
 */
final class Watched {

	/** Held back for less is how a busy listener works. */
	private static final long HELD_NANOS = TimeUnit.SECONDS.toNanos(5);

	/** How long nobody is asked once more whether a topic exists. */
	private static final long TOPIC_NANOS = TimeUnit.SECONDS.toNanos(10);

	/** A first assignment may be empty, and some protocols do not tell of it. */
	private static final long JOIN_NANOS = TimeUnit.SECONDS.toNanos(10);

	private static final int MOST_TOPICS = 20;

	private final EvenkeelContainer<?, ?> container;

	private final HandlerWatch handlers;

	private final Connection connection;

	private volatile long heldSince;

	private volatile long startedNanos;

	private volatile List<String> missing = List.of();

	private long askedNanos;

	private @Nullable CompletableFuture<List<String>> asked;

	private @Nullable ListenerState told;

	private long toldNanos;

	Watched(EvenkeelContainer<?, ?> container, long now) {
		this.container = container;
		this.handlers = new HandlerWatch(container.getListenerId());
		this.connection = new Connection(now);
		this.askedNanos = now - TOPIC_NANOS;
		this.toldNanos = now;
	}

	/** Once in a while. */
	void look(long now) {
		HandlerSettings settings = this.container.handlerSettings();
		if (settings != null) {
			this.handlers.look(this.container.runningCalls(), settings);
		}
		if (!this.container.isChildRunning()) {
			this.connection.restart(now);
			this.heldSince = 0;
			this.missing = List.of();
			this.startedNanos = 0;
			return;
		}
		if (this.startedNanos == 0) {
			this.startedNanos = now;
			this.connection.restart(now);
		}
		EngineSnapshot snapshot = this.container.snapshot();
		if (asksNothing(snapshot)) {
			this.connection.idle(now);
		}
		this.connection.look(this.container.metrics(), now);
		held(snapshot, now);
		topics(snapshot, now);
	}

	/** Without a group and with all partitions paused a client has nothing to say. */
	private boolean asksNothing(EngineSnapshot snapshot) {
		return this.container.getContainerProperties().getTopicPartitions() != null && !snapshot.partitions().isEmpty()
				&& snapshot.partitions().stream().allMatch((each) -> each.userPaused() || each.backPressure());
	}

	private void held(EngineSnapshot snapshot, long now) {
		boolean held = !snapshot.partitions().isEmpty()
				&& snapshot.partitions().stream().allMatch((each) -> each.backPressure() && !each.userPaused());
		if (!held) {
			this.heldSince = 0;
		}
		else if (this.heldSince == 0) {
			this.heldSince = now;
		}
	}

	private void topics(EngineSnapshot snapshot, long now) {
		String[] topics = this.container.getContainerProperties().getTopics();
		if (!snapshot.partitions().isEmpty() || topics == null || topics.length > MOST_TOPICS
				|| !this.connection.hasAnswered()) {
			this.missing = List.of();
			this.asked = null;
			return;
		}
		CompletableFuture<List<String>> running = this.asked;
		if (running != null && running.isDone()) {
			this.asked = null;
			this.missing = running.isCompletedExceptionally() ? List.of() : running.join();
		}
		if (this.asked == null && now - this.askedNanos >= TOPIC_NANOS) {
			this.askedNanos = now;
			this.asked = this.container.missingTopics(Arrays.asList(topics));
		}
	}

	/** What it is doing now. */
	ListenerReport report(long now) {
		EvenkeelContainer<?, ?> ours = this.container;
		EvenkeelContainer.Failure failure = ours.failure();
		if (failure != null) {
			Throwable why = failure.failure();
			return of(ListenerState.FAILED,
					failure.cause() + ((why != null) ? " (" + why.getClass().getName() + ")" : ""));
		}
		if (!ours.isRunning()) {
			return ours.isInExpectedState() ? of(ListenerState.STOPPED, null)
					: of(ListenerState.FAILED, "stopped abnormally");
		}
		if (!ours.isChildRunning()) {
			return of(ListenerState.STOPPED, null);
		}
		long silent = (this.startedNanos != 0) ? this.connection.silentNanos(now) : 0;
		Duration silence = (silent > 0) ? Duration.ofNanos(silent) : null;
		if (ours.isRebalancing()) {
			return new ListenerReport(ListenerState.REBALANCING, null, silence);
		}
		if (ours.isPauseRequested()) {
			return new ListenerReport(ListenerState.PAUSED, "paused by hand", silence);
		}
		if (silence != null) {
			return new ListenerReport(ListenerState.NO_BROKER, noBroker(silence), silence);
		}
		return working(ours.snapshot(), now);
	}

	private ListenerReport working(EngineSnapshot snapshot, long now) {
		// The snapshot is a moment behind what the application was told.
		if (snapshot.partitions().isEmpty() && this.container.getAssignedPartitions().isEmpty()) {
			List<String> missing = this.missing;
			if (!missing.isEmpty()) {
				return of(ListenerState.MISSING_TOPIC, "brokers know no topic " + String.join(", ", missing));
			}
			return hasJoined(snapshot, now) ? of(ListenerState.NO_PARTITIONS, "all partitions are with other members")
					: of(ListenerState.JOINING, restarting());
		}
		RunningCall stuck = slowest();
		if (stuck != null) {
			return of(ListenerState.STUCK, "a call for " + stuck.partition() + "@" + stuck.offset()
					+ " has been running for " + HandlerWatch.text(Duration.ofNanos(stuck.ageNanos())));
		}
		long held = this.heldSince;
		if (held != 0 && now - held >= HELD_NANOS) {
			return of(ListenerState.BACKPRESSURE, "all partitions have been held back for "
					+ HandlerWatch.text(Duration.ofNanos(now - held)) + ": the handler is slower than records come");
		}
		return of(ListenerState.RUNNING, null);
	}

	private boolean hasJoined(EngineSnapshot snapshot, long now) {
		if (!this.container.rebalances().isEmpty()) {
			return true;
		}
		long started = this.startedNanos;
		return !snapshot.memberId().isEmpty() && this.connection.hasAnswered() && started != 0
				&& now - started >= JOIN_NANOS;
	}

	private @Nullable String restarting() {
		Throwable cause = this.container.restartCause();
		return (cause != null) ? "the consumer failed and is made anew (" + cause.getClass().getName() + ")" : null;
	}

	private @Nullable RunningCall slowest() {
		HandlerSettings settings = this.container.handlerSettings();
		if (settings == null || settings.warnAfter().isZero()) {
			return null;
		}
		RunningCall slowest = null;
		for (RunningCall call : this.container.runningCalls()) {
			if (call.isHandler() && call.ageNanos() >= settings.warnAfter().toNanos()
					&& (slowest == null || call.ageNanos() > slowest.ageNanos())) {
				slowest = call;
			}
		}
		return slowest;
	}

	/** The same words as those of a send that fails for this reason. */
	private String noBroker(Duration silence) {
		Throwable cause = this.container.restartCause();
		String hint = this.connection.isOpened() && !this.connection.hasAnswered()
				? "; connections open, but nothing is ever answered: check security.protocol" : "";
		return FailureReason.BROKERS_UNREACHABLE + ": no answer from " + servers() + " for "
				+ HandlerWatch.text(silence) + hint + ((cause != null) ? " (" + cause.getClass().getName() + ")" : "");
	}

	private Collection<String> servers() {
		return this.container.bootstrapServers();
	}

	private static ListenerReport of(ListenerState state, @Nullable String reason) {
		return new ListenerReport(state, reason, null);
	}

	/**
	 * What is to be said of it: a line at each change.
	 * @return null when nothing has changed
	 */
	@Nullable Change change(long now) {
		ListenerReport report = report(now);
		ListenerState before = this.told;
		if (report.state() == before) {
			return null;
		}
		Duration lasted = Duration.ofNanos(now - this.toldNanos);
		this.told = report.state();
		this.toldNanos = now;
		return new Change(before, lasted, report);
	}

	/**
	 * Another state than before.
	 *
	 * @param before what it was, null at first
	 * @param lasted for how long
	 * @param report what it is
	 */
	record Change(@Nullable ListenerState before, Duration lasted, ListenerReport report) {
	}

}
