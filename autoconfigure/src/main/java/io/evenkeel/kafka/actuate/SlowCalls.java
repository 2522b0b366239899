package io.evenkeel.kafka.actuate;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;

import io.evenkeel.kafka.engine.RunningCall;

/**
 * Describes the calls of a handler that have been running longest.
 */
final class SlowCalls {

	private static final int MOST = 5;

	private SlowCalls() {
	}

	static List<EvenkeelDescriptor.SlowCall> of(List<RunningCall> calls) {
		Instant time = Instant.now();
		return calls.stream()
			.filter((call) -> call.isHandler() && call.isOpen())
			.sorted(Comparator.comparingLong(RunningCall::ageNanos).reversed())
			.limit(MOST)
			.map((call) -> slow(call, time))
			.toList();
	}

	private static EvenkeelDescriptor.SlowCall slow(RunningCall call, Instant time) {
		long age = call.ageNanos();
		return new EvenkeelDescriptor.SlowCall(call.partition().topic(), call.partition().partition(), call.offset(),
				call.attempt(), time.minusNanos(age), age / 1e9, call.thread().getName());
	}

}
