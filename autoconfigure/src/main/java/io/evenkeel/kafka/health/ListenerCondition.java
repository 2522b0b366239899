package io.evenkeel.kafka.health;

import java.time.Duration;

import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.watch.ListenerReport;
import io.evenkeel.kafka.watch.ListenerState;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.health.contributor.Status;

/**
 * How one listener is doing.
 *
 * @param status UP, DOWN or OUT_OF_SERVICE
 * @param reason why it is not UP
 */
record ListenerCondition(Status status, @Nullable String reason) {

	private static final Duration POLL_PATIENCE = Duration.ofSeconds(30);

	private static final ListenerCondition UP = new ListenerCondition(Status.UP, null);

	/** Without a watch: what takes time to be seen is not told. */
	static ListenerCondition of(EvenkeelContainer<?, ?> container, Duration staleAfter, long now) {
		return of(container, staleAfter, now, null);
	}

	static ListenerCondition of(EvenkeelContainer<?, ?> container, Duration staleAfter, long now,
			@Nullable ListenerReport report) {
		EvenkeelContainer.Failure failure = container.failure();
		if (failure != null) {
			return down("stopped by itself: " + failure.cause() + type(failure.failure()));
		}
		if (!container.isChildRunning()) {
			return container.isInExpectedState() ? UP : down("stopped abnormally");
		}
		String silent = silent(container, now);
		if (silent != null) {
			return down(silent);
		}
		Duration unanswered = (report != null) ? report.silence() : null;
		if (report != null && unanswered != null && unanswered.compareTo(staleAfter) > 0) {
			return down((report.state() == ListenerState.NO_BROKER) ? String.valueOf(report.reason())
					: "no broker has answered for " + unanswered.toSeconds() + " s");
		}
		long failingSince = container.recoveryFailingSince();
		if (failingSince != 0) {
			return down("dead-letter sends failing: no recovery of a failed record has succeeded for "
					+ seconds(now - failingSince) + " s");
		}
		String stale = stale(container.snapshot(), staleAfter, now);
		if (stale != null) {
			return down(stale);
		}
		return container.isPauseRequested() ? new ListenerCondition(Status.OUT_OF_SERVICE, "paused by hand") : UP;
	}

	/** A poll may be as long away as the longest callback, and some more. */
	private static @Nullable String silent(EvenkeelContainer<?, ?> container, long now) {
		EngineSettings settings = container.settings();
		long last = container.lastActivityNanos();
		if (settings == null || last == 0) {
			return null;
		}
		Duration patience = settings.drainTimeout().plus(settings.commitTimeout()).plus(POLL_PATIENCE);
		if (now - last < patience.toNanos()) {
			return null;
		}
		return "no poll for " + seconds(now - last) + " s" + type(container.restartCause());
	}

	private static @Nullable String stale(EngineSnapshot snapshot, Duration staleAfter, long now) {
		for (EngineSnapshot.Partition partition : snapshot.partitions()) {
			// What waits because the user wants it to wait is not late.
			boolean held = partition.userPaused() && partition.inFlight() == 0;
			if (!held && partition.hasOldest() && now - partition.oldestNanos() > staleAfter.toNanos()) {
				return "a record of " + partition.partition() + " has been unfinished for "
						+ seconds(now - partition.oldestNanos()) + " s";
			}
		}
		return null;
	}

	private static ListenerCondition down(String reason) {
		return new ListenerCondition(Status.DOWN, reason);
	}

	private static String type(@Nullable Throwable failure) {
		return (failure != null) ? " (" + failure.getClass().getName() + ")" : "";
	}

	private static long seconds(long nanos) {
		return nanos / 1_000_000_000L;
	}

}
