package io.evenkeel.kafka.producer;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.Collection;
import java.util.concurrent.TimeUnit;

/**
 * How long calls keep their thread: the time that it works, waits or is blocked in them.
 * The time that a busy machine keeps it from running is not theirs. Starts when it is
 * made, and is asked on the same thread.
 */
final class HeldTime {

	private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

	static {
		THREADS.setThreadContentionMonitoringEnabled(true);
	}

	private final long start = System.nanoTime();

	private final long before = spent();

	/** Nanoseconds since it was made; waits are counted in whole milliseconds. */
	long nanos() {
		return Math.min(System.nanoTime() - this.start, spent() - this.before);
	}

	/** What 99 of a hundred calls did not exceed. */
	static long p99(Collection<Long> nanos) {
		return nanos.stream().sorted().skip((long) (nanos.size() * 0.99)).findFirst().orElseThrow();
	}

	private static long spent() {
		ThreadInfo info = THREADS.getThreadInfo(Thread.currentThread().getId());
		return THREADS.getCurrentThreadCpuTime()
				+ TimeUnit.MILLISECONDS.toNanos(info.getWaitedTime() + info.getBlockedTime());
	}

}
