package io.evenkeel.kafka.watch;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.engine.RunningCall;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the calls of one listener's handler: warns of those that take long, with the
 * stack of their threads, at intervals that double, and interrupts those that take longer
 * than they may. One thread.
 */
final class HandlerWatch {

	private static final Logger logger = LoggerFactory.getLogger(HandlerWatch.class);

	private static final long LONGEST_INTERVAL = TimeUnit.HOURS.toNanos(1);

	private static final int MOST_FRAMES = 60;

	private final String id;

	private Map<RunningCall, Long> warnAt = new HashMap<>();

	HandlerWatch(String id) {
		this.id = id;
	}

	/**
	 * Look at the calls.
	 * @param calls those that threads are inside
	 * @param settings what is too long
	 */
	void look(List<RunningCall> calls, HandlerSettings settings) {
		long warnAfter = settings.warnAfter().toNanos();
		long timeout = settings.timeout().toNanos();
		Map<RunningCall, Long> known = this.warnAt;
		Map<RunningCall, Long> still = new HashMap<>();
		for (RunningCall call : calls) {
			if (!call.isHandler()) {
				continue;
			}
			long age = call.ageNanos();
			if (timeout > 0 && age >= timeout && !call.isTimedOut() && call.timeOut()) {
				logger.warn("{}: {} took longer than handler.timeout={} and is interrupted: it counts as failed",
						this.id, name(call), text(settings.timeout()));
			}
			if (warnAfter > 0 && age >= warnAfter) {
				long at = known.getOrDefault(call, warnAfter);
				if (age >= at && call.isOpen()) {
					warn(call, age);
					at = Math.min(2 * age, age + LONGEST_INTERVAL);
				}
				still.put(call, at);
			}
		}
		this.warnAt = still;
	}

	private void warn(RunningCall call, long age) {
		StringBuilder stack = new StringBuilder();
		StackTraceElement[] frames = call.thread().getStackTrace();
		for (int i = 0; i < frames.length && i < MOST_FRAMES; i++) {
			stack.append(System.lineSeparator()).append("\tat ").append(frame(frames[i]));
		}
		logger.warn("{}: {} has been running for {} on thread {} and holds its lane and its slot:{}", this.id,
				name(call), text(Duration.ofNanos(age)), call.thread().getName(), stack);
	}

	/** As a stack trace has it, without the names of loaders and modules. */
	private static String frame(StackTraceElement frame) {
		String line = (frame.getLineNumber() >= 0) ? ":" + frame.getLineNumber() : "";
		String file = frame.isNativeMethod() ? "Native Method"
				: (frame.getFileName() != null) ? frame.getFileName() + line : "Unknown Source";
		return frame.getClassName() + "." + frame.getMethodName() + "(" + file + ")";
	}

	private static String name(RunningCall call) {
		return "call " + call.attempt() + " for " + call.partition() + "@" + call.offset()
				+ ((call.records() > 1) ? " and " + (call.records() - 1) + " more" : "");
	}

	static String text(Duration time) {
		return (time.toMillis() < 10_000) ? time.toMillis() + " ms" : time.toSeconds() + " s";
	}

}
